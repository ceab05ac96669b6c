"""Where the causality check of a run cuts: short histories, stray dates, recipes that refuse a short past."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest

import etf_pipeline.definitions  # noqa: F401  registers every recipe
from etf_pipeline import calendars, causality
from etf_pipeline.errors import DataError
from etf_pipeline.orchestration.checks import CAUSALITY_SESSIONS, _cut
from etf_pipeline.recipes import RECIPES, Tables
from etf_pipeline.schemas import TABLES

DAYS = calendars.sessions("XNYS", "2018-01-02", "2023-12-29")


def table(days: pd.DatetimeIndex) -> arrow.Table:
    return arrow.table({"session": arrow.array(days.date, arrow.date32())})


def test_a_long_history_is_cut_a_year_before_its_end_and_a_short_one_in_its_middle() -> None:
    assert _cut({"fct_prices": table(DAYS)}) == DAYS[-CAUSALITY_SESSIONS]
    assert _cut({"fct_prices": table(DAYS[:100])}) == DAYS[50]


@pytest.mark.parametrize("stray", ["1970-01-01", "2999-12-31"])
def test_a_stray_date_hardly_moves_the_cut(stray: str) -> None:
    odd = arrow.table({"session": arrow.array([*DAYS.date, dt.date.fromisoformat(stray)], arrow.date32())})
    cut = _cut({"stg_prices": odd})
    assert abs(DAYS.get_loc(cut) - (len(DAYS) - CAUSALITY_SESSIONS)) <= 1


def refusing(minimum: int, first: int) -> tuple[dict[str, arrow.Table], dict[str, arrow.Table], object]:
    """Features of one fund from the row `first` on, by a recipe that refuses fewer than `minimum` sessions."""
    returns = pd.DataFrame(
        {
            "session": DAYS,
            "ticker": "A",
            "total_return": 0.01,
            "open_return": 0.01,
            "index_close": np.linspace(1, 2, len(DAYS)),
            "index_open": 1.0,
            "gap_days": 1,
        }
    )
    inputs = {"fct_returns": TABLES["fct_returns"].to_arrow(returns)}

    def run(given: Tables, parameters: object, cache: object) -> dict[str, arrow.Table]:
        if given["fct_returns"].num_rows < minimum:
            raise DataError("too short")
        return {"fct_returns": given["fct_returns"].slice(first)}

    recipe = replace(RECIPES["fct_returns"], run=run, inputs=("fct_returns",))
    return inputs, run(inputs, None, None), recipe


def test_a_recipe_may_refuse_a_past_in_which_it_had_no_rows_yet() -> None:
    inputs, made, recipe = refusing(minimum=600, first=600)
    assert causality.verify(recipe, inputs, made, DAYS[300], mode="truncate") == []


def test_a_recipe_that_refuses_the_past_of_rows_that_it_has_is_not_causal() -> None:
    inputs, made, recipe = refusing(minimum=600, first=100)
    (found,) = causality.verify(recipe, inputs, made, DAYS[300], mode="truncate")
    assert "too short" in found
