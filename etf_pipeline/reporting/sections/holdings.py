"""Sections on what to hold: the newest weights and how they were solved."""

from __future__ import annotations

from typing import Any

import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.reporting.formats import basis_points, count, day, number, percent, text, tiny, words
from etf_pipeline.reporting.page import Column, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables

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
    Column("Trade cost, of the portfolio", "cost", lambda v: basis_points(v, 2)),
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

NEWEST_FALLBACKS = 12

LARGEST = 40
"""Funds listed per strategy: equal weight may hold thousands."""


def weights(tables: ReportTables) -> Section:
    """The newest weights with everything that explains them."""
    rows = tables.rpt_current_weights
    rows = rows[(rows["weight"] > 0) | (rows["trade"] != 0)]
    rows = rows.assign(_cash=rows["ticker"] == CASH, _less=-rows["weight"])
    rows = tables.ordered(rows, "_cash", "_less", "ticker")
    shown = rows[(rows.groupby("strategy").cumcount() < LARGEST) | rows["_cash"]]
    caption = "Current target weights by strategy" + (f", the {LARGEST} largest of each" if len(shown) < len(rows) else "")
    return Section(
        key="weights",
        heading="What to hold, and why",
        sentence=(
            f"Each portfolio as decided at the close of {day(rows['session'].max())}, to be traded in the next session. "
            f"{_state(rows['regime'])} Beside each weight stands what spoke for it."
        ),
        sources=("rpt_current_weights",),
        grids=(grid(shown, WEIGHTS, caption, by="strategy", title=words),),
        note=(
            "Forecast: expected return over the forecast horizon after bias correction. Expected return: the annual figure that "
            "the optimiser used. Score: how the fund compares with the others, 0 is average. Share of risk: the part of the "
            "portfolio's variance that comes from the fund."
        ),
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
