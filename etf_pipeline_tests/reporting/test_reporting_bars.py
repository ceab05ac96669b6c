"""Bars, intervals and curves, by hand."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etf_pipeline.reporting import formats
from etf_pipeline.reporting.bars import NAMES, intervals, stacked_bars
from etf_pipeline.reporting.svg import GAP, HEIGHT, LEFT, PANEL, RIGHT, WIDTH, bands, curves

PARTS = st.lists(st.floats(-5, 5, allow_nan=False), min_size=6, max_size=6)


def drawn(svg: str) -> list[tuple[int, float, float, float]]:
    """Colour, left end, right end and height on the page of every bar."""
    found = re.findall(r'class="area a(\d+)" x="([\d.]+)" y="(\d+)" width="([\d.]+)"', svg)
    return [(int(i), float(x), float(x) + float(width), float(y)) for i, x, y, width in found]


def marks(svg: str) -> list[float]:
    return [float(x) for x in re.findall(r'class="sum" d="M([\d.]+) ', svg)]


def zero_of(svg: str) -> float:
    return float(re.search(r'class="zero" d="M([\d.]+) ', svg).group(1))


def test_what_adds_runs_right_of_zero_what_takes_away_runs_left_and_the_mark_is_their_sum():
    parts = pd.DataFrame({"a": [3.0], "b": [-1.0], "c": [2.0]}, index=["SPY"])
    svg = str(stacked_bars(parts, formats.tick, alt="parts", caption="").svg)
    zero, unit = zero_of(svg), (drawn(svg)[0][2] - drawn(svg)[0][1]) / 3
    a, b, c = drawn(svg)
    assert (a[1], b[2]) == pytest.approx((zero, zero), abs=0.2)
    assert c[1] == pytest.approx(a[2], abs=0.2)  # stacked on the one before
    assert marks(svg) == pytest.approx([zero + 4 * unit], abs=0.3)


@given(first=PARTS, second=PARTS)
def test_lengths_are_in_proportion_and_stay_inside(first, second):
    parts = pd.DataFrame([first, second], index=["x", "y"])
    svg = str(stacked_bars(parts, formats.tick, alt="parts", caption="").svg)
    found = drawn(svg)
    assert all(left >= NAMES - 0.1 and right <= WIDTH - RIGHT + 0.5 for _, left, right, _ in found)
    lengths = {(int(y > 30), i): right - left for i, left, right, y in found}
    largest = max((abs(parts.iloc[row, i]) for row, i in lengths), default=0.0)
    unit = max(lengths.values(), default=0.0) / largest if largest > 1e-300 else 0.0
    for (row, i), length in lengths.items():
        assert length == pytest.approx(abs(parts.iloc[row, i]) * unit, abs=0.6)


def test_unknown_parts_leave_nothing_and_unused_ones_are_not_in_the_legend():
    parts = pd.DataFrame({"known": [1.0], "unknown": [np.nan], "none": [0.0]}, index=["SPY"])
    chart = stacked_bars(parts, formats.tick, alt="parts", caption="")
    assert len(drawn(str(chart.svg))) == 1
    assert [label for _, label in chart.legend] == ["Known", "Together"]


def test_a_dot_sits_in_the_middle_of_its_interval_and_unknown_ones_are_left_out():
    frame = pd.DataFrame({"value": [0.5, np.nan, 0.2], "low": [0.3, np.nan, np.nan], "high": [0.7, np.nan, np.nan]})
    svg = str(intervals({"p": frame.set_axis(["a", "b", "c"])}, formats.tick, alt="dots", caption="").svg)
    dots = [float(x) for x in re.findall(r'<circle class="dot s0" cx="([\d.]+)"', svg)]
    ends = [tuple(map(float, pair)) for pair in re.findall(r'whisker s0" d="M([\d.]+) [\d.]+H([\d.]+)"', svg)]
    assert len(dots) == 2
    ((low, high),) = ends
    assert dots[0] == pytest.approx((low + high) / 2, abs=0.11)
    assert (high - low) / (dots[0] - zero_of(svg)) == pytest.approx(0.4 / 0.5, abs=0.01)


def test_rows_of_intervals_are_those_of_every_series_in_order_of_appearance():
    one = pd.DataFrame({"value": [1.0, 2.0], "low": np.nan, "high": np.nan}, index=["a", "b"])
    other = pd.DataFrame({"value": [1.0, 2.0], "low": np.nan, "high": np.nan}, index=["c", "b"])
    chart = intervals({"one": one, "other": other}, formats.tick, alt="dots", caption="")
    assert re.findall(r'class="tick name"[^>]*>(\w)<', str(chart.svg)) == ["a", "b", "c"]
    (b_one, b_other) = (re.findall(rf'dot s{i}" cx="([\d.]+)"', str(chart.svg))[1] for i in (0, 1))
    assert b_one == b_other  # equal values stand above each other


def test_names_are_escaped():
    svg = str(stacked_bars(pd.DataFrame({"a": [1.0]}, index=["<i>"]), formats.tick, alt='"x"', caption="").svg)
    assert "<i>" not in svg
    assert 'aria-label="&#34;x&#34;"' in svg


def test_curves_have_even_steps_and_leave_unknown_points_out():
    steps = ["near", "middle", "far"]
    series = {"A": pd.Series([0.1, 0.2, 0.3], index=steps), "B": pd.Series([0.3, np.nan, 0.1], index=steps)}
    svg = str(curves(series, formats.percent_tick, alt="curves", caption="").svg)
    a = [tuple(map(float, p.split())) for p in re.search(r'line s0" d="M([^"]+)"', svg).group(1).split("L")]
    b = re.search(r'line s1" d="M([^"]+)"', svg).group(1).split("L")
    assert a[1][0] - a[0][0] == pytest.approx(a[2][0] - a[1][0], abs=0.11)
    assert a[0][1] > a[1][1] > a[2][1]  # up is up
    assert len(b) == 2
    assert [float(p.split()[0]) for p in b] == [a[0][0], a[2][0]]


def test_a_share_is_drawn_below_from_nought_to_one_and_never_above_its_panel():
    days = pd.date_range("2020-01-01", periods=200)
    states = pd.Series("bull", index=days)
    share = pd.Series(np.linspace(0, 1, 200), index=days)
    chart = bands(
        states, pd.Series(1.0, index=days), formats.tick, alt="bands", caption="", log=True, share=share, share_label="p"
    )
    path = re.search(r'class="area a1" d="M([^"]+)Z"', str(chart.svg)).group(1)
    points = [tuple(map(float, p.split())) for p in path.split("L")]
    foot, top = HEIGHT - 34 + PANEL, HEIGHT - 34 + GAP
    assert points[0] == (LEFT, foot)
    assert max(points[:200]) == (WIDTH - RIGHT, top)
    assert {y for _, y in points[200:]} == {foot}
    assert chart.legend[-1] == ("area a1", "p")
