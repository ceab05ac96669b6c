"""Pictures of estimates: volatilities, covariances and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etf_pipeline.reporting.figures import by_date, canvas, in_logs, in_percent, legend, line
from etf_pipeline.reporting.formats import day, words
from etf_pipeline.reporting.palette import INK, MUTED, REST, SERIES, colour

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS = ("forecast_part", "momentum_part", "risk_part", "liquidity_part", "cost_part", "macro_part", "geo_part")
"""Contributions that add up to a score."""

KINDS = {
    "realised_252": ("Realised, 252 sessions", REST),
    "ewma": ("EWMA", SERIES[1]),
    "garch_21": ("GARCH, next 21 sessions", SERIES[0]),
}


def volatilities(frame: pd.DataFrame) -> Figure:
    """Volatility of one fund: two forecasts and the past year."""
    tickers = frame["ticker"].value_counts()
    ticker = "SPY" if "SPY" in tickers.index and tickers["SPY"] else min(tickers[tickers == tickers.max()].index)
    rows = frame[frame["ticker"] == ticker].sort_values("session").set_index("session")
    figure, (ax,) = canvas(f"Volatility of {ticker}: two forecasts and the past year", "As known at each close, annualised.")
    for name, (label, shade) in KINDS.items():
        line(ax, rows[name], color=shade, label=label)
    in_percent(ax, "% per year")
    ax.set_ylim(0)
    by_date(ax)
    legend(figure, ax)
    return figure


def covariance_health(frame: pd.DataFrame) -> Figure:
    """Is each covariance fit to optimise on?"""
    rows = frame.sort_values("session").set_index("session")
    funds = int(rows["n_assets"].iloc[-1])
    note = f"{day(rows.index[-1])}: {funds} funds. Shrinkage rises with noise, the condition number with near-duplicates."
    figure, (top, bottom) = canvas("Is each covariance fit to optimise on?", note, rows=2, sharex=True)
    line(top, rows["shrinkage"], color=SERIES[0])
    in_percent(top, "shrinkage, %")
    top.set_ylim(0)
    line(bottom, rows["condition_number"], color=SERIES[1])
    in_logs(bottom, "condition number,\nlog scale")
    by_date(bottom)
    return figure


def scores(frame: pd.DataFrame) -> Figure:
    """What makes the best fifteen scores of the newest session."""
    newest = frame[frame["session"] == frame["session"].max()]
    rows = newest.sort_values(["rank", "ticker"]).head(15)[::-1]
    note = f"{day(rows['session'].iloc[0])}, weights of regime {rows['regime'].iloc[0]}. Bars add up to the dot."
    figure, (ax,) = canvas("What makes the best fifteen scores of the newest session", note)
    places = np.arange(len(rows))
    right, left = np.zeros(len(rows)), np.zeros(len(rows))
    for i, part in enumerate(PARTS):
        width = rows[part].to_numpy(dtype=np.float64)
        ax.barh(places, width, left=np.where(width >= 0, right, left), color=colour(i), label=words(part.removesuffix("_part")))
        right, left = right + np.clip(width, 0, None), left + np.clip(width, None, 0)
    ax.plot(rows["score"].to_numpy(), places, "o", color=INK, markersize=4, label="Score")
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.set_yticks(places, [f"{int(rank)}  {ticker}" for rank, ticker in zip(rows["rank"], rows["ticker"], strict=True)])
    ax.grid(False, axis="y")
    ax.set_xlabel("z-score")
    legend(figure, ax)
    return figure


def covariance_stability(frame: pd.DataFrame) -> Figure:
    """How well conditioned is each covariance estimator, and what followed?"""
    title = "How well conditioned is each covariance estimator, and what followed?"
    note = "Below: the next month's volatility of its long-only minimum-variance portfolio of funds geared alike, mean of a year."
    figure, (top, bottom) = canvas(title, note, rows=2, sharex=True)
    text = frame.astype({"estimator": str}).sort_values("session")
    for i, name in enumerate(dict.fromkeys(text["estimator"])):
        rows = text[text["estimator"] == name].set_index("session")
        line(top, rows["condition_number"], color=colour(i), label=words(name))
        line(bottom, rows["balanced_volatility"].rolling(12, min_periods=1).mean(), color=colour(i), label=words(name))
    in_logs(top, "condition number,\nlog scale")
    bottom.set_ylim(0)
    bottom.set_ylabel("volatility,\none fund = 1")
    by_date(bottom)
    legend(figure, top)
    return figure
