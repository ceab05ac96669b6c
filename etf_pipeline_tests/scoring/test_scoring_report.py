"""The report of weightings, and the check that scores add up, as the SQL says them."""

from __future__ import annotations

import pandas as pd
import pytest
from scoring_frames import tables

from etf_pipeline.recipes import run_sql
from etf_pipeline.schemas import TABLES
from etf_pipeline.scoring import composite
from etf_pipeline.sql_models import load_models

PAIR = {"subject": "regime", "against": "fixed"}
SKILL = ("ic", "ic_within_class", "top_excess")


def comparison(within: str, top: str, across: str = "no_difference") -> pd.DataFrame:
    """Rows of one comparison: every figure tells from which row it comes."""
    verdict = dict(zip(SKILL, (across, within, top), strict=True)) | {"turnover": "not_judged"}
    rows = []
    for m, measure in enumerate(verdict):
        for r, regime in enumerate(("all", "bull", "bear", "sideways")):
            told = verdict[measure] if regime == "all" else "no_difference"
            rows.append(PAIR | {"measure": measure, "regime": regime, "estimate": m + r / 10, "n": 100 - r, "verdict": told})
        for k, name in enumerate(PAIR.values()):
            level = {"subject": name, "against": "nothing", "measure": measure, "regime": "all", "estimate": 10.0 * (k + 1) + m}
            rows.append(level | {"n": 100, "verdict": "not_judged"})
    frame = pd.DataFrame(rows).assign(note="", n_effective=50.0, p_value=0.5)
    return frame.assign(p_adjusted=frame["estimate"] / 100, standard_error=0.1, ci_low=-1.0, ci_high=1.0)


def report(frame: pd.DataFrame) -> pd.DataFrame:
    given = TABLES["scoring_comparison"].to_arrow(frame)
    made = TABLES["rpt_scoring"].conform(run_sql(load_models()["rpt_scoring"].sql, {"scoring_comparison": given}))
    TABLES["rpt_scoring"].check(made)
    return made.to_pandas()


def test_every_figure_stands_under_its_own_heading():
    row = report(comparison("no_difference", "no_difference")).squeeze()
    assert row[["subject", "against", "sessions"]].tolist() == ["regime", "fixed", 100]
    assert row[["ic", "ic_against", "turnover", "turnover_against"]].tolist() == [10.0, 20.0, 13.0, 23.0]
    assert row[["ic_difference", "ic_within_class_difference", "top_excess_difference"]].tolist() == [0.0, 1.0, 2.0]
    assert row[["ic_difference_bull", "ic_difference_bear", "ic_difference_sideways"]].tolist() == [0.1, 0.2, 0.3]
    assert row[["ic_within_class_p_adjusted", "top_excess_p_adjusted"]].tolist() == [0.01, 0.02]


@pytest.mark.parametrize(
    ("within", "top", "across", "verdict"),
    [
        ("no_difference", "no_difference", "adaptive_better", "no_difference"),
        ("adaptive_better", "no_difference", "no_difference", "adaptive_better"),
        ("no_difference", "adaptive_worse", "no_difference", "adaptive_worse"),
        ("adaptive_better", "adaptive_worse", "no_difference", "no_difference"),
        ("insufficient", "insufficient", "insufficient", "insufficient"),
        ("not_judged", "not_judged", "not_judged", "not_judged"),
    ],
)
def test_a_preference_for_one_class_decides_nothing_alone(within, top, across, verdict):
    assert report(comparison(within, top, across))["verdict"].item() == verdict


def test_scores_that_do_not_add_up_are_found():
    query = load_models()["scores__add_up"].sql
    made = composite(**tables())
    assert run_sql(query, {"scores": TABLES["scores"].to_arrow(made)}).num_rows == 0
    made.loc[[3, 5], "geo_part"] += 1e-9
    assert run_sql(query, {"scores": TABLES["scores"].to_arrow(made)}).num_rows == 2
