"""Editions of the market differ in what the truth lists, and the log of corrections finds exactly that."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pandas as pd
import polars as pl
import pytest
from simulated_by_hand import market, truth

from etf_pipeline.errors import DataError
from etf_pipeline.providers.restatements import restate
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.providers.simulated.editions import EDITIONS, restate_market
from etf_pipeline.schemas import TABLES

PROFILES = ["full", "demo"]
AT = datetime(2024, 7, 1, tzinfo=UTC)


def corrections(profile: str, before: str, after: str) -> pd.DataFrame:
    """What the project logs when one edition is fetched over another."""
    parts = []
    for table, part in (("raw_prices", "prices"), ("raw_actions", "actions")):
        stored, fetched = (TABLES[table].to_arrow(getattr(market(profile, edition=e), part)) for e in (before, after))
        parts.append(pl.from_arrow(restate(table, stored, fetched, AT, whole=True).corrections).to_pandas())
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("before", "after"), [("first", "final"), ("final", "restated"), ("first", "restated")])
def test_the_log_of_corrections_is_the_list_of_the_truth(profile, before, after):
    known = truth(profile).restatements
    expected = known[(known[before] != known[after]) & ~(known[before].isna() & known[after].isna())]
    logged = corrections(profile, before, after)
    columns = ["dataset", "ticker", "field"]
    assert sorted(map(tuple, logged[columns].to_numpy())) == sorted(map(tuple, expected[columns].to_numpy()))
    assert set(pd.to_datetime(logged["session"])) == set(expected["session"])
    for row in logged[logged["field"] != "row"].itertuples():
        true = expected[(expected["ticker"] == row.ticker) & (expected["field"] == row.field)].iloc[0]
        assert float(row.old_value) == pytest.approx(true[before], rel=1e-12)
        assert float(row.new_value) == pytest.approx(true[after], rel=1e-12)


def test_the_restated_edition_has_one_of_each_kind():
    logged = corrections("demo", "first", "restated").sort_values("ticker")
    assert logged["ticker"].tolist() == ["EEM", "IWM", "QQQ", "TLT"]
    assert logged["field"].tolist() == ["row", "value", "close", "row"]
    assert logged["new_value"].isna().tolist() == [True, False, False, False]  # withdrawn
    assert logged["old_value"].isna().tolist() == [False, False, False, True]  # late


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_edition_meets_the_contracts_and_is_whole_but_for_its_changes(profile, edition):
    other, final = market(profile, edition=edition), market(profile)
    for part in fields(final):
        frame = getattr(other, part.name)
        if isinstance(frame, pd.DataFrame):
            TABLES[f"raw_{part.name}"].check(TABLES[f"raw_{part.name}"].to_arrow(frame))
            if part.name not in {"prices", "actions"}:
                pd.testing.assert_frame_equal(frame, getattr(final, part.name))
    assert len(final.prices) - len(other.prices) == (edition != "final")
    assert len(final.actions) == len(other.actions)


def test_a_corrected_close_stays_within_its_bar():
    bars = market("demo", edition="restated").prices.set_index(["ticker", "session"])
    for row in truth("demo").restatements.query("field == 'close'").itertuples():
        bar = bars.loc[(row.ticker, row.session)]
        assert bar["low"] <= bar["close"] == row.restated <= bar["high"]


def test_restating_is_a_matter_of_one_word_and_leaves_the_market_as_it_was():
    restated = SimulatedMarket.for_profile("demo", restated=True).fetch()
    final = SimulatedMarket.for_profile("demo").fetch()
    before = final.prices.copy()
    pd.testing.assert_frame_equal(restate_market(final).prices, restated.prices)
    pd.testing.assert_frame_equal(final.prices, before)
    assert "restated edition" in restated.label
    assert restated.label.startswith("SIMULATED")


def test_a_market_without_the_bar_to_change_is_refused():
    final = SimulatedMarket.for_profile("demo").fetch()
    without = restate_market(final, "first")
    with pytest.raises(DataError, match="needs the bar of TLT on 2019-11-13"):
        restate_market(without)
