"""The house look of the pictures in the Dagster UI: title that says what is shown, thin grid, units on the axes.

Drawn on matplotlib's `Figure` itself: no pyplot, so no global state and nothing to close. matplotlib is imported on first use.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etf_pipeline.conventions import BPS, PERCENT
from etf_pipeline.reporting.formats import short_money, tick
from etf_pipeline.reporting.palette import GRID, INK, MUTED, PAPER
from etf_pipeline.reporting.scales import log_ticks, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, DPI = 900, 420, 100
"""Pixels of a picture, and dots per inch."""


def canvas(title: str, note: str = "", *, rows: int = 1, columns: int = 1, **layout: Any) -> tuple[Figure, list[Axes]]:
    """An empty picture in the house look: its title, a line that says how to read it, and its axes.

    Parameters
    ----------
    title, note : str
        What the picture shows, and how to read it.
    rows, columns : int, default 1
        Panels.
    **layout
        Passed to ``Figure.subplots`` (`sharex`, `sharey`, `height_ratios`).
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    below_title = ConstrainedLayoutEngine(rect=(0.004, 0.004, 0.99, 0.86))
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=PAPER, layout=below_title)
    figure.text(0.012, 0.975, title, ha="left", va="top", fontsize=12.5, fontweight="bold", color=INK)
    figure.text(0.012, 0.91, note, ha="left", va="top", fontsize=9, color=MUTED)
    axes = list(figure.subplots(rows, columns, squeeze=False, **layout).flat)
    for ax in axes:
        _plain(ax)
    return figure, axes


def _plain(ax: Axes) -> None:
    ax.grid(True, color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(MUTED)
    ax.tick_params(colors=MUTED, labelsize=8.5, length=0, labelcolor=INK)
    ax.yaxis.label.set(color=MUTED, fontsize=9)
    ax.xaxis.label.set(color=MUTED, fontsize=9)


def blank(title: str, why: str = "The table has no rows yet.") -> Figure:
    """A picture that says why there is nothing to see."""
    figure, (ax,) = canvas(title)
    ax.set_axis_off()
    ax.text(0.5, 0.5, why, ha="center", va="center", fontsize=11, color=MUTED, transform=ax.transAxes)
    return figure


def line(ax: Axes, values: pd.Series[Any], **style: Any) -> None:
    """Draw a series by date, thinned to what the picture can show; a few points carry markers."""
    shown = thin(values.dropna())
    if len(shown) < 40:
        style = {"marker": "o", "markersize": 3, **style}
    ax.plot(shown.index.to_numpy(), shown.to_numpy(dtype=np.float64), **{"linewidth": 1.3, **style})


def zero(ax: Axes) -> None:
    """Mark zero."""
    ax.axhline(0, color=MUTED, linewidth=0.8)


def legend(figure: Figure, ax: Axes, title: str = "") -> None:
    """The legend of an axis, to the right of the picture, each label once."""
    handles, labels = ax.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    if once:
        figure.legend(
            list(once.values()),
            list(once),
            loc="outside right center",
            frameon=False,
            fontsize=8.5,
            labelcolor=INK,
            title=title or None,
            title_fontproperties={"size": 8.5, "weight": "bold"},
            alignment="left",
            handlelength=1.4,
        )


def in_percent(ax: Axes, label: str, *, axis: str = "y") -> None:
    """An axis of fractions, read in percent."""
    _read(ax, label, axis, lambda value: tick(value / PERCENT))


def in_basis_points(ax: Axes, label: str, *, axis: str = "y") -> None:
    """An axis of fractions, read in basis points."""
    _read(ax, label, axis, lambda value: tick(value / BPS))


def in_logs(ax: Axes, label: str, *, axis: str = "y") -> None:
    """A logarithmic axis with readable ticks."""
    which = ax.yaxis if axis == "y" else ax.xaxis
    (ax.set_yscale if axis == "y" else ax.set_xscale)("log")
    low, high = ax.get_ylim() if axis == "y" else ax.get_xlim()
    which.set_minor_locator(_null())
    which.set_ticks(log_ticks(low, high))
    _read(ax, label, axis, short_money)


def _null() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def _read(ax: Axes, label: str, axis: str, form: Callable[[float], str]) -> None:
    from matplotlib.ticker import FuncFormatter

    which = ax.yaxis if axis == "y" else ax.xaxis
    which.set_major_formatter(FuncFormatter(lambda value, _: form(float(f"{value:.10g}"))))
    which.set_label_text(label)


def by_date(ax: Axes) -> None:
    """A time axis that names only what changes from tick to tick."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=10)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    ax.margins(x=0.01)


def png(figure: Figure) -> bytes:
    """The picture as PNG, equal for equal pictures: without a date or the software's version, on 128 colours."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    agg = FigureCanvasAgg(figure)
    agg.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(agg.buffer_rgba())  # type: ignore[no-untyped-call]
    image = Image.fromarray(pixels[..., :3].copy())
    out = io.BytesIO()
    image.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
