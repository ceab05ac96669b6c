"""Pictures of the portfolios: weights through time, and how each was solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.reporting.figures import by_date, canvas, in_percent, legend, line, zero
from etf_pipeline.reporting.formats import day, words
from etf_pipeline.reporting.palette import INK, REST, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PREFERRED = ("max_sharpe", "risk_parity")
"""Strategies whose weights are drawn, where the table has them."""

OTHERS = "Others"

Z = 1.959964
"""Two-sided 95 % of a normal distribution."""


def target_weights(frame: pd.DataFrame) -> Figure:
    """Target weights through time."""
    present = sorted(frame["strategy"].astype(str).unique())
    chosen = ([s for s in PREFERRED if s in present] + [s for s in present if s not in PREFERRED])[:2]
    rows = frame[frame["strategy"].isin(chosen)]
    leading = _leading(rows)
    shades = {ticker: colour(i) for i, ticker in enumerate(leading)} | {OTHERS: REST, CASH: "#eef0f3"}
    note = "The ten funds with the largest weights over time; each rebalance adds up to 100 %."
    figure, axes = canvas("Target weights through time", note, rows=len(chosen), sharex=True)
    for ax, strategy in zip(axes, chosen, strict=True):
        _stack(ax, _wide(rows[rows["strategy"] == strategy], leading), shades)
        ax.set_ylim(0, 1)
        in_percent(ax, f"{words(strategy)}, %")
    by_date(axes[-1])
    axes[-1].margins(x=0)
    legend(figure, axes[0])
    return figure


def _leading(rows: pd.DataFrame, n: int = 10) -> list[str]:
    total = rows[rows["ticker"] != CASH].groupby("ticker", observed=True)["weight"].sum()
    return [str(t) for t in sorted(total.index, key=lambda t: (-total[t], str(t)))[:n]]


def _wide(rows: pd.DataFrame, leading: list[str]) -> pd.DataFrame:
    ticker = rows["ticker"].astype(str)
    group = ticker.where(ticker.isin([*leading, CASH]), OTHERS).rename("group")
    wide = rows.groupby([rows["session"], group])["weight"].sum().unstack(fill_value=0)
    return wide.reindex(columns=[*leading, OTHERS, CASH], fill_value=0)


def _stack(ax: Axes, wide: pd.DataFrame, shades: dict[str, str]) -> None:
    # a weight holds until the next rebalance; the newest one for as long as the last spell
    days = wide.index.to_numpy()
    until = days[-1] + (days[-1] - days[-2] if len(days) > 1 else np.timedelta64(30, "D"))
    x = np.append(days, until)
    below = np.zeros(len(x))
    for name, shade in shades.items():
        weight = wide[name].to_numpy(dtype=np.float64)
        top = below + np.append(weight, weight[-1])
        ax.fill_between(x, below, top, step="post", color=shade, linewidth=0, label="Cash" if name == CASH else name)
        below = top


def solutions(frame: pd.DataFrame) -> Figure:
    """How each portfolio was solved: turnover, cash and value at risk."""
    fallen = frame[frame["status"].astype(str) != "optimal"]
    note = f"{len(fallen)} of {len(frame)} portfolios took a fall-back (crosses)."
    title = "How each portfolio was solved: turnover, cash and value at risk"
    figure, axes = canvas(title, note, rows=3, sharex=True)
    panels = {"turnover": "turnover, %", "cash": "cash, %", "var_1d": "one-day 95 %\nVaR, %"}
    for ax, (name, label) in zip(axes, panels.items(), strict=True):
        for i, (strategy, rows) in enumerate(frame.groupby("strategy", observed=True, sort=True)):
            line(ax, rows.sort_values("session").set_index("session")[name], color=colour(i), label=words(strategy), marker="")
        ax.plot(fallen["session"].to_numpy(), fallen[name].to_numpy(), "x", color=INK, markersize=4.5, label="Fall-back")
        in_percent(ax, label)
        ax.set_ylim(bottom=0)
    by_date(axes[-1])
    legend(figure, axes[0])
    return figure


def exposures(frame: pd.DataFrame) -> Figure:
    """Factor loadings of the newest portfolios over those of a benchmark."""
    newest = frame[frame["session"] == frame["session"].max()]
    counts = newest.groupby("benchmark", observed=True)["strategy"].nunique()
    benchmark = min(counts[counts == counts.max()].index.astype(str))
    rows = newest[newest["benchmark"] == benchmark]
    note = f"{day(rows['session'].iloc[0])}, active loadings over {words(benchmark)}; bars are 95 % intervals of the estimate."
    figure, (ax,) = canvas("Which factors do the portfolios hold more of than the benchmark?", note)
    factors, strategies = (sorted(rows[name].astype(str).unique()) for name in ("factor", "strategy"))
    for i, strategy in enumerate(strategies):
        mine = rows[rows["strategy"] == strategy].set_index(rows.loc[rows["strategy"] == strategy, "factor"].astype(str))
        mine = mine.reindex(factors)
        places = np.arange(len(factors)) + 0.6 * ((i + 0.5) / len(strategies) - 0.5)
        reach = Z * mine["active_error"].to_numpy(dtype=np.float64)
        ax.errorbar(
            places,
            mine["active"].to_numpy(dtype=np.float64),
            reach,
            fmt="o",
            color=colour(i),
            markersize=5,
            label=words(strategy),
        )
    zero(ax)
    ax.set_xticks(np.arange(len(factors)), factors)
    ax.set_ylabel("active loading")
    legend(figure, ax)
    return figure
