"""Rows of bars and of intervals, drawn as SVG like the charts of `svg`: one row per name, values from left to right.

A row is tall enough for the large letters of a phone; the drawing grows with its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup, escape

from etf_pipeline.reporting.formats import words
from etf_pipeline.reporting.scales import linear_ticks
from etf_pipeline.reporting.svg import RIGHT, WIDTH, Chart

Floats = npt.NDArray[np.float64]

NAMES, ROW, FOOT, TOP = 168, 30, 34, 6
"""Units of the view box: room for names, height of a row, room for the scale, space above."""


def stacked_bars(parts: pd.DataFrame, form: Callable[[float], str], *, alt: str, caption: str, sums: bool = True) -> Chart:
    """Parts of each row as bars: what adds runs to the right of zero, what takes away to the left.

    Parameters
    ----------
    parts : DataFrame
        One row per name (the index), one column per part; unknown parts are left out.
    form : callable
        From a tick's value to its label.
    alt, caption : str
        See `Chart`.
    sums : bool, default True
        Mark where each row's parts add up to.
    """
    values = parts.fillna(0.0).to_numpy(dtype=np.float64)
    ups, downs = values.clip(min=0.0), values.clip(max=0.0)
    x = _span(float(downs.sum(axis=1).min(initial=0.0)), float(ups.sum(axis=1).max(initial=0.0)))
    starts = np.where(values >= 0, np.cumsum(ups, axis=1) - ups, np.cumsum(downs, axis=1) - downs)
    drawn = [_frame(x, [str(name) for name in parts.index], form)]
    for row in range(len(parts)):
        y = TOP + row * ROW
        for i in np.flatnonzero(values[row]):
            left, right = sorted((x(starts[row, i]), x(starts[row, i] + values[row, i])))
            drawn.append(
                Markup('<rect class="area a{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
                    i % 12, left, y + 6, max(right - left, 0.4), ROW - 12
                )
            )
        if sums:
            drawn.append(Markup('<path class="sum" d="M{:.1f} {}v{}"/>').format(x(values[row].sum()), y + 2, ROW - 4))
    used = [(i, name) for i, name in enumerate(parts.columns) if (values[:, i] != 0).any()]
    legend = [(f"area a{i % 12}", words(name)) for i, name in used] if len(parts.columns) > 1 else []
    if sums:
        legend.append(("line sum", "Together"))
    return Chart(alt, _svg(drawn, alt, len(parts)), tuple(legend), caption)


def intervals(series: Mapping[str, pd.DataFrame], form: Callable[[float], str], *, alt: str, caption: str) -> Chart:
    """Estimates with their intervals: a dot on a bar for each series, side by side in each row.

    Parameters
    ----------
    series : mapping of str to DataFrame
        By label: frames with columns ``value``, ``low`` and ``high``, indexed by the rows' names. A row without a value has
        no dot; without an interval it has no bar. Names are those of all frames, in order of appearance.
    form : callable
        From a tick's value to its label.
    alt, caption : str
        See `Chart`.
    """
    names = list(dict.fromkeys(str(name) for frame in series.values() for name in frame.index))
    everything = np.concatenate([frame[["value", "low", "high"]].to_numpy(dtype=np.float64).ravel() for frame in series.values()])
    known = everything[np.isfinite(everything)]
    x = _span(float(known.min(initial=0.0)), float(known.max(initial=0.0)))
    drawn = [_frame(x, names, form)]
    step = (ROW - 8) / len(series)
    for i, frame in enumerate(series.values()):
        for name, value, low, high in zip(frame.index, frame["value"], frame["low"], frame["high"], strict=True):
            y = TOP + names.index(str(name)) * ROW + 4 + step * (i + 0.5)
            if np.isfinite(low) and np.isfinite(high):
                ends = (x(low), y, x(high))
                drawn.append(Markup('<path class="line whisker s{}" d="M{:.1f} {:.1f}H{:.1f}"/>').format(i % 6, *ends))
            if np.isfinite(value):
                drawn.append(Markup('<circle class="dot s{}" cx="{:.1f}" cy="{:.1f}" r="3.2"/>').format(i % 6, x(value), y))
    legend = tuple((f"line whisker s{i % 6}", label) for i, label in enumerate(series))
    return Chart(alt, _svg(drawn, alt, len(names)), legend, caption)


@dataclass(frozen=True)
class Span:
    """From values to horizontal places."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        return NAMES + (value - self.low) / (self.high - self.low) * (WIDTH - RIGHT - NAMES)


def _span(low: float, high: float) -> Span:
    """Values from `low` to `high` and zero, with some space."""
    pad = 0.04 * (high - low) or 1.0
    return Span(low - pad if low < 0 else 0.0, high + pad if high > 0 or low == high else 0.0)


def _frame(x: Span, names: Sequence[str], form: Callable[[float], str]) -> Markup:
    foot = TOP + len(names) * ROW
    parts = []
    for tick in linear_ticks(x.low, x.high, 6):
        kind = "zero" if tick == 0 else "grid"
        parts.append(Markup('<path class="{}" d="M{:.1f} {}V{}"/>').format(kind, x(tick), TOP, foot))
        parts.append(
            Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                min(max(x(tick), NAMES), WIDTH - RIGHT - 14), foot + 24, form(tick)
            )
        )
    for row, name in enumerate(names):
        y = TOP + row * ROW + ROW / 2 + 4
        parts.append(Markup('<text class="tick name" x="{}" y="{:.0f}" text-anchor="end">{}</text>').format(NAMES - 12, y, name))
    return Markup("").join(parts)


def _svg(parts: Sequence[Markup], alt: str, rows: int) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, TOP + rows * ROW + FOOT, escape(alt), Markup("").join(parts)
    )
