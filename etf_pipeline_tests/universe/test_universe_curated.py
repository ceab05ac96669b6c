"""The curated file: every line is readable and plausible, it reaches real markets only, and agrees with the reference data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etf_pipeline import calendars
from etf_pipeline.errors import ProviderError
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.curated import COLUMNS, add_curated, curated_events
from etf_pipeline.schemas import TABLES
from etf_pipeline.universe import lifecycle
from etf_pipeline_tests.universe.universe_lives import empty

LINE = dict(zip(COLUMNS, ["XIV", "last_trade", "2018-02-15", "", "", "", "", "2018-02-15T05:00:00Z", "a notice"], strict=True))


def written(folder: Path, *lines: dict[str, str]) -> Path:
    path = folder / "lifecycle.csv"
    pd.DataFrame(list(lines), columns=list(COLUMNS)).to_csv(path, index=False)
    return path


def market(*tickers: str, simulated: bool = False) -> RawMarket:
    names = ("actions", "reference", "aum", "macro", "factors", "rejects")
    prices = pd.DataFrame({"ticker": list(tickers)})
    return RawMarket(prices, *(empty(f"raw_{name}") for name in names), simulated=simulated, label="test")


def test_the_file_of_the_project_keeps_its_contract_and_every_line_has_an_address() -> None:
    events, contract = curated_events(), TABLES["raw_lifecycle"]
    contract.check(contract.to_arrow(events))
    assert events["source"].str.contains(r"https?://").all()
    assert set(events["basis"]) == {"curated"}


def test_last_days_are_sessions_and_nothing_is_known_before_its_document() -> None:
    events = curated_events()
    trading = events[events["event"].isin(["last_trade", "merger", "ticker_change"])]
    sessions = calendars.sessions("XNYS", trading["event_date"].min(), trading["event_date"].max())
    assert trading["event_date"].isin(sessions).all()
    documents = events[events["event"] == "announcement"]
    assert (documents["known_at"] >= documents["event_date"].dt.tz_localize("UTC")).all()
    first_known = events.groupby("ticker")["known_at"].min()
    assert (documents["known_at"] == documents["ticker"].map(first_known)).all()
    assert (events["pay_date"].isna() | (events["pay_date"] >= events["event_date"])).all()


def test_a_market_gets_the_events_of_its_own_funds_beside_what_its_provider_gives(tmp_path: Path) -> None:
    path = written(tmp_path, LINE, LINE | {"ticker": "TVIX"})
    out = add_curated(market(" xiv", "SPY"), path)
    assert out.lifecycle["ticker"].tolist() == ["XIV"]
    given = out.lifecycle.assign(basis="given", source="provider")
    both = add_curated(RawMarket(**{**vars(market("XIV")), "lifecycle": given}), path)
    assert both.lifecycle["basis"].tolist() == ["given", "curated"]
    assert add_curated(market("SPY"), path).lifecycle.empty


def test_a_simulated_market_and_a_missing_file_add_nothing(tmp_path: Path) -> None:
    assert add_curated(market("XIV", simulated=True), written(tmp_path, LINE)).lifecycle.empty
    assert add_curated(market("XIV"), tmp_path / "none.csv").lifecycle.empty


def test_a_fund_that_a_ticker_history_names_has_its_events_too(tmp_path: Path) -> None:
    history = pd.DataFrame({"ticker": ["QQQQ"], "fund": ["XIV"]})
    named = RawMarket(**{**vars(market("QQQQ")), "ticker_history": history})
    assert add_curated(named, written(tmp_path, LINE)).lifecycle["ticker"].tolist() == ["XIV"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"event": "death"}, "line 3: event is none of"),
        ({"source": " "}, "line 3: source is blank"),
        ({"event_date": "15.02.2018"}, "line 3: event_date is not written as %Y-%m-%d"),
        ({"known_at": "2018-02-15"}, "line 3: known_at is not written as"),
        ({"value": "-1"}, "line 3: value is no amount"),
        ({"value": "ten"}, "line 3: value is no amount"),
        ({"event": "merger"}, "line 3: successor is blank"),
        ({}, "line 3: the same .* stands above"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(change: dict[str, str], why: str, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=why):
        curated_events(written(tmp_path, LINE, LINE | change))


@pytest.mark.reference
def test_the_curated_last_days_are_those_of_the_reference_data(reference_data: Path) -> None:
    bars = pd.read_parquet(reference_data / "etf_daily_delisted.parquet", columns=["ticker", "date"])
    last = bars.groupby("ticker")["date"].max()
    events = curated_events()
    told = events[events["event"].isin(["last_trade", "merger"]) & events["ticker"].isin(last.index)]
    assert told["ticker"].nunique() == 13
    assert (told["event_date"].to_numpy() == last[told["ticker"]].to_numpy()).all()
    changed = events[(events["event"] == "ticker_change") & events["ticker"].isin(last.index)].set_index("ticker")["event_date"]
    sessions = calendars.sessions("XNYS", "2024-01-02", "2024-06-28")
    assert np.array_equal(sessions[sessions.searchsorted(changed) - 1], last[changed.index])


@pytest.mark.reference
def test_of_the_real_funds_those_that_ended_are_ended_and_the_survivors_are_listed(reference_data: Path) -> None:
    names = ("etf_daily", "etf_daily_delisted")
    dead, alive = (pd.read_parquet(reference_data / f"{name}.parquet", columns=["ticker", "date"]) for name in reversed(names))
    prices = pd.concat([dead, alive]).rename(columns={"date": "session"}).assign(exchange="XNYS")
    days = calendars.sessions("XNYS", "2005-01-03", "2024-07-31")
    sessions = pd.DataFrame({"exchange": "XNYS", "session": days, "closes_at": calendars.closes("XNYS", days)})
    given = [empty("stg_actions"), empty("stg_reference"), curated_events(), empty("raw_ticker_history")]
    newest = lifecycle(prices, *given, sessions).groupby("ticker").tail(1).set_index("ticker")
    ended = newest[newest["fate"] != "listed"]
    assert set(ended.index) == set(dead["ticker"])
    assert (ended["last_session"] == dead.groupby("ticker")["date"].max()[ended.index]).all()
    assert ended["fate"].value_counts().to_dict() == {"unknown": 13, "closure": 12, "merger": 2, "rename": 1}
    assert (ended.loc[ended["fate"] == "unknown", "basis"] == "inferred").all()
    assert ended.at["FPL", "ratio"] == 0.428077
    assert newest.at["QQQ", "traded_ticker"] == "QQQ"
