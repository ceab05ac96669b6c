"""What every provider must deliver, whatever stands behind it."""

from pathlib import Path

import pandas as pd
import pytest
from files_market import as_text, bars, write
from lean_market import write_lean
from network_recorded import recorded_provider
from stooq_market import write_stooq

from etf_pipeline.providers import PROVIDERS, RawMarket
from etf_pipeline.providers.macro_series import SERIES
from etf_pipeline.schemas import TABLES
from etf_pipeline.settings import Settings

FRAMES = ("prices", "actions", "reference", "aum", "macro", "factors", "rejects", "ticker_history", "lifecycle")
WRITERS = {
    "simulated": lambda folder: None,
    "files": lambda folder: write(folder, as_text(bars())),
    "lean": write_lean,
    "stooq": write_stooq,
}
"""What lies in each provider's folder."""

RECORDED = {"yahoo": recorded_provider}
"""Providers that ask a network, over recorded answers."""


@pytest.fixture(scope="module", params=PROVIDERS)
def fetched(request, tmp_path_factory):
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    if name in RECORDED:
        provider = RECORDED[name](folder)
    else:
        WRITERS[name](folder)
        provider = PROVIDERS[name](Settings(home=folder, provider=name, files_root=folder, profile="demo"))
    return provider, provider.fetch()


def test_its_name_is_the_word_that_settings_choose_it_by(fetched):
    provider, market = fetched
    assert PROVIDERS.keys() >= {provider.name}
    assert isinstance(market, RawMarket)
    assert market.simulated == (provider.name == "simulated")


@pytest.mark.parametrize("name", FRAMES)
def test_every_frame_meets_its_contract(fetched, name):
    table = TABLES[f"raw_{name}"]
    table.check(table.to_arrow(getattr(fetched[1], name)))


def test_every_priced_ticker_has_a_reference_row(fetched):
    market = fetched[1]
    assert set(market.prices["ticker"]) <= set(market.reference["ticker"])


def test_no_source_or_label_gives_a_place_on_this_machine_away(fetched):
    market = fetched[1]
    sources = set(market.prices["source"]) | set(market.macro["source"]) | set(market.reference["source"])
    assert not [s for s in sources if Path(s).is_absolute()]
    assert "/" not in market.label
    assert market.label


def test_nothing_is_known_before_it_could_be(fetched):
    market = fetched[1]
    midnight = market.macro["period"].dt.tz_localize("UTC")
    assert (market.macro["available_at"] > midnight).all()
    assert set(market.macro["series"]) <= set(SERIES)
    assert (market.factors["available_at"] > market.factors["session"].dt.tz_localize("UTC")).all()


def test_a_row_number_names_one_line_of_its_source(fetched):
    prices = fetched[1].prices
    assert not prices.duplicated(["source", "source_row"]).any()


def test_fetching_again_gives_the_same(fetched):
    provider, market = fetched
    again = provider.fetch()
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(market, name), getattr(again, name))
