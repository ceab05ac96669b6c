"""Formats, scales and drawings, by hand."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etf_pipeline.reporting import formats, palette
from etf_pipeline.reporting.page import Column, grid
from etf_pipeline.reporting.scales import linear_ticks, log_ticks, spells, thin, year_ticks
from etf_pipeline.reporting.svg import HEIGHT, LEFT, RIGHT, WIDTH, bands, lines, stacked

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)


def plain(text: str) -> str:
    return text.replace(formats.SPACE, " ").replace(formats.NBSP, " ")


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        (formats.percent, 0.0712, "7.1 %"),
        (formats.percent, -0.0712, "−7.1 %"),
        (formats.percent, -0.0001, "0.0 %"),
        (formats.percent, np.nan, "–"),
        (formats.basis_points, 0.0023, "23.0 bp"),
        (formats.count, 1_234_567, "1,234,567"),
        (formats.count, 1234.56, "1,235"),
        (formats.tick, 0.1 + 0.2, "0.3"),
        (formats.percent_tick, -0.07, "−7 %"),
        (formats.probability, 0.0004, "< 0.001"),
        (formats.probability, 0.0514, "0.051"),
        (formats.squared, 0.0020, "20.00"),
        (formats.flag, True, "yes"),
        (formats.flag, np.bool_(False), "no"),
        (formats.day, pd.NaT, "–"),
        (formats.text, None, "–"),
        (formats.number, pd.NA, "–"),
        (formats.words, "var_limit", "VaR limit"),
        (formats.words, "VAS.AX", "VAS.AX"),
    ],
)
def test_values_are_shown_as_people_write_them(form, value, shown):
    assert plain(form(value)) == shown


@given(value=NUMBERS, digits=st.integers(0, 4), signed=st.booleans())
def test_a_shown_number_reads_back_and_a_rounded_zero_has_no_sign(value, digits, signed):
    shown = formats.number(value, digits, signed=signed)
    read = float(shown.replace(",", "").replace("−", "-"))
    assert read == pytest.approx(value, abs=0.5 * 10.0**-digits + 1e-6)
    assert (shown[0] in "+−") == (read != 0 and (value < 0 or signed))


def test_long_titles_are_cut_with_an_ellipsis():
    assert formats.shorten("Global financial crisis", 10) == "Global fi…"
    assert formats.shorten("short", 10) == "short"


@given(low=NUMBERS, span=st.floats(1e-6, 1e9), n=st.integers(3, 8))
def test_linear_ticks_are_even_and_inside(low, span, n):
    high = low + span
    ticks = linear_ticks(low, high, n)
    slack = 1e-6 * (abs(low) + span)
    assert all(low - slack <= t <= high + slack for t in ticks)
    assert len(ticks) <= n + 1
    if span > 1e-3 * abs(low):
        assert len(ticks) >= 1
        assert np.ptp(np.diff(ticks)) <= slack if len(ticks) > 2 else True


def test_log_ticks_fall_back_to_even_steps_where_the_span_is_short():
    assert log_ticks(0.5, 300) == [1.0, 10.0, 100.0]  # nine at 1, 2 and 5 are too many
    assert log_ticks(1.01e6, 1.29e6) == [1.1e6, 1.2e6]


def test_months_are_named_where_the_span_is_short():
    ticks = year_ticks(pd.Timestamp("2023-03-15"), pd.Timestamp("2023-08-20"))
    assert [t.month for t in ticks] == [4, 5, 6, 7, 8]
    assert year_ticks(pd.Timestamp("2023-03-15"), pd.Timestamp("2023-03-15")) == [pd.Timestamp("2023-03-15")]


@given(n=st.integers(1, 3000), limit=st.integers(2, 600))
def test_thinning_keeps_the_last_row_and_the_limit(n, limit):
    rows = pd.Series(np.arange(n))
    kept = thin(rows, limit)
    assert len(kept) <= limit
    assert kept.iloc[-1] == n - 1
    assert kept.is_monotonic_increasing


def test_spells_are_runs_of_equal_states():
    days = pd.date_range("2024-01-01", periods=6)
    found = spells(pd.Series(["bull", "bull", "bear", "bull", "bull", "bull"], index=days))
    assert found == [(days[0], days[1], "bull", 2), (days[2], days[2], "bear", 1), (days[3], days[5], "bull", 3)]
    assert spells(pd.Series([], dtype=object)) == []


def test_the_first_and_last_points_of_a_line_touch_both_edges():
    days = pd.date_range("2020-01-01", "2023-12-31", freq="MS")
    chart = lines({"A": pd.Series(np.linspace(1, 2, len(days)), index=days)}, str, alt="a line", caption="")
    path = re.search(r'class="line s0" d="M([^"]+)"', chart.svg).group(1)
    points = [tuple(map(float, p.split())) for p in path.split("L")]
    assert points[0][0] == LEFT
    assert points[-1][0] == WIDTH - RIGHT
    assert points[0][1] > points[-1][1]  # up is up
    assert all(0 <= y <= HEIGHT for _, y in points)


def test_a_log_scale_makes_equal_growth_equal_distance():
    days = pd.date_range("2020-01-01", periods=3, freq="YS")
    chart = lines({"A": pd.Series([1.0, 2.0, 4.0], index=days)}, str, alt="a line", caption="", log=True)
    y = [float(v) for v in re.findall(r"[ML][\d.]+ ([\d.]+)", re.search(r'class="line s0" d="([^"]+)"', chart.svg).group(1))]
    assert y[0] - y[1] == pytest.approx(y[1] - y[2], abs=0.11)


def test_alt_texts_and_labels_are_escaped():
    days = pd.date_range("2020-01-01", periods=3)
    chart = lines({"<b>": pd.Series([1.0, 2.0, 3.0], index=days)}, lambda v: "<i>", alt='a "quoted" <alt>', caption="")
    assert "<i>" not in chart.svg
    assert "<alt>" not in chart.svg
    assert 'aria-label="a &#34;quoted&#34; &lt;alt&gt;"' in chart.svg


def test_stacked_areas_end_at_the_sum():
    days = pd.date_range("2020-01-31", periods=4, freq="ME")
    wide = pd.DataFrame({"member": [1, 2, 3, 4], "stale": [4, 3, 2, 1]}, index=days)
    chart = stacked(wide, formats.count, alt="areas", caption="")
    top = re.search(r'class="area a1" d="M([^"]+)Z"', chart.svg).group(1)
    edge = [tuple(map(float, p.split())) for p in top.split("L")]
    assert {y for _, y in edge[:4]} == {12.0}  # five funds in every month: the upper edge is flat, at the top
    member = re.search(r'class="area a0" d="M([^"]+)Z"', chart.svg).group(1)
    assert [tuple(map(float, p.split())) for p in member.split("L")[:4]] == edge[:3:-1]  # it rests on the one below


def test_bars_are_as_long_as_the_size_of_their_value():
    frame = pd.DataFrame({"name": ["a", "b", "c", "d"], "value": [0.2, -0.4, 0.0, np.nan]})
    columns = (Column("Name", "name", numeric=False), Column("Value", "value", formats.percent, bar=True))
    (group,) = grid(frame, columns, "values").groups
    assert [row[1].bar for row in group.rows] == [50.0, 100.0, 0.0, None]
    assert [plain(row[1].text) for row in group.rows] == ["20.0 %", "−40.0 %", "0.0 %", "–"]


def test_groups_keep_the_order_of_the_rows():
    frame = pd.DataFrame({"book": ["z", "z", "a"], "name": [1, 2, 3]})
    groups = grid(frame, (Column("Name", "name", formats.count),), "rows", by="book", title=formats.words).groups
    assert [(g.title, [row[0].text for row in g.rows]) for g in groups] == [("Z", ["1", "2"]), ("A", ["3"])]


def test_bands_cover_the_time_axis_without_gaps():
    days = pd.date_range("2020-01-01", periods=300)
    states = pd.Series(np.repeat(["unknown", "bull", "bear"], 100), index=days)
    chart = bands(states, pd.Series(np.nan, index=days), formats.percent, alt="bands", caption="")
    found = [(float(x), float(w)) for x, w in re.findall(r'class="band \w+" x="([\d.]+)" y="\d+" width="([\d.]+)"', chart.svg)]
    assert found[0][0] == LEFT
    for (x, width), (after, _) in itertools.pairwise(found):
        assert x + width == pytest.approx(after, abs=0.11)
    assert found[-1][0] + found[-1][1] == pytest.approx(WIDTH - RIGHT, abs=0.11)


def _luminance(shade: str) -> float:
    parts = [int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_stand_out_from_their_page():
    # WCAG 2.2: 4.5 for text, 3 for graphical objects; the first six series draw lines
    assert _contrast(palette.INK, palette.PAPER) > 7
    assert _contrast(palette.MUTED, palette.PAPER) > 4.5
    assert all(_contrast(shade, palette.PAPER) >= 3 for shade in palette.SERIES[:6])
    assert all(_contrast(shade, "#14181d") >= 4.5 for shade in palette.SERIES_DARK)
    assert len(palette.SERIES) == len(palette.SERIES_DARK) == len(set(palette.SERIES))
