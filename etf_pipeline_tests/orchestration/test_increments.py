"""Night after night, what is extended equals what is made at once, to the bit: news, faults, restatements, partial fetches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path

import pandas as pd
import pytest

import etf_pipeline.definitions  # noqa: F401  (registers every recipe)
from etf_pipeline import calendars
from etf_pipeline.orchestration.ingestion import ingest, known_from, stored_versions
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Warehouse, content_hash

ROOMS = {"staging", "quality", "marts", "universe", "regimes", "macro"}
NIGHTS = ["2021-12-30", "2021-12-31", "2022-01-03", "2022-02-28", "2022-06-06", "2022-06-07"]
"""Ordinary nights, a year's end, a month's end and a gap of months."""


def until(market: RawMarket, night: str) -> RawMarket:
    """What the source would have delivered after that session."""
    day = pd.Timestamp(night)
    known = calendars.closes("XNYS", pd.DatetimeIndex([day]))[0] + pd.Timedelta(hours=2)
    return replace(
        market,
        prices=market.prices[market.prices["session"] <= day],
        actions=market.actions[market.actions["available_at"] <= known],
        aum=market.aum[market.aum["available_at"] <= known],
        macro=market.macro[market.macro["available_at"] <= known],
        factors=market.factors[market.factors["available_at"] <= known],
        ticker_history=market.ticker_history[market.ticker_history["available_at"] <= known],
        lifecycle=market.lifecycle[market.lifecycle["known_at"] <= known],
    )


def only_since(market: RawMarket, day: pd.Timestamp) -> RawMarket:
    """The part that a provider fetches which asks for the last days only."""
    return replace(market, prices=market.prices[market.prices["session"] >= day], whole=False)


def night_of(store: TableStore, run_id: str, market: RawMarket) -> dict[str, str]:
    """Ingest a market and make the tables of `ROOMS`; how each step was done."""
    settings = Settings(home=Path("unused"))
    stored = stored_versions(store, settings)
    known_from(store, stored)
    store.open_run(run_id, {})
    made = ingest(store, stored, market, settings, datetime(2024, 1, 1, tzinfo=UTC))
    store.write(run_id, "fetch", made.tables, extends=made.extends)
    how = {"fetch": "extended" if made.extends else "whole"}
    for name in ordered():
        outcome = store.materialise(RECIPES[name], run_id)
        how[name] = "reused" if outcome.reused else "extended" if outcome.since else "whole"
    store.warehouse.finish_run(run_id, succeeded=True)
    return how


def ordered() -> list[str]:
    wanted = {name: recipe for name, recipe in RECIPES.items() if recipe.room in ROOMS}
    maker = {table: name for name, recipe in wanted.items() for table in recipe.outputs}
    graph = {name: {maker[table] for table in recipe.inputs if table in maker} for name, recipe in wanted.items()}
    return list(TopologicalSorter(graph).static_order())


def contents(store: TableStore, at: str | None = None) -> dict[str, str]:
    """Hash of every table, without the numbers of source rows: they tell when a row was first delivered."""
    found = {}
    for name, contract in TABLES.items():
        if contract.room in ROOMS and store.head(name) is not None:
            table = store.warehouse.read(contract.room, name, at=at)
            kept = [column for column in table.column_names if column != "source_row"]
            key = [(column, "ascending") for column in contract.key if column != "source_row"]
            found[name] = content_hash(table.select(kept).sort_by(key))
    return found


@pytest.fixture(scope="module")
def market() -> RawMarket:
    return SimulatedMarket.for_profile("demo").fetch()


@pytest.fixture
def stores(tmp_path: Path) -> tuple[TableStore, TableStore]:
    return TableStore(Warehouse(tmp_path / "nightly")), TableStore(Warehouse(tmp_path / "at once"))


def differing(stores: tuple[TableStore, TableStore]) -> list[str]:
    one, other = contents(stores[0]), contents(stores[1])
    assert set(one) == set(other)
    return [name for name in one if one[name] != other[name]]


@pytest.mark.parametrize("partial", [False, True], ids=["fetched whole", "fetched in part"])
def test_a_night_extends_and_equals_making_everything(market, stores, partial):
    nightly, at_once = stores
    how: dict[str, str] = {}
    for i, night in enumerate(NIGHTS):
        brought = until(market, night)
        if partial and i:
            brought = only_since(brought, pd.Timestamp(NIGHTS[i - 1]) - pd.Timedelta(days=7))
        how = night_of(nightly, f"night {i}", brought)
    night_of(at_once, "all", until(market, NIGHTS[-1]))
    assert differing(stores) == []
    extended = {"stg_prices", "fct_prices", "fct_returns", "quality_findings", "universe_membership"}
    extended |= {"macro_state", "fund_months", "macro_sensitivities", "macro_adjustments"}
    assert {name: how[name] for name in extended} == dict.fromkeys(extended, "extended")
    assert how["fetch"] == ("extended" if partial else "whole")


FAULTY = ["2020-04-28", "2020-04-29", "2020-06-01", "2020-06-02", "2020-10-13"]
"""Nights around planted faults: a split that nobody told, since which every bar is refused, and a hundredfold price."""


def test_nights_with_faulty_news_equal_making_everything(stores):
    market, (nightly, at_once) = SimulatedMarket.for_profile("demo", faults=True).fetch(), stores
    how = [night_of(nightly, f"night {i}", until(market, night))["quality_findings"] for i, night in enumerate(FAULTY)]
    night_of(at_once, "all", until(market, FAULTY[-1]))
    assert differing(stores) == []
    contested = {*FAULTY} - {"2020-06-02"}  # the first night, and those whose news hold the day on which a rule begins to speak
    assert dict(zip(FAULTY, how, strict=True)) == {night: "whole" if night in contested else "extended" for night in FAULTY}


def test_a_restated_past_is_made_anew_from_its_day_on(market, stores):
    nightly, at_once = stores
    night_of(nightly, "before", until(market, NIGHTS[-2]))
    restated = until(market, NIGHTS[-1])
    prices = restated.prices.copy()
    wrong = (prices["ticker"] == "SPY") & (prices["session"] == "2022-02-10")
    prices.loc[wrong, ["open", "high", "low", "close"]] *= 1.002
    restated = replace(restated, prices=prices)
    how = night_of(nightly, "after", restated)
    night_of(at_once, "all", restated)
    assert differing(stores) == ["prices_current"]  # which tells of the restatement; nothing was restated at once
    assert how["fct_returns"] == "extended"
    log = nightly.read("raw_corrections").to_pandas()
    assert set(log["ticker"]) == {"SPY"}
    assert set(log["field"]) == {"open", "high", "low", "close"}


def test_a_fund_whose_last_bars_were_all_refused_is_not_paid_its_past_dividends_again(market, stores):
    prices, (nightly, at_once) = market.prices.copy(), stores
    refused = (prices["ticker"] == "SPY") & prices["session"].between("2022-01-14", "2022-01-31")  # longer than the look-back
    prices.loc[refused, ["open", "high", "low", "close"]] *= 100
    market = replace(market, prices=prices)
    night_of(nightly, "before", until(market, "2022-01-31"))
    how = night_of(nightly, "after", until(market, "2022-02-01"))
    night_of(at_once, "all", until(market, "2022-02-01"))
    assert differing(stores) == []
    assert (how["stg_prices"], how["fct_prices"]) == ("extended", "whole")


def test_assets_published_long_after_their_day_are_known_to_a_night(market, stores):
    nightly, at_once = stores
    prices = market.prices[market.prices["session"] >= "2021-01-01"]
    daily = prices[["ticker", "session"]].rename(columns={"session": "as_of"})
    published = (daily["as_of"] + pd.Timedelta(days=45)).dt.tz_localize("UTC")
    aum = daily.assign(aum_value=1e9 + 1e6 * daily["as_of"].dt.dayofyear, available_at=published)
    market = replace(market, aum=aum[list(market.aum.columns)].reset_index(drop=True))
    night_of(nightly, "before", until(market, "2022-03-31"))
    how = night_of(nightly, "after", until(market, "2022-04-29"))
    night_of(at_once, "all", until(market, "2022-04-29"))
    assert differing(stores) == []
    assert how["universe_membership"] == "extended"


def ingest_night(store: TableStore, run_id: str, market: RawMarket, settings: Settings) -> None:
    store.open_run(run_id, {})
    made = ingest(store, stored_versions(store, settings), market, settings, datetime(2024, 1, 1, tzinfo=UTC))
    store.write(run_id, "fetch", made.tables, extends=made.extends)
    store.warehouse.finish_run(run_id, succeeded=True)


def test_no_two_bars_of_a_source_have_one_number_when_a_gap_was_filled(market, stores):
    store, settings, day = stores[0], Settings(home=Path("unused")), pd.Timestamp("2021-11-05")
    prices = market.prices.assign(source="feed:" + market.prices["ticker"])
    prices["source_row"] = (prices["session"] - pd.Timestamp("1990-01-01")).dt.days.astype("int64")
    market = replace(market, prices=prices)
    gap = (prices["ticker"] == "SPY") & (prices["session"] == day)
    ingest_night(store, "with a gap", until(replace(market, prices=prices[~gap]), "2022-01-28"), settings)
    ingest_night(store, "filled", only_since(until(replace(market, prices=prices[gap]), "2022-01-28"), day), settings)
    ingest_night(store, "next", only_since(until(market, "2022-01-31"), pd.Timestamp("2022-01-21")), settings)
    stored = store.read("raw_prices").to_pandas()
    assert ((stored["ticker"] == "SPY") & (stored["session"] == day.date())).any()
    assert not stored.duplicated(["source", "source_row"]).any()


def test_another_main_exchange_is_the_main_one_of_the_past_too(market, stores):
    (store, other), last = stores, "2022-02-01"
    home, sydney = Settings(home=Path("unused")), Settings(home=Path("unused"), exchange="XASX")
    ingest_night(store, "home", until(market, "2022-01-28"), home)
    ingest_night(store, "away", only_since(until(market, last), pd.Timestamp("2022-01-21")), sydney)
    ingest_night(other, "at once", until(market, last), sydney)
    assert store.read("raw_sessions").equals(other.read("raw_sessions"))


def test_the_run_before_a_restatement_still_reads_as_it_was(market, stores):
    nightly, at_once = stores
    night_of(at_once, "before", until(market, NIGHTS[0]))
    night_of(nightly, "before", until(market, NIGHTS[0]))
    changed = until(market, NIGHTS[1])
    changed = replace(changed, prices=changed.prices.assign(close=changed.prices["close"] * 1.0001))
    night_of(nightly, "after", changed)
    assert contents(nightly, at="before") == contents(at_once)


def test_other_code_or_settings_make_everything_anew(market, stores):
    nightly, _ = stores
    night_of(nightly, "first", until(market, NIGHTS[0]))
    nightly.open_run("second", {})
    made = ingest(
        nightly,
        stored_versions(nightly, Settings(home=Path("x"))),
        until(market, NIGHTS[1]),
        Settings(home=Path("x")),
        datetime(2024, 1, 2, tzinfo=UTC),
    )
    nightly.write("second", "fetch", made.tables, extends=made.extends)
    for name in ordered():
        recipe = RECIPES[name]
        outcome = nightly.materialise(replace(recipe, version="other"), "second")
        assert outcome.since is None, name


def test_a_dividend_told_weeks_after_its_ex_date_is_the_same_in_a_night_as_in_everything(market, stores):
    late = market.actions[(market.actions["ticker"] == "SPY") & (market.actions["kind"] == "dividend")].iloc[[0]]
    told = pd.Timestamp("2022-01-31 22:00", tz="UTC")
    late = late.assign(
        ex_date=pd.Timestamp("2022-01-10"), value=120.0, available_at=told, value_known_at=told, source_row=999_999
    )
    actions = pd.concat([market.actions, late.astype(market.actions.dtypes)], ignore_index=True)
    changed, (nightly, at_once) = replace(market, actions=actions), stores
    nights = ["2022-01-28", "2022-01-31", "2022-02-01"]
    for i, night in enumerate(nights):
        night_of(nightly, f"night {i}", until(changed, night))
    night_of(at_once, "all", until(changed, nights[-1]))
    assert differing(stores) == []
    paid = nightly.read("fct_prices").to_pandas().query("ticker == 'SPY'").set_index("session")["dividend"]
    assert paid.loc[pd.Timestamp("2022-01-10").date()] == 0.0


def test_another_origin_is_no_restatement_and_loses_no_correction(market, stores):
    store, here = stores[0], Settings(home=Path("unused"))
    night_of(store, "first", until(market, NIGHTS[0]))
    wrong = until(market, NIGHTS[0])
    night_of(store, "second", replace(wrong, prices=wrong.prices.assign(close=wrong.prices["close"] * 1.0001)))
    logged = store.read("raw_corrections").num_rows
    elsewhere = replace(here, provider="files", files_root=Path("/some/folder"))
    assert stored_versions(store, elsewhere) == {}
    assert stored_versions(store, replace(here, profile="demo")) == {}
    store.open_run("third", {})
    made = ingest(store, {}, until(market, NIGHTS[0]), elsewhere, datetime(2024, 1, 3, tzinfo=UTC))
    assert made.restated == 0
    assert made.tables["raw_corrections"].num_rows == logged > 0
