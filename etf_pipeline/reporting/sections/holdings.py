"""Sections on what to hold: the newest weights and how they were solved."""

from __future__ import annotations

from typing import Any

import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.reporting.bars import stacked_bars
from etf_pipeline.reporting.formats import basis_points, count, day, number, percent, text, tick, tiny, words
from etf_pipeline.reporting.page import Column, Grid, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.svg import Chart

WEIGHTS = (
    Column("Fund", "ticker", text, numeric=False, under="name"),
    Column("Class", "asset_class", words, numeric=False),
    Column("Weight", "weight", percent, bar=True),
    Column("Before", "previous_weight", percent),
    Column("Trade", "trade", lambda v: percent(v, signed=True)),
    Column("Forecast, per horizon", "forecast", lambda v: percent(v, 2, signed=True)),
    Column("Expected return, per year", "expected_return", lambda v: percent(v, signed=True)),
    Column("Score", "score", lambda v: number(v, signed=True)),
    Column("Rank", "rank", count),
    Column("Volatility, per year", "volatility", percent),
    Column("Share of risk", "risk_contribution", percent),
    Column("Half-spread", "half_spread", basis_points),
    Column("Trade cost", "cost", lambda v: basis_points(v, 2)),
)

SOLUTIONS = (
    Column("Strategy", "strategy", words, numeric=False),
    Column("Decided at", "session", day, numeric=False),
    Column("Outcome", "status", words, numeric=False, tone=lambda v: "" if v == "optimal" else "bad"),
    Column("What decides", "reason", words, numeric=False, wide=True),
    Column("Funds held", "n_held", count),
    Column("Out of", "n_candidates", count),
    Column("Cash", "cash", percent),
    Column("Expected return", "expected_return", percent),
    Column("Volatility", "volatility", percent),
    Column("Sharpe", "sharpe", number),
    Column("VaR, one day", "var_1d", lambda v: percent(v, 2)),
    Column("CVaR, one day", "cvar_1d", lambda v: percent(v, 2)),
    Column("Effective names", "effective_names", lambda v: number(v, 1)),
    Column("Turnover", "turnover", percent),
    Column("Cost", "cost", lambda v: basis_points(v, 2)),
    Column("Optimality error", "kkt_residual", tiny),
)

FALLBACKS = (
    Column("Decided at", "session", day, numeric=False),
    Column("Strategy", "strategy", words, numeric=False),
    Column("Taken instead", "status", words, numeric=False),
    Column("Why", "reason", words, numeric=False, wide=True),
    Column("Cash", "cash", percent),
)

PARTS = {
    "forecast_part": "forecast",
    "momentum_part": "momentum",
    "risk_part": "calm",
    "liquidity_part": "liquidity",
    "cost_part": "low cost",
    "macro_part": "economy",
    "geo_part": "politics",
}
"""Parts of the score, which add up to it, by what is good for the fund."""

REASONS = (
    Column("Fund", "ticker", text, numeric=False, under="name"),
    Column("Rank", "rank", count),
    Column("Score", "score", lambda v: number(v, signed=True)),
    *(Column(label.capitalize(), part, lambda v: number(v, signed=True)) for part, label in PARTS.items()),
    Column("Speaks for it", "speaks_for", text, numeric=False, wide=True),
    Column("Against it", "speaks_against", text, numeric=False, wide=True),
    Column("Oldest macro figure", "macro_as_of", day, numeric=False),
)

NEWEST_FALLBACKS = 12
DRAWN = 15
"""Funds of the leading strategy whose score is drawn, the largest first."""

LARGEST = 40
"""Funds listed per strategy: equal weight may hold thousands."""


def weights(tables: ReportTables) -> Section:
    """The newest weights with everything that explains them, the leading strategy's first."""
    rows = tables.rpt_current_weights
    rows = rows[(rows["weight"] > 0) | (rows["trade"] != 0)]
    rows = rows.assign(_cash=rows["ticker"] == CASH, _less=-rows["weight"])
    rows = tables.ordered(rows, "_cash", "_less", "ticker")
    lead = rows["strategy"].iloc[0]
    first, others = rows[rows["strategy"] == lead], rows[rows["strategy"] != lead]
    grids = [_largest(first, f"Current target weights of {words(lead)}")]
    if len(others):
        grids.append(_largest(others, "Current target weights of the other portfolios", folded=True))
    return Section(
        key="weights",
        heading="Target weights",
        sentence=(
            f"Each portfolio as decided at the close of {day(rows['session'].max())}, to be traded in the next session. "
            f"{_state(rows['regime'])} Beside each weight stands what the optimiser knew of the fund."
        ),
        sources=("rpt_current_weights",),
        grids=tuple(grids),
        note=(
            "Forecast: expected return over the forecast horizon after bias correction. Expected return: the annual figure that "
            "the optimiser used. Score: how the fund compares with the others, 0 is average. Share of risk: the part of the "
            "portfolio's variance that comes from the fund. Trade cost: of the whole portfolio."
        ),
    )


def _largest(rows: pd.DataFrame, caption: str, *, folded: bool = False) -> Grid:
    """The largest holdings of each strategy, and always its cash."""
    shown = rows[(rows.groupby("strategy").cumcount() < LARGEST) | rows["_cash"]]
    cut = f", the {LARGEST} largest of each" if len(shown) < len(rows) else ""
    return grid(shown, WEIGHTS, caption + cut, by="strategy" if folded else "", title=words, folded=folded)


def reasons(tables: ReportTables) -> Section:
    """The parts of the score of every fund that the leading strategy holds."""
    lead = tables.strategies[0]
    rows = tables.rpt_current_weights
    held = rows[(rows["strategy"] == lead) & (rows["weight"] > 0) & rows["score"].notna()]
    held = held.sort_values(["weight", "ticker"], ascending=[False, True])
    told = held.assign(
        speaks_for=[_parts(row, 1) for _, row in held.iterrows()],
        speaks_against=[_parts(row, -1) for _, row in held.iterrows()],
    )
    return Section(
        key="reasons",
        heading="Why each fund is held",
        sentence=(
            f"The parts of each held fund's score, which add up to it; {words(lead)}'s funds, the largest weight first."
            if len(held)
            else "No held fund has a score."
        ),
        sources=("rpt_current_weights",),
        charts=(_contributions(held, lead),) if len(held) else (),
        grids=(_reasons(told, lead),) if len(held) else (),
        note=(
            "A score compares funds: +1 is one standard deviation better than the average member. It ranks, and does not set the "
            "weight: the optimiser weighs expected return against risk and cost, so that a fund with a low score may be held "
            "because it moves against the others. Macro figures are counted from their release."
        ),
    )


def _reasons(told: pd.DataFrame, lead: str) -> Grid:
    return grid(told, REASONS, f"Score and its parts of each fund that {words(lead)} holds", folded=True)


def _parts(row: pd.Series[Any], way: int) -> str:
    """The two largest parts of a fund's score on one side."""
    parts = sorted((-way * row[part], label, row[part]) for part, label in PARTS.items() if way * row[part] > 0)
    return ", ".join(f"{label} {number(value, signed=True)}" for _, label, value in parts[:2]) or "nothing"


def _contributions(held: pd.DataFrame, lead: str) -> Chart:
    shown = held.head(DRAWN)
    frame = shown.set_index("ticker")[list(PARTS)].rename(columns=PARTS).astype(float)
    said = "; ".join(f"{row.ticker} {number(row.score, signed=True)}" for row in shown.itertuples())
    return stacked_bars(
        frame,
        tick,
        alt=f"Parts of the score of the funds that {words(lead)} holds. Scores: {said}.",
        caption="What adds to each fund's score (right) and what takes away (left); the line marks the score.",
    )


def _state(regime: pd.Series[Any]) -> str:
    known = regime.dropna()
    return f"The market state was {words(known.iloc[0]).lower()}." if len(known) else "The market state was unknown."


def optimiser(tables: ReportTables) -> Section:
    """How each portfolio was solved, and where the solver had to give way."""
    rows = tables.optimizer_solutions.sort_values("session")
    newest = tables.ordered(rows.groupby("strategy").tail(1))
    fallen = rows[rows["status"] != "optimal"]
    shown = fallen[::-1].head(NEWEST_FALLBACKS)
    grids = [grid(newest, SOLUTIONS, "Newest solution of each strategy, with what it promises before the fact")]
    if len(shown):
        grids.append(grid(shown, FALLBACKS, f"Newest {len(shown)} of {len(fallen)} fall-backs"))
    worst = rows["kkt_residual"].max()
    error = "" if pd.isna(worst) else f" The largest violation of the optimality conditions was {tiny(worst)}."
    return Section(
        key="optimiser",
        heading="How the weights were found",
        sentence=(
            f"{len(fallen)} of {len(rows)} portfolios could not be solved as asked and took the next best answer instead; "
            f"all others meet every limit.{error}"
        ),
        sources=("optimizer_solutions",),
        grids=tuple(grids),
        note="Before the fact, by the year: expected return, volatility and Sharpe ratio. VaR and CVaR: one day, 95 %, Gaussian.",
    )
