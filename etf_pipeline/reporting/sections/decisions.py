"""Section on trading or staying: what the newest decision asks for, and what the rule did over time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from etf_pipeline.reporting.formats import basis_points, count, day, number, percent, text, words
from etf_pipeline.reporting.page import Column, Fact, Grid, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables

VERDICTS = {
    "first": "buys its first portfolio",
    "trade": "trades: the expected gain is worth more than the hurdle",
    "forced": "has to trade: {breach}",
    "hold_band": "stays: no weight is far enough from its target",
    "hold_cost": "stays: the expected gain is not worth the cost",
    "hold_fallback": "stays: no portfolio could be solved",
}
"""Verdicts of the rule as the end of a sentence."""

TRADES = (
    Column("Fund", "ticker", text, numeric=False),
    Column("Side", "side", words, numeric=False, tone=lambda v: "good" if v == "buy" else "bad"),
    Column("Before", "previous_weight", percent),
    Column("After", "weight", percent),
    Column("Shares", "shares", lambda v: number(v, 1, signed=True)),
    Column("Newest close", "price", number),
    Column("Value", "trade_value", lambda v: number(v, 0, signed=True)),
    Column("Currency", "base_currency", text, numeric=False),
    Column("Expected cost", "cost_value", lambda v: number(v, 2)),
    Column("Why", "reason", text, numeric=False, wide=True),
    Column("From", "holdings", lambda v: f"{words(v).lower()} holdings", numeric=False),
)

DECISIONS = (
    Column("Portfolio", "strategy", words, numeric=False),
    Column("Decisions", "decisions", count),
    Column("Traded", "trades", count),
    Column("Forced", "forced", count),
    Column("Stayed, near target", "held_by_band", count),
    Column("Stayed, too dear", "held_by_cost", count),
    Column("Stayed, unsolved", "held_unsolved", count),
    Column("Turnover", "turnover", lambda v: percent(v, 0)),
    Column("Turnover saved", "turnover_saved", lambda v: percent(v, 0)),
    Column("Cost", "cost", basis_points),
    Column("Cost saved", "cost_saved", basis_points),
    Column("Median gain", "median_gain", lambda v: basis_points(v, signed=True)),
    Column("Median hurdle", "median_hurdle", basis_points),
    Column("Expected gain given up", "gain_forgone", lambda v: percent(v, signed=True)),
    Column("Newest verdict", "newest_verdict", words, numeric=False),
)

LARGEST = 40
"""Trades listed per portfolio, the largest first."""


def decisions(tables: ReportTables) -> Section:
    """The newest verdict, the trades that it asks for, and the record of the rule."""
    lead = tables.strategies[0]
    rows = tables.ordered(tables.rpt_decisions)
    mine = rows[rows["strategy"] == lead].head(1)
    return Section(
        key="decisions",
        heading="Trade or stay",
        sentence=_newest(mine, lead),
        sources=("rpt_decisions", "rpt_trade_list"),
        paragraphs=tuple(_record(row, lead) for _, row in mine.iterrows()),
        facts=tuple(fact for _, row in mine.iterrows() for fact in _facts(row)),
        grids=(
            *_trades(tables, lead),
            *([grid(rows, DECISIONS, "Decisions of every portfolio", folded=True)] if len(rows) else []),
        ),
        note=(
            "A better portfolio is worth trading for only if its expected gain over the stated horizon exceeds a multiple of the "
            "one-off cost. Gains are expected, before the fact, by the same estimates that chose the target. Shares are those of "
            "the portfolio value in the settings, before rounding to lots."
        ),
    )


def _newest(mine: pd.DataFrame, lead: str) -> str:
    if mine.empty:
        return f"{words(lead)} has not decided anything yet."
    row = mine.iloc[0]
    verdict = VERDICTS.get(row["newest_verdict"], words(row["newest_verdict"]).lower())
    said = verdict.format(breach=row["newest_breach"] or "a limit is broken")
    return f"At the close of {day(row['last_session'])} {words(lead)} {said}."


def _record(row: pd.Series[Any], lead: str) -> str:
    stayed = row["held_by_band"] + row["held_by_cost"] + row["held_unsolved"]
    return (
        f"Of {count(row['decisions'])} decisions since {day(row['first_session'])}, {words(lead)} traded in "
        f"{count(row['trades'])} because it paid, in {count(row['forced'])} because it had to, and stayed in {count(stayed)}: "
        f"{count(row['held_by_band'])} near the target, {count(row['held_by_cost'])} too dear, "
        f"{count(row['held_unsolved'])} unsolved."
    )


def _facts(row: pd.Series[Any]) -> tuple[Fact, ...]:
    return (
        Fact("Newest verdict", words(row["newest_verdict"]), "of the rule for trading"),
        Fact("Turnover saved", percent(row["turnover_saved"], 0), f"by staying; {percent(row['turnover'], 0)} was traded"),
        Fact("Cost saved", basis_points(row["cost_saved"]), f"by staying; {basis_points(row['cost'])} was paid"),
        Fact("Given up", percent(row["gain_forgone"]), "expected gains of trades not made"),
    )


def _trades(tables: ReportTables, lead: str) -> tuple[Grid, ...]:
    rows = tables.rpt_trade_list.assign(_less=lambda f: -f["trade_value"].abs())
    rows = tables.ordered(rows, "_less", "ticker")
    rows = rows[rows.groupby("strategy").cumcount() < LARGEST]
    first, others = rows[rows["strategy"] == lead], rows[rows["strategy"] != lead]
    grids = [grid(first, TRADES, f"What {words(lead)} trades in the next session, the largest first")] if len(first) else []
    if len(others):
        caption = "What the other portfolios trade in the next session"
        grids.append(grid(others, TRADES, caption, by="strategy", title=words, folded=True))
    return tuple(grids)
