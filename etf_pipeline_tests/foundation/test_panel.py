"""Long to wide and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Panel, wide


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ABCDE")), unique=True, min_size=1))
def test_wide_equals_pivot_and_long_undoes_it(cells: list[tuple[int, str]]) -> None:
    frame = pd.DataFrame(
        {
            "session": [pd.Timestamp("2024-01-01") + pd.Timedelta(days=d) for d, _ in cells],
            "ticker": [t for _, t in cells],
            "x": range(len(cells)),
        }
    )
    panel = Panel.of(frame)
    array = panel.wide(frame["x"])
    pivot = frame.pivot(index="session", columns="ticker", values="x")
    np.testing.assert_array_equal(array, pivot.to_numpy(dtype=float))
    assert list(panel.tickers) == list(pivot.columns)
    pd.testing.assert_series_equal(panel.long(x=array)["x"], frame["x"].astype(float))
    np.testing.assert_array_equal(wide(frame, "x", panel.sessions, panel.tickers), array)


def test_rows_off_the_axes_are_left_out() -> None:
    frame = pd.DataFrame({"session": pd.to_datetime(["2024-01-02", "2024-01-03"]), "ticker": ["A", "B"], "x": [1.0, 2.0]})
    array = wide(frame, "x", pd.DatetimeIndex(["2024-01-02"]), pd.Index(["A", "C"]))
    np.testing.assert_array_equal(array, [[1.0, np.nan]])


def test_an_array_of_another_shape_is_refused() -> None:
    frame = pd.DataFrame({"session": pd.to_datetime(["2024-01-02"]), "ticker": ["A"]})
    with pytest.raises(DataError, match=r"\(1, 1\)"):
        Panel.of(frame).long(x=np.zeros((2, 1)))
