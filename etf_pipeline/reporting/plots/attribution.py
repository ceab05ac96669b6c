"""Pictures of attribution: what the return over the benchmark was made of, month after month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from etf_pipeline.reporting.figures import by_date, canvas, in_percent, legend, line
from etf_pipeline.reporting.formats import words
from etf_pipeline.reporting.palette import colour

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PREFERRED = ("max_sharpe", "risk_parity")
"""Strategies that are drawn first."""


def holdings(frame: pd.DataFrame) -> Figure:
    """What each strategy's return over its first benchmark was made of."""
    return _summed(
        frame, "effect", ("allocation", "selection", "interaction", "trading", "costs"), "Effects summed over months, unlinked."
    )


def factors(frame: pd.DataFrame) -> Figure:
    """What priced factors explain of each strategy's return over the bill."""
    bill = frame[frame["benchmark"] == "bill"]
    named = [str(n) for n in pd.unique(frame["factor"])]
    return _summed(bill if len(bill) else frame, "factor", tuple(named), "Contributions summed over months, unlinked.")


def _summed(frame: pd.DataFrame, column: str, parts: tuple[str, ...], note: str) -> Figure:
    present = [str(s) for s in sorted(frame["strategy"].unique())]
    chosen = ([s for s in PREFERRED if s in present] + [s for s in present if s not in PREFERRED])[:2]
    against = str(frame.loc[frame["strategy"] == chosen[0], "benchmark"].iloc[0])
    rows = frame[frame["benchmark"] == against]
    title = f"What the return over {words(against)} was made of"
    figure, axes = canvas(title, note, rows=len(chosen), sharex=True)
    for ax, strategy in zip(axes, chosen, strict=True):
        own = rows[rows["strategy"] == strategy]
        wide = own.pivot_table(index="month", columns=column, values="value", aggfunc="sum", observed=True).fillna(0.0)
        for i, part in enumerate(p for p in parts if p in wide.columns):
            line(ax, wide[part].cumsum(), color=colour(i), label=words(part))
        ax.axhline(0.0, color="#999999", linewidth=0.8)
        in_percent(ax, f"{words(strategy)}, %")
    by_date(axes[-1])
    legend(figure, axes[0])
    return figure
