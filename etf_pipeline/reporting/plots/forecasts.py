"""Pictures of the forecasts' record: skill and bias on sessions that the models never saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etf_pipeline.reporting.figures import by_date, canvas, in_basis_points, legend, line, zero
from etf_pipeline.reporting.formats import words
from etf_pipeline.reporting.palette import INK, MUTED, SERIES, colour

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 18
"""Intervals that one picture can hold."""


def windows(frame: pd.DataFrame) -> Figure:
    """Forecast skill and bias in each walk-forward window, out of sample."""
    note = "Information coefficient: rank correlation of forecast and outcome across funds; zero is no skill."
    figure, (top, bottom) = canvas(
        "Forecast skill and bias in each walk-forward window, out of sample", note, rows=2, sharex=True
    )
    for i, (model, rows) in enumerate(frame.groupby("model", observed=True, sort=True)):
        by_window = rows.sort_values("window").set_index("test_start")
        for ax, name in ((top, "information_coefficient"), (bottom, "test_bias")):
            line(ax, by_window[name], color=colour(i), label=words(model), marker="o", markersize=3)
    for ax in (top, bottom):
        zero(ax)
    top.set_ylabel("information\ncoefficient")
    in_basis_points(bottom, "mean forecast less\noutcome, bp")
    by_date(bottom)
    legend(figure, top)
    return figure


def bias(frame: pd.DataFrame) -> Figure:
    """Forecast bias where the models were not trained, with its 95 % interval."""
    rows = _chosen(frame)
    places = np.arange(len(rows))[::-1]
    figure, (ax,) = canvas(
        "Forecast bias where the models were not trained, with its 95 % interval",
        f"Mean forecast less outcome over {int(rows['horizon'].iloc[0])} sessions. In sample it is zero by construction.",
    )
    ax.hlines(places, rows["ci_low"], rows["ci_high"], color=SERIES[0], linewidth=2, alpha=0.55)
    ax.plot(rows["out_of_fold_bias"].to_numpy(), places, "o", color=SERIES[0], markersize=5, label="Out of fold")
    ax.plot(rows["corrected_bias"].to_numpy(), places, "D", color=SERIES[1], markersize=4, label="After correction")
    ax.plot(rows["in_sample_bias"].to_numpy(), places, "|", color=INK, markersize=9, label="In sample")
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.set_yticks(places, [f"{words(m)}, {words(c).lower()}" for m, c in zip(rows["model"], rows["asset_class"], strict=True)])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    in_basis_points(ax, "basis points per horizon", axis="x")
    legend(figure, ax)
    return figure


def _chosen(frame: pd.DataFrame) -> pd.DataFrame:
    text = frame.astype({"model": str, "asset_class": str})
    text["first"] = text["asset_class"] != "all"
    rows = text.sort_values(["model", "first", "asset_class"])
    if len(rows) > MOST_ROWS:
        rows = rows[(rows["asset_class"] == "all") | (rows["model"] == "ensemble")]
    return rows.head(MOST_ROWS)
