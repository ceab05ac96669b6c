"""Picture of betas: how a few funds have moved with their market over the years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etf_pipeline.reporting.figures import by_date, canvas, legend, line
from etf_pipeline.reporting.formats import day
from etf_pipeline.reporting.palette import MUTED, colour

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FUNDS = 5
"""Lines that can be told apart."""

PLACES = (0.05, 0.3, 0.6, 0.8, 0.95)
"""Which funds are drawn, by the order of their newest betas."""


def rolling(frame: pd.DataFrame) -> Figure:
    """Rolling beta of five funds, from the least to the most exposed."""
    rows = frame.astype({"ticker": str}).dropna(subset=["beta"]).sort_values(["ticker", "session"])
    figure, (ax,) = canvas("Rolling beta to the market fund, five funds from the least to the most exposed", _note(rows))
    for i, ticker in enumerate(chosen(rows)):
        line(ax, rows[rows["ticker"] == ticker].set_index("session")["beta"], color=colour(i), label=ticker)
    ax.axhline(1.0, color=MUTED, linewidth=0.8)
    ax.set_ylabel("beta, 252 sessions")
    by_date(ax)
    legend(figure, ax)
    return figure


def chosen(rows: pd.DataFrame) -> list[str]:
    """Of the funds with the longest histories that still trade, those at `PLACES` of their newest betas."""
    newest = rows[rows["session"] == rows["session"].max()].set_index("ticker")["beta"]
    length = rows["ticker"].value_counts().reindex(newest.index).to_numpy(dtype=np.float64)
    oldest = newest[length >= 0.9 * length.max(initial=0.0)].sort_values(kind="stable")
    places = np.unique(np.round(np.array(PLACES) * (len(oldest) - 1)).astype(int)) if len(oldest) > FUNDS else range(len(oldest))
    return [str(oldest.index[i]) for i in places]


def _note(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "No beta is known yet."
    return f"One year to each close, excess returns, until {day(rows['session'].max())}. One moves as the market does."
