"""Marts by hand: adjustment, total return and what was known when."""

from __future__ import annotations

import math

import pandas as pd
import pyarrow as arrow
import pytest

from etf_pipeline.orchestration.ingestion import session_table
from etf_pipeline.recipes import run_sql
from etf_pipeline.returns import total_returns
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.sql_models import load_models

DAYS = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"])


def bars(closes: list[float], days: pd.DatetimeIndex = DAYS, adjustment: str = "raw", ticker: str = "ABC") -> pd.DataFrame:
    close = pd.Series(closes)
    return pd.DataFrame(
        {
            "session": days[: len(closes)],
            "ticker": ticker,
            "traded_ticker": ticker,
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": 1000.0,
            "currency": "USD",
            "exchange": "XNYS",
            "adjustment": adjustment,
            "source": "test",
            "source_row": range(len(closes)),
        }
    )


def actions(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "ticker": "ABC",
                "ex_date": pd.Timestamp(day),
                "kind": kind,
                "value": value,
                "pay_date": pd.NaT,
                "successor": None,
                "currency": "USD",
                "available_at": pd.Timestamp(day, tz="UTC"),
                "value_known_at": pd.Timestamp(day, tz="UTC"),
                "source": "test",
                "source_row": row,
            }
            for row, (day, kind, value) in enumerate(rows)
        ],
        columns=TABLES["stg_actions"].arrow_schema.names,
    )


def mart(name: str, **tables: arrow.Table) -> pd.DataFrame:
    model = load_models()[name]
    table = TABLES[name].conform(run_sql(model.sql, {n: tables[n] for n in model.dependencies}))
    TABLES[name].check(table)
    return table.to_pandas()


def prices_and_returns(
    prices: pd.DataFrame, given: pd.DataFrame, refused: list[int] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    quarantine = TABLES["quarantine"].arrow_schema.empty_table()
    if refused:
        rows = prices.iloc[refused]
        frame = pd.DataFrame(
            {
                "dataset": "stg_prices",
                "source": "test",
                "source_row": rows["source_row"],
                "ticker": rows["ticker"],
                "session": rows["session"],
                "rule": "x",
                "found": "y",
                "remedy": "z",
            }
        )
        quarantine = TABLES["quarantine"].to_arrow(frame)
    contract_actions = TABLES["stg_actions"]
    action_table = contract_actions.to_arrow(given) if len(given) else contract_actions.arrow_schema.empty_table()
    staged = TABLES["stg_prices"].to_arrow(prices)
    days = TABLES["raw_sessions"].to_arrow(session_table(staged, "XNYS"))
    clean = mart("fct_prices", stg_prices=staged, stg_actions=action_table, quarantine=quarantine, raw_sessions=days)
    frame = TABLES["fct_prices"].arrow_schema
    stored = arrow.Table.from_pandas(clean, schema=frame, preserve_index=False)
    made = TABLES["fct_returns"].to_arrow(total_returns(from_arrow(stored)))
    TABLES["fct_returns"].check(made)
    return clean, from_arrow(made)


def test_a_dividend_is_part_of_the_return_of_its_ex_date() -> None:
    _, returns = prices_and_returns(bars([100, 99]), actions(("2024-01-03", "dividend", 2.0)))
    assert returns["total_return"].tolist()[1] == pytest.approx(0.01, abs=1e-15)
    assert math.isnan(returns["total_return"][0])


def test_a_split_leaves_no_return_and_its_dividend_is_in_new_shares() -> None:
    # 2 for 1: 100 becomes two shares at 50, each with 0.5 dividend: 2 * (50 + 0.5) / 100 - 1 = 1 %
    clean, returns = prices_and_returns(bars([100, 50]), actions(("2024-01-03", "split", 2.0), ("2024-01-03", "dividend", 0.5)))
    assert clean["split_ratio"].tolist() == [1.0, 2.0]
    assert returns["total_return"][1] == pytest.approx(0.01, abs=1e-15)


def test_what_a_source_has_already_applied_is_not_applied_again() -> None:
    given = actions(("2024-01-03", "split", 2.0), ("2024-01-03", "dividend", 0.5))
    clean, _ = prices_and_returns(bars([100, 101], adjustment="split"), given)
    assert (clean["split_ratio"].tolist(), clean["dividend"].tolist()) == ([1.0, 1.0], [0.0, 0.5])
    clean, _ = prices_and_returns(bars([100, 101], adjustment="split_dividend"), given)
    assert (clean["split_ratio"].tolist(), clean["dividend"].tolist()) == ([1.0, 1.0], [0.0, 0.0])


def test_a_dividend_whose_bar_was_refused_takes_effect_at_the_next_bar() -> None:
    clean, returns = prices_and_returns(bars([100, 5, 100]), actions(("2024-01-03", "dividend", 1.0)), refused=[1])
    assert clean["dividend"].tolist() == [0.0, 1.0]
    assert returns["total_return"][1] == pytest.approx(0.01)


def test_the_index_grows_from_one_and_later_dividends_do_not_change_it() -> None:
    _, short = prices_and_returns(bars([100, 110, 121]), actions(("2024-01-03", "dividend", 1.0)))
    _, long = prices_and_returns(
        bars([100, 110, 121, 60]), actions(("2024-01-03", "dividend", 1.0), ("2024-01-05", "split", 2.0))
    )
    assert short["index_close"].tolist() == pytest.approx([1.0, 1.11, 1.11 * 1.1], rel=1e-14)
    assert long["index_close"].tolist()[:3] == pytest.approx(short["index_close"].tolist(), rel=1e-15)


def test_open_and_close_of_a_session_are_on_one_index() -> None:
    prices = bars([100, 110])
    prices["open"] = [100, 105]
    _, returns = prices_and_returns(prices, actions(("2024-01-03", "dividend", 2.0)))
    assert returns["open_return"][1] == pytest.approx(0.07)
    assert returns["index_open"][1] == pytest.approx(1.07)
    assert returns["index_close"][1] == pytest.approx(1.12)


def macro_by_session(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """`fct_macro` over `DAYS`, closing at 21:00 UTC, of one series with rows (period, released at, value)."""
    sessions = pd.DataFrame(
        {
            "exchange": "XNYS",
            "session": DAYS,
            "opens_at": DAYS.tz_localize("UTC") + pd.Timedelta(hours=14.5),
            "closes_at": DAYS.tz_localize("UTC") + pd.Timedelta(hours=21),
            "is_month_end": False,
            "is_main": True,
        }
    )
    macro = pd.DataFrame(rows, columns=["period", "available_at", "value"]).assign(
        series="CPI",
        period=lambda frame: pd.to_datetime(frame["period"]),
        available_at=lambda frame: pd.to_datetime(frame["available_at"]).dt.tz_localize("UTC"),
        unit="index",
        vintage="first",
    )
    clean, _ = prices_and_returns(bars([100, 101, 102, 103]), actions())
    return mart(
        "fct_macro",
        raw_sessions=TABLES["raw_sessions"].to_arrow(sessions),
        stg_macro=TABLES["stg_macro"].to_arrow(macro),
        fct_prices=arrow.Table.from_pandas(clean, schema=TABLES["fct_prices"].arrow_schema, preserve_index=False),
    )


def test_a_macro_value_is_shown_from_the_first_close_after_its_release() -> None:
    found = macro_by_session(("2023-11-01", "2024-01-02 20:59", 1.0), ("2023-12-01", "2024-01-03 21:01", 2.0))
    assert found["value"].tolist() == [1.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_of_several_periods_released_at_once_the_newest_is_shown_whatever_their_order(order: list[int]) -> None:
    released = "2024-01-02 20:00"
    rows = [("2023-10-01", released, 1.0), ("2023-11-01", released, 2.0), ("2023-12-01", released, 3.0)]
    assert macro_by_session(*(rows[k] for k in order))["value"].tolist() == [3.0] * 4


def test_a_late_revision_of_an_older_period_does_not_hide_a_newer_one() -> None:
    first, second = ("2023-11-01", "2024-01-02 20:00", 1.0), ("2023-12-01", "2024-01-03 20:00", 2.0)
    revised_old, revised_new = ("2023-11-01", "2024-01-04 20:00", 1.5), ("2023-12-01", "2024-01-05 20:00", 2.5)
    found = macro_by_session(first, second, revised_old, revised_new)
    assert found["value"].tolist() == [1.0, 2.0, 2.0, 2.5]


def test_a_merger_is_no_trade_that_dilutes_the_costs_of_a_year() -> None:
    trades = pd.DataFrame(
        {
            "session": DAYS,
            "strategy": "s",
            "ticker": ["A", "A", "B", "C"],
            "kind": ["rebalance", "merger", "merger", "delisting"],
            "shares": [-10.0, -5.0, 5.0, -1.0],
            "price": 100.0,
            "value": [-1000.0, -500.0, 500.0, -100.0],
            "spread_cost": [0.5, 0.0, 0.0, 0.0],
            "impact_cost": [0.05, 0.0, 0.0, 0.0],
            "commission": 0.0,
        }
    )
    costs = mart(
        "rpt_costs",
        backtest_trades=TABLES["backtest_trades"].to_arrow(trades),
        spread_estimates=TABLES["spread_estimates"].arrow_schema.empty_table(),
    )
    assert costs["traded_value"].tolist() == [1100.0]
    assert costs["cost_bps"].tolist() == pytest.approx([5.0], rel=1e-12)


def test_an_action_told_after_its_ex_date_takes_effect_when_it_was_told() -> None:
    late = actions(("2024-01-03", "dividend", 2.0)).assign(available_at=pd.Timestamp("2024-01-04 22:00", tz="UTC"))
    clean, _ = prices_and_returns(bars([100, 99, 99, 99]), late)
    assert clean["dividend"].tolist() == [0, 0, 0, 2.0]
    evening = late.assign(available_at=pd.Timestamp("2024-01-03 20:59", tz="UTC"))  # a minute before that session's close
    assert prices_and_returns(bars([100, 99, 99, 99]), evening)[0]["dividend"].tolist() == [0, 2.0, 0, 0]
