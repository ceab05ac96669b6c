"""The gap between all funds and the survivors: by hand, against the ledger itself, and on markets whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etf_pipeline import calendars
from etf_pipeline.backtest import BacktestParameters, SurvivorshipParameters, run_backtest, survivorship
from etf_pipeline.errors import SettingsError
from etf_pipeline.schemas import TABLES
from etf_pipeline_tests.backtest.backtest_world import actions_frame, no_liquidity, returns_of

FREE = {"bill_series": "", "screens": ("all_listed",), "min_history": 1, "by_class": False}
"""Settings of a study without a bill, over everything that is listed."""


def market(closes: pd.DataFrame, actions: list[dict[str, Any]] | None = None, seasoned: int = 1) -> dict[str, pd.DataFrame]:
    """Inputs of the study from closes of shape (n_sessions, n_funds); a fund has bars while its close is known."""
    prices = closes.rename_axis("session").melt(ignore_index=False, var_name="ticker", value_name="close").dropna().reset_index()
    prices = prices.assign(open=prices["close"], dividend=0.0, split_ratio=1.0, currency="USD", exchange="XNYS", adjustment="raw")
    keys = prices[["session", "ticker"]]
    momentum = (closes / closes.shift(60) - 1).rename_axis("session").melt(ignore_index=False, var_name="ticker").reset_index()
    return {
        "membership": keys.assign(member=True, reason="member", history_sessions=prices.groupby("ticker").cumcount() + seasoned),
        "features": keys.merge(momentum.rename(columns={"value": "momentum_12_1"}), on=["session", "ticker"]),
        "prices": prices,
        "actions": actions_frame(actions or []),
        "liquidity": no_liquidity(),
        "macro": pd.DataFrame({"session": closes.index[:0], "series": [], "value": []}),
        "reference": pd.DataFrame({"ticker": closes.columns, "asset_class": "equity"}),
    }


def study(inputs: dict[str, pd.DataFrame], **settings: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    return survivorship(**inputs, parameters=SurvivorshipParameters(**{**FREE, **settings}))


def flat(end: str = "2023-06-30") -> pd.DataFrame:
    days = calendars.sessions("XNYS", "2023-01-03", end)
    return pd.DataFrame(100.0, index=days, columns=["AAA", "BBB", "CCC"])


def dying() -> pd.DataFrame:
    """CCC halves in March and has its last bar a few sessions later."""
    closes = flat()
    closes.loc["2023-03-10":, "CCC"] = 50.0
    closes.loc["2023-03-15":, "CCC"] = np.nan
    return closes


def test_the_gap_by_hand():
    gaps, endings = study(market(dying()), resamples=0)
    row = gaps[gaps["rule"] == "equal_weight"].set_index("measure")
    # half-spread and commission of an unknown fund are paid for buying everything once, and for buying with what CCC fetched
    n = len(calendars.sessions("XNYS", "2023-02-01", "2023-06-30"))
    cost = 1 + BacktestParameters.unknown_half_spread + BacktestParameters.commission_rate
    assert row.loc["cagr", "survivors"] == pytest.approx((1 / cost) ** (252 / n) - 1, rel=1e-9)
    proceeds = 0.5 / 3 / cost
    assert row.loc["cagr", "full"] == pytest.approx((2 / 3 / cost + proceeds / cost) ** (252 / n) - 1, rel=1e-9)
    assert row.loc["max_drawdown", "gap"] == pytest.approx(-(1 / 6), abs=1e-3)
    assert row[["n_funds", "n_survivors", "n_ended"]].iloc[0].tolist() == [3, 2, 1]
    assert set(row["verdict"]) == {"too_few_endings"}
    end = endings[endings["rule"] == "equal_weight"].iloc[0]
    assert end[["ticker", "fate", "held_to_end", "exit_price", "months"]].tolist() == ["CCC", "delisting", True, 50.0, 2]
    assert end["exit_session"] == calendars.sessions("XNYS", "2023-03-15", "2023-06-30")[9]
    assert end["exit_weight"] == pytest.approx(0.2, abs=1e-3)


def test_full_and_survivors_are_what_the_backtest_itself_earns():
    inputs = market(dying())
    gaps, _ = study(inputs, resamples=0)
    ends = calendars.month_ends(dying().index, "XNYS")
    listed = inputs["membership"][inputs["membership"]["session"].isin(ends)]
    rows = [listed.assign(strategy="full"), listed[listed["ticker"] != "CCC"].assign(strategy="survivors")]
    weights = pd.concat(rows)[["session", "strategy", "ticker"]]
    weights["weight"] = 1 / weights.groupby(["session", "strategy"])["ticker"].transform("count")
    parameters = SurvivorshipParameters(bill_series="").backtest
    tables = {name: inputs[name] for name in ("prices", "actions", "liquidity", "macro")}
    made = run_backtest(
        weights,
        returns=returns_of(inputs["prices"]),
        parameters=replace(parameters, benchmarks=(), balanced=(), resamples=0),
        **tables,
    )
    found = made.performance.set_index(["cost_basis", "measure", "strategy"])["value"]["net"]
    mine = gaps[gaps["rule"] == "equal_weight"].set_index("measure")
    for measure in ("cagr", "sharpe", "max_drawdown"):
        for pool in ("full", "survivors"):
            assert mine.loc[measure, pool] == pytest.approx(found[measure, pool], rel=1e-12)


def ending(kind: str, value: float, successor: str | None) -> dict[str, Any]:
    """How CCC ends, told at its last close."""
    last = pd.Timestamp("2023-03-14")
    told = calendars.closes("XNYS", pd.DatetimeIndex([last]))[0]
    what = {"ticker": "CCC", "ex_date": last, "kind": kind, "value": value, "pay_date": pd.NaT, "successor": successor}
    return what | {"currency": "USD", "available_at": told, "value_known_at": told, "source": "hand"}


@pytest.mark.parametrize(("kind", "fate"), [("liquidation", "liquidation"), ("merger", "merger")])
def test_the_way_in_which_a_fund_ended_is_told(kind: str, fate: str):
    action = ending(kind, 0.5 if kind == "merger" else 49.0, "AAA" if kind == "merger" else None)
    _, endings = study(market(dying(), [action]), resamples=0)
    assert set(endings["fate"]) == {fate}
    assert endings["held_to_end"].all()


def test_a_renamed_fund_is_as_alive_as_its_successor():
    closes = dying().assign(DDD=dying()["CCC"].isna().map({True: 50.0, False: np.nan}))
    action = ending("rename", 1.0, "DDD")
    gaps, endings = study(market(closes, [action]), resamples=0)
    assert (gaps["n_ended"] == 0).all()
    assert (gaps["gap"] == 0).all()
    assert endings.empty


def test_who_sells_before_the_end_did_not_hold_it():
    inputs = market(dying())
    out = (inputs["membership"]["ticker"] == "CCC") & (inputs["membership"]["session"] >= "2023-02-15")
    inputs["membership"].loc[out, ["member", "reason"]] = [False, "illiquid_value"]
    strict = study(inputs, resamples=0, screens=("strict", "all_listed"))[1].set_index(["screens", "rule"])
    assert strict.loc[("strict", "equal_weight"), ["fate", "held_to_end", "months"]].tolist() == ["sold", False, 1]
    assert strict.loc[("all_listed", "equal_weight"), ["fate", "held_to_end", "months"]].tolist() == ["delisting", True, 2]


def random_market(seed: int, drop: float, n_funds: int = 70, n_ending: int = 35) -> pd.DataFrame:
    """Funds with one common factor; half of them end, after a fall of `drop` that is spread over their last 60 sessions."""
    rng = np.random.default_rng(seed)
    days = calendars.sessions("XNYS", "2018-01-02", "2020-12-31")
    moves = rng.normal(3e-4, 0.008, (len(days), 1)) + rng.normal(0, 0.008, (len(days), n_funds))
    last = rng.integers(200, len(days) - 20, n_ending)
    for k, end in enumerate(last):
        moves[end - 59 : end + 1, k] += np.log1p(-drop) / 60
    closes = pd.DataFrame(50 * np.exp(np.cumsum(moves, axis=0)), days, [f"F{k:02d}" for k in range(n_funds)])
    for k, end in enumerate(last):
        closes.iloc[end + 1 :, k] = np.nan
    return closes


def test_a_planted_bias_is_found_in_growth_and_sharpe_and_called_one():
    gaps, endings = study(market(random_market(1, 0.5)), resamples=300)
    row = gaps[gaps["rule"] == "equal_weight"].set_index("measure")
    assert row.loc["cagr", "verdict"] == row.loc["sharpe", "verdict"] == "biased"
    assert row.loc["cagr", "ci_low"] > 0
    # 35 falls of a half at a weight near 1/50 over almost three years cost about a tenth a year
    assert 0.05 < row.loc["cagr", "gap"] < 0.2
    assert endings.loc[endings["rule"] == "equal_weight", "held_to_end"].all()


def test_endings_by_lot_are_not_called_a_bias():
    # 12 markets, a true gap of zero, a 95 % interval: 3 or more alarms come in 2 % of cases if it is right
    verdicts = [
        study(market(random_market(seed, 0.0)), resamples=200)[0]
        .set_index(["rule", "measure"])
        .at[("equal_weight", "cagr"), "verdict"]
        for seed in range(12)
    ]
    assert set(verdicts) <= {"biased", "no_difference"}
    assert verdicts.count("biased") <= 2


def test_few_endings_are_no_estimate():
    gaps, _ = study(market(random_market(1, 0.5, n_funds=40, n_ending=20)), resamples=100)
    assert set(gaps["verdict"]) == {"too_few_endings"}
    assert gaps["ci_low"].notna().all()


def test_the_tables_keep_their_contracts_and_repeat_bit_for_bit():
    inputs = market(random_market(3, 0.3, n_funds=20, n_ending=6))
    first, again = (study(inputs, resamples=50, by_class=True) for _ in range(2))
    for name, a, b in zip(("survivorship", "survivorship_endings"), first, again, strict=True):
        contract = TABLES[name]
        contract.check(contract.to_arrow(a))
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    assert set(first[0]["asset_class"]) == {"all", "equity"}


def test_without_enough_survivors_there_is_no_study():
    closes = dying()[["CCC"]].assign(DDD=dying()["CCC"])
    closes["AAA"] = 100.0
    gaps, endings = study(market(closes), resamples=0)
    for name, frame in (("survivorship", gaps), ("survivorship_endings", endings)):
        assert frame.empty
        TABLES[name].check(TABLES[name].to_arrow(frame))


def test_an_unknown_screen_is_refused():
    with pytest.raises(SettingsError, match="found \\['loose'\\]"):
        SurvivorshipParameters(screens=("loose",))


@pytest.mark.reference
def test_the_delisted_funds_of_the_reference_data_are_held_to_their_end(reference_data: Path):
    files = [
        (reference_data / f"{name}.parquet", column)
        for name, column in (("etf_daily", "adjclose"), ("etf_daily_delisted", "close"))
    ]
    frames = [pd.read_parquet(path).rename(columns={"date": "session"}) for path, _ in files]
    wide = [
        frame[pd.to_datetime(frame["session"]) >= "2022-01-03"].pivot_table(index="session", columns="ticker", values=column)
        for frame, (_, column) in zip(frames, files, strict=True)
    ]
    closes = wide[0].iloc[:, :40].join(wide[1], how="left", rsuffix=".D")
    closes.index = pd.DatetimeIndex(pd.to_datetime(closes.index)).as_unit("ns")
    gaps, endings = study(market(closes[closes > 0]), resamples=50, min_history=252)
    everybody = endings[endings["rule"] == "equal_weight"]
    assert len(everybody) == 26  # WZRD and CHAI end before they have a year of bars
    assert everybody["held_to_end"].all()
    assert set(everybody["fate"]) == {"delisting"}
    assert set(gaps["verdict"]) == {"too_few_endings"}
