"""What people read: the market context has one row per dimension, the replay says on which side each fund came out."""

from __future__ import annotations

import pandas as pd
import pytest

import etf_pipeline.definitions  # noqa: F401  registers every recipe
from etf_pipeline.macro.replays import REPLAY_COLUMNS
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.schemas.macro import MACRO_DIMENSIONS


def made(name: str, **frames: pd.DataFrame) -> pd.DataFrame:
    recipe = RECIPES[name]
    tables = {}
    for table, frame in frames.items():
        blank = from_arrow(TABLES[table].arrow_schema.empty_table())
        tables[table] = TABLES[table].to_arrow(frame.reindex(columns=blank.columns).astype(blank.dtypes.to_dict()))
    out = recipe.run(tables, None, None)[name]
    TABLES[name].check(out)
    return from_arrow(out)


def context(probabilities: bool) -> pd.DataFrame:
    days = pd.to_datetime(["2024-06-26", "2024-06-27"])
    state = pd.DataFrame([(day, name) for day in days for name in MACRO_DIMENSIONS], columns=["session", "dimension"])
    state = state.assign(z=state["session"].dt.day - 26.0, meaning="told")
    regimes = pd.DataFrame(
        {"session": days, "regime": ["bear", "bull"], "candidate": "bull", "reason": "calm", "days_in_state": 1}
    )
    stressed = pd.DataFrame({"session": days, "stressed": [0.9, 0.1], "stressed_21": 0.2})
    return made(
        "rpt_market_context", macro_state=state, regimes=regimes, regime_probabilities=stressed if probabilities else stressed[:0]
    )


def test_the_context_is_that_of_the_newest_session_with_its_regime():
    table = context(probabilities=True)
    assert sorted(table["dimension"]) == sorted(MACRO_DIMENSIONS)
    assert set(table["session"]) == {pd.Timestamp("2024-06-27")}
    assert (table["z"] == 1.0).all()
    assert set(table["regime"]) == {"bull"}
    assert table["stressed"].eq(0.1).all()


def test_the_context_stands_without_probabilities():
    assert context(probabilities=False)["stressed"].isna().all()


@pytest.mark.parametrize(("gain", "outcome"), [(0.1, "right side"), (-0.1, "wrong side"), (None, "return unknown")])
def test_a_fund_came_out_right_where_tilt_and_return_lie_on_one_side_of_the_medians(gain, outcome):
    rows = pd.DataFrame({"ticker": ["A", "B", "C"], "macro_peak": [1.2, 1.0, 0.8], "return_following": [gain, 0.0, 0.02]})
    day = pd.Timestamp("2020-03-23")
    rows = rows.assign(event="covid_2020", title="t", before=day, peak=day, after=day, geo_peak=1.0, move=[0.2, 0.0, -0.3])
    rows = rows.assign(rank_peak=[1.0, 2.0, 3.0], vintage="latest", reason="r").reindex(columns=REPLAY_COLUMNS)
    funds = pd.DataFrame({"ticker": ["A"], "traded_ticker": "A", "name": "Alpha", "asset_class": "equity", "currency": "USD"})
    funds = funds.assign(exchange="XNYS", is_geared=False)
    skill = pd.DataFrame({"scope": ["covid_2020"], "part": "both", "mean_ic": 0.1, "error": 0.2, "n": 50, "n_effective": 2.4})
    skill = skill.assign(verdict="insufficient", vintage="latest", claim_allowed=False)
    table = made("rpt_macro_replay", macro_replays=rows, dim_etf=funds, macro_skill=skill).set_index("ticker")
    assert table.loc["A", "outcome"] == outcome
    assert table.loc[["A", "B"], "name"].tolist() == ["Alpha", "B"]
    assert table["place_by_move"].to_dict() == {"A": 2, "B": 3, "C": 1}
    assert (table["verdict"] == "insufficient").all()
