"""Pictures of the input: findings, total returns, the universe, market states and liquidity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etf_pipeline.conventions import BPS
from etf_pipeline.reporting.figures import by_date, canvas, in_basis_points, in_logs, in_percent, legend, line, zero
from etf_pipeline.reporting.formats import day, words
from etf_pipeline.reporting.palette import INK, MUTED, PAPER, REGIME, REST, SERIES, SEVERITY, colour
from etf_pipeline.reporting.scales import spells, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KNOWN = ("SPY", "EFA", "EEM", "TLT", "AGG", "GLD", "VNQ")
"""Funds that readers know, drawn first where the table has them."""


def findings(frame: pd.DataFrame) -> Figure:
    """Findings about the input per month, by severity."""
    months = frame["session"].dt.to_period("M").dt.start_time
    counts = pd.crosstab(months, frame["severity"].astype(str))
    shown, outside = _bulk(counts)
    note = "Rows of severity error are refused." + (f" {outside:,} findings with far-off dates are not drawn." if outside else "")
    figure, (ax,) = canvas("Findings about the input per month, by severity", note)
    months = pd.date_range(shown.index[0], shown.index[-1] + pd.offsets.MonthBegin(), freq="MS")
    full = shown.reindex(months, fill_value=0)
    below = np.zeros(len(full))
    for severity in (s for s in SEVERITY if s in full):
        top = below + full[severity].to_numpy(dtype=np.float64)
        ax.fill_between(full.index.to_numpy(), below, top, step="post", color=SEVERITY[severity], linewidth=0, label=severity)
        below = top
    ax.set_ylim(0)
    ax.set_ylabel("findings per month")
    by_date(ax)
    legend(figure, ax)
    return figure


def _bulk(counts: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    # a bar dated 1900 or 2099 is a finding too, but would squeeze every other month into one pixel
    total = counts.sum(axis=1)
    share = total.cumsum() / total.sum()
    year = pd.Timedelta(days=366)
    first, last = share[share >= 0.005].index[0] - year, share[share >= 0.995].index[0] + year
    inside = (counts.index >= first) & (counts.index <= last)
    return counts[inside], int(total[~inside].sum())


def growth(frame: pd.DataFrame) -> Figure:
    """Growth of one unit of money in a few funds, dividends reinvested."""
    figure, (ax,) = canvas(
        "Growth of one unit of money in a few funds, dividends reinvested", "Total-return index from each fund's first bar."
    )
    for i, ticker in enumerate(_few(frame["ticker"])):
        rows = frame[frame["ticker"] == ticker].sort_values("session")
        line(ax, rows.set_index("session")["index_close"], color=colour(i), label=ticker)
    in_logs(ax, "index, log scale")
    by_date(ax)
    legend(figure, ax)
    return figure


def _few(tickers: pd.Series[Any], n: int = 6) -> list[str]:
    bars = tickers.value_counts()
    bars = bars[bars > 0]
    longest = sorted(bars.index, key=lambda ticker: (-int(bars[ticker]), str(ticker)))
    known = [ticker for ticker in KNOWN if ticker in bars.index]
    return [*known, *(str(t) for t in longest if t not in known)][:n]


def membership(frame: pd.DataFrame) -> Figure:
    """Funds with a bar in each session: members, and why the others are not."""
    counts = frame.groupby(["session", "reason"], observed=True).size().unstack(fill_value=0).sort_index()
    order = sorted(counts.columns, key=lambda reason: (reason != "member", -int(counts[reason].sum()), reason))
    shown = thin(counts[order], 400)
    figure, (ax,) = canvas(
        "Funds with a bar in each session: members, and why the others are not", "The first screen that a fund failed."
    )
    labels = [f"{words(reason)} ({int(shown[reason].iloc[-1])})" for reason in order]
    colours = [SERIES[0], *(colour(i) for i in range(1, len(order)))]
    days = shown.index.to_numpy()
    ax.stackplot(days, *(shown[r].to_numpy(dtype=np.float64) for r in order), labels=labels, colors=colours, alpha=0.85)
    if len(days) == 1:
        ax.bar(days, [shown.iloc[0].sum()], width=np.timedelta64(1, "D"), color=SERIES[0])
    ax.set_ylim(0)
    ax.set_ylabel("funds")
    by_date(ax)
    legend(figure, ax, "Newest session")
    return figure


def regimes(frame: pd.DataFrame) -> Figure:
    """Market states over the index, with the two figures that decide them."""
    rows = frame.sort_values("session").set_index("session")
    now = rows.iloc[-1]
    note = f"{day(rows.index[-1])}: {words(now['regime']).lower()}. Bands show the state that held at each close."
    layout: dict[str, Any] = {"sharex": True, "height_ratios": [2, 1, 1]}
    figure, (top, middle, bottom) = canvas(
        "Market states over the index, with the two figures that decide them", note, rows=3, **layout
    )
    bands = spells(rows["regime"])
    for ax in (top, middle, bottom):
        _bands(ax, bands)
    line(top, rows["index_close"], color=INK)
    in_logs(top, "index,\nlog scale")
    line(middle, rows["distance_200"], color=SERIES[0])
    zero(middle)
    in_percent(middle, "over its\nmean, %")
    line(bottom, rows["vix"], color=SERIES[3])
    bottom.set_ylabel("VIX,\npoints")
    by_date(bottom)
    legend(figure, top)
    return figure


def regime_probabilities(frame: pd.DataFrame) -> Figure:
    """The market's index and how likely it was in its stressed state, as known at each close."""
    rows = frame.sort_values("session").set_index("session")
    now = rows["stressed"].iloc[-1]
    newest = "unknown" if pd.isna(now) else f"{now:.0%}".replace("%", " %")
    note = f"{day(rows.index[-1])}: {newest}. Bands: more likely stressed than not; filtered, no close knows what came later."
    layout: dict[str, Any] = {"sharex": True, "height_ratios": [3, 2]}
    figure, (top, bottom) = canvas("The market's index and how likely it was in its stressed state", note, rows=2, **layout)
    states = np.select([rows["stressed"].isna(), rows["stressed"] > 0.5], ["unknown", "stressed"], "")
    bands = spells(pd.Series(states, index=rows.index))
    for ax in (top, bottom):
        _bands(ax, bands, {"unknown": PAPER, "stressed": REGIME["bear"]})
    line(top, rows["index_close"], color=INK)
    in_logs(top, "index, log scale")
    line(bottom, rows["stressed"], color=SERIES[0], linewidth=0.8, label="At the close")
    line(bottom, rows["stressed_21"], color=SERIES[3], linewidth=0.8, label="21 sessions ahead")
    bottom.set_ylim(0, 1)
    in_percent(bottom, "probability, %")
    by_date(bottom)
    legend(figure, bottom)
    return figure


def _bands(ax: Axes, bands: list[tuple[Any, Any, str, int]], colours: Mapping[str, str] = REGIME) -> None:
    for i, (first, last, state, _) in enumerate(bands):
        if state not in colours:
            continue
        end = bands[i + 1][0] if i + 1 < len(bands) else last + pd.Timedelta(days=1)
        edge = MUTED if state == "unknown" else "none"
        ax.axvspan(
            first.to_datetime64(), end.to_datetime64(), facecolor=colours[state], edgecolor=edge, lw=0.4, label=words(state)
        )


def liquidity(frame: pd.DataFrame) -> Figure:
    """What an order of 100,000 costs in each fund, by how much the fund trades."""
    newest = frame[frame["session"] == frame["session"].max()]
    rows = newest[(newest["daily_value"] > 0) & newest["reference_cost"].notna()].sort_values("daily_value")
    note = (
        f"{day(newest['session'].iloc[0])}; {len(rows)} of {len(newest)} funds have both figures. Hollow: the half-spread alone."
    )
    figure, (ax,) = canvas("What an order of 100,000 costs in each fund, by how much the fund trades", note)
    ax.scatter(rows["daily_value"], rows["half_spread"], s=16, facecolors="none", edgecolors=REST, linewidths=1)
    ax.scatter(rows["daily_value"], rows["reference_cost"], s=20, color=SERIES[0], alpha=0.8, linewidths=0)
    labelled = pd.concat([rows.head(4), rows.tail(3)])
    for _, row in labelled[~labelled["ticker"].duplicated()].iterrows():
        place = (row["daily_value"], row["reference_cost"])
        ax.annotate(str(row["ticker"]), place, xytext=(4, 4), textcoords="offset points", fontsize=7.5, color=INK)
    if len(rows):
        in_logs(ax, "mean traded value of a session, listing currency, log scale", axis="x")
        ax.set_ylim(0, max(float(rows["reference_cost"].max()) * 1.15, BPS))
    in_basis_points(ax, "basis points of the order")
    return figure
