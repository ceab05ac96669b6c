"""Small charts drawn as SVG inside the report: they follow the page into the dark, print sharply and need no network.

Colours, dashes and letter sizes are classes of the report's style sheet; a chart holds only geometry and its own description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup, escape

from etf_pipeline.reporting.formats import percent_tick, words
from etf_pipeline.reporting.scales import linear_ticks, log_ticks, spells, thin, year_ticks

Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT = 760, 270
LEFT, RIGHT, TOP, BOTTOM = 66, 10, 12, 34
"""Units of the view box, and what is left for labels."""
PANEL, GAP = 96, 18
"""Height that a second panel adds below, and the space above it."""


@dataclass(frozen=True)
class Chart:
    """A drawing with its legend.

    Attributes
    ----------
    alt : str
        What it shows, in words, for readers who do not see it.
    svg : Markup
        The drawing.
    legend : tuple of (str, str)
        Class and label of every series.
    caption : str
        Line under the drawing: how to read it, units included.
    """

    alt: str
    svg: Markup
    legend: tuple[tuple[str, str], ...]
    caption: str


@dataclass(frozen=True)
class Scale:
    """From dates and values to the view box."""

    first: pd.Timestamp
    last: pd.Timestamp
    low: float
    high: float
    log: bool = False

    def x(self, dates: pd.DatetimeIndex) -> Floats:
        """Horizontal places of dates."""
        span = max((self.last - self.first) / pd.Timedelta(days=1), 1.0)
        days = np.asarray((dates - self.first) / pd.Timedelta(days=1), dtype=np.float64)
        return LEFT + days / span * (WIDTH - LEFT - RIGHT)

    def y(self, values: npt.ArrayLike) -> Floats:
        """Vertical places of values."""
        v, low, high = np.asarray(values, dtype=np.float64), self.low, self.high
        if self.log:
            v, low, high = np.log(v), np.log(low), np.log(high)
        return HEIGHT - BOTTOM - (v - low) / (high - low) * (HEIGHT - TOP - BOTTOM)


def lines(
    series: Mapping[str, pd.Series[Any]],
    form: Callable[[float], str],
    *,
    alt: str,
    caption: str,
    log: bool = False,
    dots: bool = False,
) -> Chart:
    """Series by date, one line each.

    Parameters
    ----------
    series : mapping of str to Series
        Values by date, by label; unknown ones are left out.
    form : callable
        From a tick's value to its label.
    alt, caption : str
        See `Chart`.
    log : bool, default False
        Logarithmic scale; values are positive then.
    dots : bool, default False
        Mark every point.
    """
    known = {label: values.dropna() for label, values in series.items()}
    scale = _scale(known.values(), log)
    parts = [_axes(scale, form)]
    for i, values in enumerate(known.values()):
        shown = values if dots else thin(values, 380)
        x, y = scale.x(pd.DatetimeIndex(shown.index)), scale.y(shown.to_numpy(dtype=np.float64))
        parts.append(Markup('<path class="line s{}" d="{}"/>').format(i % 6, _path(x, y)))
        if dots or len(shown) == 1:
            parts += [
                Markup('<circle class="dot s{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(i % 6, *at)
                for at in zip(x, y, strict=True)
            ]
    legend = tuple((f"line s{i % 6}", label) for i, label in enumerate(known))
    return Chart(alt, _svg(parts, alt), legend, caption)


def stacked(wide: pd.DataFrame, form: Callable[[float], str], *, alt: str, caption: str) -> Chart:
    """Areas on top of each other: one row per date, one column per part, the first at the bottom."""
    shown = thin(wide, 380)
    top = np.cumsum(shown.to_numpy(dtype=np.float64), axis=1)
    dates = pd.DatetimeIndex(shown.index)
    scale = Scale(dates[0], dates[-1], 0.0, max(float(top.max()), 1.0))
    x = scale.x(dates)
    parts = []
    for i in range(top.shape[1]):
        below = top[:, i - 1] if i else np.zeros(len(x))
        outline = _path(np.append(x, x[::-1]), scale.y(np.append(top[:, i], below[::-1])))
        parts.append(Markup('<path class="area a{}" d="{}Z"/>').format(i % 12, outline))
    legend = tuple((f"area a{i % 12}", words(name)) for i, name in enumerate(shown.columns))
    return Chart(alt, _svg([*parts, _axes(scale, form)], alt), legend, caption)


def bands(
    states: pd.Series[Any],
    values: pd.Series[Any],
    form: Callable[[float], str],
    *,
    alt: str,
    caption: str,
    log: bool = False,
    share: pd.Series[Any] | None = None,
    share_label: str = "",
) -> Chart:
    """A line over bands that show which state held when.

    Parameters
    ----------
    states, values : Series
        State and value by date.
    form : callable
        From a tick's value to its label.
    alt, caption : str
        See `Chart`.
    log : bool, default False
        Logarithmic scale; values are positive then.
    share : Series, optional
        Fractions by date, drawn as an area of their own below, from 0 to 1.
    share_label : str, optional
        Its place in the legend.
    """
    known = values.dropna()
    scale = _scale([known if len(known) else pd.Series(1.0, index=states.index)], log=log, within=states.index)
    runs = spells(states)
    starts = scale.x(pd.DatetimeIndex([run[0] for run in runs]))
    ends = np.append(starts[1:], WIDTH - RIGHT)
    height = HEIGHT + (0 if share is None else PANEL)
    parts = [
        Markup('<rect class="band {}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
            run[2], start, TOP, max(end - start, 0.6), height - TOP - BOTTOM
        )
        for run, start, end in zip(runs, starts, ends, strict=True)
    ]
    shown = thin(known, 380)
    path = _path(scale.x(pd.DatetimeIndex(shown.index)), scale.y(shown.to_numpy(dtype=np.float64)))
    parts += [_axes(scale, form, height), Markup('<path class="line s0" d="{}"/>').format(path)]
    legend = [(f"band {state}", words(state)) for state in sorted({run[2] for run in runs})]
    if share is not None:
        parts.append(_panel(scale, share))
        legend.append(("area a1", share_label))
    return Chart(alt, _svg(parts, alt, height), tuple(legend), caption)


def _panel(scale: Scale, share: pd.Series[Any]) -> Markup:
    """Fractions as an area under the main drawing, on the same dates."""
    known = thin(share.dropna(), 380)
    x = scale.x(pd.DatetimeIndex(known.index))
    foot, top = HEIGHT - BOTTOM + PANEL, HEIGHT - BOTTOM + GAP
    y = foot - known.to_numpy(dtype=np.float64) * (foot - top)
    outline = _path(np.append(x, x[::-1]), np.append(y, np.full(len(x), float(foot))))
    parts = [Markup('<path class="area a1" d="{}Z"/>').format(outline)] if len(known) else []
    for value, at in ((0.0, foot), (0.5, (foot + top) / 2), (1.0, top)):
        parts.append(Markup('<path class="grid" d="M{} {:.1f}H{}"/>').format(LEFT, at, WIDTH - RIGHT))
        parts.append(_label(LEFT - 8, at + 3.5, percent_tick(value), "end"))
    return Markup("").join(parts)


def curves(
    series: Mapping[str, pd.Series[Any]],
    form: Callable[[float], str],
    *,
    alt: str,
    caption: str,
) -> Chart:
    """Series over a few named steps, evenly spaced, one line each with its points marked.

    Parameters
    ----------
    series : mapping of str to Series
        Values by step, by label, all with the same steps; unknown ones are left out.
    form : callable
        From a tick's value to its label.
    alt, caption : str
        See `Chart`.
    """
    steps = next(iter(series.values())).index
    known = [values.dropna().astype(float) for values in series.values()]
    low, high = min(v.min() for v in known), max(v.max() for v in known)
    pad = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    scale = Scale(pd.Timestamp(0), pd.Timestamp(0), min(0.0, low - pad), high + pad)
    places = dict(zip(steps, np.linspace(LEFT + 40, WIDTH - RIGHT - 50, len(steps)), strict=True))
    parts = [_levels(scale, form)]
    parts += [_label(float(x), HEIGHT - 10, str(step), "middle") for step, x in places.items()]
    for i, values in enumerate(known):
        x, y = np.array([places[step] for step in values.index]), scale.y(values.to_numpy())
        parts.append(Markup('<path class="line s{}" d="{}"/>').format(i % 6, _path(x, y)))
        dot = Markup('<circle class="dot s{}" cx="{:.1f}" cy="{:.1f}" r="3.5"/>')
        parts += [dot.format(i % 6, *at) for at in zip(x, y, strict=True)]
    return Chart(alt, _svg(parts, alt), tuple((f"line s{i % 6}", label) for i, label in enumerate(series)), caption)


def _scale(series: Any, log: bool, within: pd.Index[Any] | None = None) -> Scale:
    filled = [values for values in series if len(values)]
    dates = [within] if within is not None else [values.index for values in filled]
    first, last = min(d.min() for d in dates), max(d.max() for d in dates)
    low, high = min(float(v.min()) for v in filled), max(float(v.max()) for v in filled)
    if log:
        return Scale(first, last, low / 1.05, high * 1.05, log=True)
    pad = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    return Scale(first, last, min(low - pad, 0.0), max(high + pad, 0.0))


def _levels(scale: Scale, form: Callable[[float], str]) -> Markup:
    """Horizontal lines with their values."""
    ticks = log_ticks(scale.low, scale.high) if scale.log else linear_ticks(scale.low, scale.high)
    parts = []
    for tick, y in zip(ticks, scale.y(ticks), strict=True):
        kind = "zero" if tick == 0 else "grid"
        parts.append(Markup('<path class="{}" d="M{} {:.1f}H{}"/>').format(kind, LEFT, y, WIDTH - RIGHT))
        parts.append(_label(LEFT - 8, y + 3.5, form(tick), "end"))
    return Markup("").join(parts)


def _axes(scale: Scale, form: Callable[[float], str], height: int = HEIGHT) -> Markup:
    days = year_ticks(scale.first, scale.last, 6)
    pattern = "%Y" if all(d.month == 1 for d in days) else "%b %Y"
    places = np.clip(scale.x(pd.DatetimeIndex(days)), LEFT + 14, WIDTH - RIGHT - 16)
    named = [_label(x, height - 10, f"{day:{pattern}}", "middle") for day, x in zip(days, places, strict=True)]
    return Markup("").join([_levels(scale, form), *named])


def _label(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _path(x: Floats, y: Floats) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)) if len(x) else ""


def _svg(parts: Sequence[Markup], alt: str, height: int = HEIGHT) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, escape(alt), Markup("").join(parts)
    )
