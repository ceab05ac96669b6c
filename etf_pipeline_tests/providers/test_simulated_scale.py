"""The large market: contracts, determinism, and that a later fetch begins with an earlier one."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest

from etf_pipeline.errors import SettingsError
from etf_pipeline.providers.simulated import LargeMarket
from etf_pipeline.schemas import TABLES, from_arrow

MARKET = LargeMarket(tickers=520, years=3)
"""Three blocks of funds."""
EARLIER = "2023-11-15"


@functools.cache
def tables(until: str | None = None) -> dict[str, arrow.Table]:
    return MARKET.tables(until)


@pytest.mark.parametrize("until", [None, EARLIER])
def test_every_raw_table_is_there_and_meets_its_contract(until):
    made = tables(until)
    assert set(made) == {name for name, table in TABLES.items() if table.room == "raw"}
    for name, table in made.items():
        TABLES[name].check(table)
        key = from_arrow(table)[list(TABLES[name].key)]
        assert not key.duplicated().any()
        assert key.equals(key.sort_values(list(key.columns), kind="stable"))


def test_the_same_market_up_to_an_earlier_session_is_the_beginning_of_the_later_one():
    day = pd.Timestamp(EARLIER)
    for name, column in (("raw_prices", "session"), ("raw_actions", "ex_date"), ("raw_aum", "as_of")):
        early, late = from_arrow(tables(EARLIER)[name]), from_arrow(tables()[name])
        until = late[column] < day if name == "raw_aum" else late[column] <= day  # published the session after
        pd.testing.assert_frame_equal(early, late[until].reset_index(drop=True))
        assert len(early) < len(late)
    known = from_arrow(tables(EARLIER)["raw_source"])["fetched_until"].iloc[0]
    for name in ("raw_macro", "raw_aum", "raw_factors"):
        assert (from_arrow(tables(EARLIER)[name])["available_at"] <= known).all()


def test_one_night_adds_one_session_s_bars():
    day, before = "2024-06-28", "2024-06-27"
    late, early = tables(), MARKET.tables(before)
    added = late["raw_prices"].num_rows - early["raw_prices"].num_rows
    bars = from_arrow(late["raw_prices"])
    assert added == (bars["session"] == pd.Timestamp(day)).sum() > 400


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones():
    small = LargeMarket(tickers=30, years=1)
    again, other = LargeMarket(tickers=30, years=1), LargeMarket(tickers=30, years=1, seed=13)
    for name, table in small.tables().items():
        assert table.equals(again.tables()[name])
    assert not small.tables()["raw_prices"].equals(other.tables()["raw_prices"])


def test_funds_are_listed_and_closed_split_and_distribute_as_often_as_stated():
    # Closures: 520 funds, about 490 listed on average, over three years at 2.9 %: 43 expected, spread 6.5; the band is four
    # spreads.
    actions, bars = from_arrow(tables()["raw_actions"]), from_arrow(tables()["raw_prices"])
    kinds = actions["kind"].value_counts()
    assert 17 < kinds["liquidation"] < 69
    assert 0 < kinds["split"] < kinds["dividend"]
    last = bars.groupby("ticker")["session"].max()
    ended = last[last < pd.Timestamp("2024-06-28")]
    closed = actions[actions["kind"] == "liquidation"].set_index("ticker")["ex_date"]
    pd.testing.assert_series_equal(ended, closed.sort_index(), check_names=False)
    first = bars.groupby("ticker")["session"].min()
    assert 0.75 < (first == first.min()).mean() < 0.95


def test_a_split_or_dividend_does_not_look_like_a_crash():
    bars, actions = from_arrow(tables()["raw_prices"]), from_arrow(tables()["raw_actions"])
    at = pd.MultiIndex.from_frame(bars[["ticker", "session"]])
    events = actions.set_index(["ticker", "ex_date"])
    split = events.loc[events["kind"] == "split", "value"].reindex(at).fillna(1.0).to_numpy()
    paid = events.loc[events["kind"] == "dividend", "value"].reindex(at).fillna(0.0).to_numpy()
    total = np.log(((bars["close"] + paid) * split / bars.groupby("ticker")["close"].shift()).dropna())
    assert (total.abs() < 0.15).all()
    plain = np.log((bars["close"] / bars.groupby("ticker")["close"].shift()).dropna())
    assert (plain.abs() > 0.6).sum() == (split[plain.index] != 1).sum() > 10


def test_the_bars_are_sound():
    bars = from_arrow(tables()["raw_prices"])
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars[["low", "volume"]] > 0).all(axis=None)


@pytest.mark.parametrize(("market", "until", "message"), [
    (LargeMarket(tickers=5, years=1), "2024-06-29", "one of its sessions, 2023-06-29 to 2024-06-28; found 2024-06-29"),
    (LargeMarket(tickers=20_000, years=1), None, "1 to 17576 tickers; found 20000"),
])  # fmt: skip
def test_what_cannot_be_made_is_refused(market, until, message):
    with pytest.raises(SettingsError, match=message):
        market.tables(until)
