"""Pictures of results: net asset value, drawdowns and stress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etf_pipeline.reporting.figures import blank, by_date, canvas, in_logs, in_percent, legend, line
from etf_pipeline.reporting.formats import day, shorten, words
from etf_pipeline.reporting.palette import MUTED, colour

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ledger(frame: pd.DataFrame) -> Figure:
    """Net asset value of every strategy and benchmark, after costs."""
    net = frame[frame["cost_basis"] == "net"]
    if net.empty:
        return blank("Net asset value of every strategy and benchmark, after costs", "The ledger has no net rows.")
    span = f"{day(net['session'].min())} to {day(net['session'].max())}."
    figure, (ax,) = canvas("Net asset value of every strategy and benchmark, after costs", span)
    for i, (strategy, rows) in enumerate(net.groupby("strategy", observed=True, sort=True)):
        line(ax, rows.sort_values("session").set_index("session")["nav"], color=colour(i), label=words(strategy))
    in_logs(ax, "USD, log scale")
    by_date(ax)
    legend(figure, ax)
    return figure


def drawdowns(frame: pd.DataFrame) -> Figure:
    """Falls from a high: how deep, and how long until recovery."""
    note = "A line runs from the high to the recovery at its depth; dot: the low; arrow: not yet recovered."
    figure, (ax,) = canvas("Falls from a high: how deep, and how long until recovery", note)
    for i, (strategy, rows) in enumerate(frame.groupby("strategy", observed=True, sort=True)):
        known_until = rows["available_at"].dt.tz_convert(None).dt.normalize()
        end = rows["recovery"].fillna(known_until)
        depth = -rows["depth"].to_numpy(dtype=np.float64)
        ax.hlines(depth, rows["peak"].to_numpy(), end.to_numpy(), color=colour(i), linewidth=1.6, label=words(strategy))
        ax.plot(rows["trough"].to_numpy(), depth, "o", color=colour(i), markersize=4)
        still = rows["is_open"].to_numpy(dtype=bool)
        ax.plot(end.to_numpy()[still], depth[still], ">", color=colour(i), markersize=6)
    in_percent(ax, "fall from the high, %")
    ax.set_ylim(top=0)
    by_date(ax)
    legend(figure, ax)
    return figure


def stress(frame: pd.DataFrame) -> Figure:
    """What today's weights would lose in each scenario."""
    text = frame.astype({"strategy": str, "scenario": str, "title": str})
    profit = text.pivot(index="scenario", columns="strategy", values="profit")
    error = text.pivot(index="scenario", columns="strategy", values="standard_error")
    order = profit.min(axis=1).sort_values(ascending=False, kind="stable").index[-14:]
    titles = text.drop_duplicates("scenario").set_index("scenario")["title"]
    note = "The worst scenarios, the worst at the top. Whiskers: two standard errors of a simulation."
    figure, (ax,) = canvas("What today's weights would lose in each scenario", note)
    places, height = np.arange(len(order)), 0.8 / len(profit.columns)
    for i, strategy in enumerate(profit.columns):
        at = places + 0.4 - (i + 0.5) * height
        ax.barh(at, profit.loc[order, strategy], height=height * 0.92, color=colour(i), label=words(strategy))
        whisker = error.loc[order, strategy].notna()
        ax.errorbar(
            profit.loc[order, strategy][whisker],
            at[whisker.to_numpy()],
            xerr=2 * error.loc[order, strategy][whisker],
            fmt="none",
            ecolor=MUTED,
            capsize=2,
        )
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.set_yticks(places, [shorten(titles[scenario], 38) for scenario in order])
    ax.grid(False, axis="y")
    in_percent(ax, "profit or loss, % of net asset value", axis="x")
    legend(figure, ax)
    return figure
