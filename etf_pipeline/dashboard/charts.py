"""The charts: Vega-Lite specifications as SVG, in the palette of the report, drawn by the library that Streamlit brings."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import altair as alt
import pandas as pd
import streamlit as st

from etf_pipeline.reporting.formats import words
from etf_pipeline.reporting.palette import MUTED, REST, SERIES, SERIES_DARK

Drawn = TypeVar("Drawn", alt.Chart, alt.LayerChart)
HEIGHT: Final = 340
ROW_HEIGHT: Final = 24
SVG: Final = {"embedOptions": {"renderer": "svg", "actions": False}}
"""A drawing whose marks are elements: sharp in print, and readable by who does not see it."""


def colours() -> tuple[str, ...]:
    """The series colours for the page's light or dark paper."""
    return SERIES_DARK if st.context.theme.type == "dark" else SERIES


def lines(
    rows: pd.DataFrame, y: str, by: str = "", *, x: str = "session", form: str = "", title: str = "", log: bool = False
) -> alt.Chart:
    """One line per value of `by`, over time."""
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False)
    encoding: dict[str, Any] = {
        "x": alt.X(f"{x}:T", title=None),
        "y": alt.Y(f"{y}:Q", title=title or words(y), scale=scale, axis=alt.Axis(format=form) if form else alt.Axis()),
        "tooltip": [
            alt.Tooltip(f"{x}:T", title="Session"),
            *([f"{by}:N"] if by else []),
            alt.Tooltip(f"{y}:Q", format=form or ".3f"),
        ],
    }
    if by:
        encoding["color"] = _colour(by, sorted(rows[by].unique()))
    chart: alt.Chart = alt.Chart(rows).mark_line(strokeWidth=1.6, color=colours()[0]).encode(**encoding)
    return _finished(chart)


def bars(
    rows: pd.DataFrame, value: str, name: str, *, by: str = "", form: str = "", title: str = "", ordered: str | None = None
) -> alt.Chart:
    """One horizontal bar per row, or stacked by `by`; in the order of the rows unless a column orders them."""
    order = list(dict.fromkeys(rows[name])) if ordered is None else alt.EncodingSortField(ordered)
    encoding: dict[str, Any] = {
        "x": alt.X(
            f"{value}:Q", title=title or words(value), axis=alt.Axis(format=form, tickCount=6) if form else alt.Axis(tickCount=6)
        ),
        "y": alt.Y(f"{name}:N", title=None, sort=order, axis=alt.Axis(labelLimit=180, labelOverlap=False)),
        "tooltip": [f"{name}:N", *([f"{by}:N"] if by else []), alt.Tooltip(f"{value}:Q", format=form or ".3f")],
    }
    if by:
        narrow = int(rows[name].astype(str).str.len().max()) > 20  # long names leave a phone little width beside them
        encoding["color"] = _colour(by, sorted(str(one) for one in rows[by].dropna().unique()), 1 if narrow else 0)
    chart: alt.Chart = alt.Chart(rows).mark_bar(color=colours()[0]).encode(**encoding)
    return _finished(chart, _tall(rows[name].nunique(), bool(by)))


def intervals(rows: pd.DataFrame, value: str, error: str, name: str, *, by: str = "", title: str = "") -> alt.LayerChart:
    """A point per row with twice its standard error on either side."""
    spread = rows.assign(low=rows[value] - 2 * rows[error], high=rows[value] + 2 * rows[error])
    y = alt.Y(f"{name}:N", title=None, sort=list(dict.fromkeys(rows[name])), axis=alt.Axis(labelOverlap=False))
    offset: dict[str, Any] = {}
    if by:
        offset = {"yOffset": alt.YOffset(f"{by}:N"), "color": _colour(by, sorted(rows[by].unique()))}
    base = alt.Chart(spread).encode(y=y, **offset)
    span = base.mark_rule(strokeWidth=2, color=MUTED).encode(x=alt.X("low:Q", title=title or words(value)), x2="high:Q")
    point = base.mark_point(filled=True, size=60, opacity=1, color=colours()[0]).encode(
        x=f"{value}:Q", tooltip=[f"{name}:N", alt.Tooltip(f"{value}:Q", format=".3f"), alt.Tooltip(f"{error}:Q", format=".3f")]
    )
    layers: alt.LayerChart = span + point
    return _finished(layers, _tall(rows[name].nunique() * (rows[by].nunique() if by else 1), bool(by)))


def weights(rows: pd.DataFrame) -> alt.LayerChart:
    """A bar per fund for its weight, and a tick where it stood before."""
    order = list(rows["ticker"])
    y = alt.Y("ticker:N", title=None, sort=order, axis=alt.Axis(labelOverlap=False))
    classed = rows.assign(asset_class=rows["asset_class"].fillna("none"))
    bar = (
        alt.Chart(classed)
        .mark_bar()
        .encode(
            y=y,
            x=alt.X("weight:Q", title="Weight; the tick is the weight before", axis=alt.Axis(format="%", tickCount=6)),
            color=_colour("asset_class", sorted(classed["asset_class"].unique())),
            tooltip=["ticker:N", "name:N", alt.Tooltip("weight:Q", format=".2%"), alt.Tooltip("trade:Q", format="+.2%")],
        )
    )
    tick = alt.Chart(classed).mark_tick(thickness=2, color="#8a95a3").encode(y=y, x="previous_weight:Q")
    layers: alt.LayerChart = bar + tick
    return _finished(layers, _tall(len(order), True))


def regimes(path: pd.DataFrame, spells: pd.DataFrame) -> alt.LayerChart:
    """The market's index over the spells of each regime; an open spell reaches to the newest session."""
    shades = {"bull": SERIES[5], "bear": SERIES[3], "sideways": REST}
    closed = spells.assign(end=spells["end"].fillna(path["session"].max()))
    known = closed[closed["regime"].isin(list(shades))]
    scale = alt.Scale(domain=list(shades), range=list(shades.values()))
    band = (
        alt.Chart(known)
        .mark_rect(opacity=0.3)
        .encode(
            x=alt.X("start:T", title=None),
            x2="end:T",
            color=alt.Color("regime:N", title=None, scale=scale, legend=alt.Legend(orient="top")),
            tooltip=["regime:N", "start:T", "end:T", alt.Tooltip("market_return:Q", format="+.1%")],
        )
    )
    y = alt.Y("index_close:Q", title="Index of the market", scale=alt.Scale(type="log", nice=False))
    line = alt.Chart(path).mark_line(strokeWidth=1.6, color=colours()[0]).encode(x="session:T", y=y)
    layers: alt.LayerChart = band + line
    return _finished(layers)


def _tall(rows: int, legend: bool) -> int:
    """Height of a chart with so many rows: the axis and the legend stand inside it."""
    return ROW_HEIGHT * rows + 70 + (60 if legend else 0)


def _colour(by: str, values: list[str], columns: int = 0) -> alt.Color:
    scale = alt.Scale(domain=values, range=[colours()[i % len(SERIES)] for i in range(len(values))])
    columns = columns or (2 if max(map(len, values), default=0) > 12 else 3)
    legend = alt.Legend(orient="top", columns=columns, labelLimit=170)
    return alt.Color(f"{by}:N", title=None, scale=scale, legend=legend)


def _finished(chart: Drawn, height: int = HEIGHT) -> Drawn:
    return chart.properties(height=height, width="container", usermeta=SVG)
