"""Splits that prices show and nobody told: found with their ratio, told from crashes, stray prints and cents for dollars."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from etf_pipeline import calendars
from etf_pipeline.schemas import TABLES
from etf_pipeline.universe import DetectionParameters, detect_actions
from etf_pipeline_tests.universe.universe_lives import DAYS, action, close, empty, rows, sessions

AT = 60
"""Row of the bar at which something happens."""
NONE = empty("stg_actions")


def bars(ratio: float = 1.0, volume_ratio: float | None = None, adjustment: str = "raw", seed: int = 0) -> pd.DataFrame:
    """A year of bars whose price is divided by `ratio` from row `AT` on, and whose volume is multiplied."""
    rng = np.random.default_rng(seed)
    price = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, len(DAYS))))
    volume = 1e5 * np.exp(rng.normal(0, 0.3, len(DAYS)))
    price[AT:] /= ratio
    volume[AT:] *= ratio if volume_ratio is None else volume_ratio
    frame = pd.DataFrame({"session": DAYS, "ticker": "AAA", "close": price, "volume": volume})
    return frame.assign(exchange="XNYS", adjustment=adjustment, source="test", source_row=range(len(DAYS)))


def found(prices: pd.DataFrame, actions: pd.DataFrame = NONE, parameters: DetectionParameters | None = None) -> pd.DataFrame:
    out = detect_actions(prices, actions, sessions(), parameters)
    table = TABLES["detected_actions"]
    table.check(table.to_arrow(out))
    return out


def split(ratio: float, day: pd.Timestamp = DAYS[AT], announced: str = "2020-01-15T12:00Z") -> pd.DataFrame:
    return rows("stg_actions", action("AAA", "split", f"{day:%Y-%m-%d}", announced, value=ratio))


@pytest.mark.parametrize("ratio", [2, 3, 10, 1 / 4, 1 / 8, 1 / 25])
def test_a_split_that_nobody_told_is_proposed_with_its_ratio_on_its_day(ratio: float) -> None:
    out = found(bars(ratio))
    assert out[["ticker", "session", "kind"]].values.tolist() == [["AAA", DAYS[AT], "missing_split"]]
    row = out.iloc[0]
    assert row["ratio"] == pytest.approx(ratio, rel=1e-12)
    assert row["available_at"] == close(DAYS[AT + 4])
    assert row["proposal"] == f"AAA,{DAYS[AT]:%Y-%m-%d},split,{ratio:.10g}"
    assert abs(np.log(row["value_ratio"])) < 0.5


def test_a_split_that_is_told_is_not_missing_and_one_that_prices_show_not_unseen() -> None:
    assert found(bars(2.0), split(2.0)).empty
    assert found(bars(1 / 8), split(1 / 8)).empty


def test_a_split_told_with_the_wrong_ratio_leaves_the_rest_to_be_found() -> None:
    out = found(bars(6.0), split(2.0))
    assert out.set_index("kind").at["missing_split", "ratio"] == 3.0


@pytest.mark.parametrize(("volume_ratio", "says"), [(1.0, "no_split"), (0.5, "no_split"), (2.0, "split"), (12.0, "no_split")])
def test_volume_says_whether_it_made_up_for_the_move(volume_ratio: float, says: str) -> None:
    assert found(bars(2.0, volume_ratio))["volume_says"].tolist() == [says]


def test_volume_tells_cents_given_for_dollars_from_a_split_of_a_hundred() -> None:
    assert found(bars(1 / 100, volume_ratio=1.0))["volume_says"].tolist() == ["no_split"]
    assert found(bars(1 / 100))["volume_says"].tolist() == ["split"]


def test_a_stray_print_is_no_split() -> None:
    prices = bars()
    prices.loc[AT, ["close", "volume"]] *= (0.5, 2.0)
    assert found(prices).empty


def test_where_nothing_trades_the_price_speaks_alone() -> None:
    out = found(bars(4.0).assign(volume=0.0))
    assert out["ratio"].tolist() == [4.0]
    assert out["volume_ratio"].isna().all()
    assert out["volume_says"].tolist() == ["nothing"]
    assert "volume cannot tell" in out["evidence"].iloc[0]


def test_a_told_split_that_prices_do_not_show_is_unseen() -> None:
    out = found(bars(), split(2.0))
    assert out[["session", "kind", "ratio"]].values.tolist() == [[DAYS[AT], "unseen_split", 2.0]]
    late = found(bars(), split(2.0, announced="2020-09-01T12:00Z"))
    assert late["available_at"].tolist() == [pd.Timestamp("2020-09-01T12:00Z")]


def test_a_split_told_a_day_early_is_unseen_on_its_day_and_missing_on_the_next() -> None:
    out = found(bars(4.0), split(4.0, DAYS[AT - 1])).set_index("kind")
    assert out.at["unseen_split", "session"] == DAYS[AT - 1]
    assert out.at["missing_split", "session"] == DAYS[AT]


def test_prices_that_contain_splits_need_none_told_and_show_none() -> None:
    assert found(bars(adjustment="split"), split(2.0)).empty
    assert found(bars(2.0, adjustment="split")).iloc[0]["ratio"] == 2.0


def test_a_level_that_is_not_confirmed_yet_is_not_reported() -> None:
    assert found(bars(2.0).iloc[: AT + 4]).empty
    assert len(found(bars(2.0).iloc[: AT + 5])) == 1


@pytest.mark.parametrize("cut", [AT - 1, AT + 3, AT + 4, AT + 30])
def test_what_was_found_by_an_instant_rests_on_nothing_later(cut: int) -> None:
    both = pd.concat([bars(3.0), bars(1.0, seed=1).assign(ticker="BBB")])
    told = pd.concat([split(2.0, DAYS[AT + 20]), split(5.0, DAYS[AT + 10], "2020-05-04T12:00Z").assign(ticker="BBB")])
    whole, instant = found(both, told), close(DAYS[cut])
    poisoned = both.copy()
    poisoned.loc[poisoned["session"] > DAYS[cut], ["close", "volume"]] *= 37.0
    for later in (both[both["session"] <= DAYS[cut]], poisoned):
        again = found(later, told[told["available_at"] <= instant])
        known = [frame[frame["available_at"] <= instant].reset_index(drop=True) for frame in (again, whole)]
        assert_frame_equal(*known)


def test_forty_years_of_ordinary_noise_raise_no_alarm() -> None:
    # forty funds, a year each, daily volatility 1 %: no move comes near a factor of two
    assert found(pd.concat([bars(seed=s).assign(ticker=f"F{s}") for s in range(40)])).empty


def test_the_simulated_market_s_missing_splits_are_found_and_no_others() -> None:
    from etf_pipeline.providers.simulated import SimulatedMarket

    raw = SimulatedMarket.for_profile("full").fetch()
    true = raw.actions[raw.actions["kind"] == "split"]
    prices = raw.prices[raw.prices["ticker"].isin(set(true["ticker"]) | {"SPY", "TLT", "QQQ"})]
    calendar = pd.concat(
        pd.DataFrame({"exchange": e, "session": (d := calendars.sessions(e, "2004-12-01", "2025-01-31"))}).assign(
            closes_at=calendars.closes(e, d)
        )
        for e in prices["exchange"].unique()
    )
    assert detect_actions(prices, raw.actions, calendar).empty
    out = detect_actions(prices, raw.actions[raw.actions["kind"] != "split"], calendar)
    key = ["ticker", "session", "ratio"]
    wanted = true.rename(columns={"ex_date": "session", "value": "ratio"})[key].sort_values(key)
    got = out[key].sort_values(key)
    assert len(wanted) > 0
    assert got[["ticker", "session"]].values.tolist() == wanted[["ticker", "session"]].values.tolist()
    np.testing.assert_allclose(got["ratio"], wanted["ratio"], rtol=1e-9)
    assert (out["volume_says"] == "split").mean() > 0.8


@pytest.mark.reference
def test_the_reverse_split_of_uso_is_found_in_raw_prices(reference_data: Path) -> None:
    with zipfile.ZipFile(reference_data / "lean" / "daily" / "uso.zip") as archive:
        text = archive.read(archive.namelist()[0])
    names = ["session", "open", "high", "low", "close", "volume"]
    prices = pd.read_csv(io.BytesIO(text), header=None, names=names)
    prices["session"] = pd.to_datetime(prices["session"].str[:8]).astype("datetime64[ns]")
    prices = prices[prices["session"] >= "2006-04-11"].assign(ticker="USO", exchange="XNYS", adjustment="raw", source="uso.zip")
    prices = prices.assign(close=prices["close"] / 10_000, source_row=range(len(prices)))
    days = calendars.sessions("XNYS", "2006-01-03", "2021-06-30")
    calendar = pd.DataFrame({"exchange": "XNYS", "session": days, "closes_at": calendars.closes("XNYS", days)})
    out = detect_actions(prices, NONE, calendar)
    assert out[["session", "ratio"]].values.tolist() == [[pd.Timestamp("2020-04-29"), 0.125]]
    assert out["proposal"].tolist() == ["USO,2020-04-29,split,0.125"]
    told = split(0.125, pd.Timestamp("2020-04-29"), "2020-04-22T23:59Z").assign(ticker="USO")
    assert detect_actions(prices, told, calendar).empty


@pytest.mark.reference
def test_twenty_years_of_real_funds_raise_no_alarm(reference_data: Path) -> None:
    prices = pd.read_parquet(reference_data / "etf_daily.parquet", columns=["ticker", "date", "close", "volume"])
    prices = prices.rename(columns={"date": "session"}).assign(exchange="XNYS", adjustment="split", source="f", source_row=0)
    prices["session"] = prices["session"].astype("datetime64[ns]")
    days = calendars.sessions("XNYS", "2005-01-03", "2024-07-31")
    calendar = pd.DataFrame({"exchange": "XNYS", "session": days, "closes_at": calendars.closes("XNYS", days)})
    assert detect_actions(prices, NONE, calendar).empty
