"""`etf run lab` makes the lab's tables and their reports; no night does."""

from __future__ import annotations

import pytest

import etf_pipeline.definitions as front_door
from etf_pipeline.orchestration.config import default_parameters
from etf_pipeline.recipes import RECIPES

LAB = {"lab_windows", "lab_bias", "feature_importance", "search_trials", "rpt_lab", "rpt_lab_paths"}


def steps(job: str) -> set[str]:
    return set(front_door.defs.resolve_job_def(job).graph.node_dict)


def test_the_lab_is_a_job_of_its_own():
    assert steps("lab") == LAB


@pytest.mark.parametrize("job", ["nightly", "research", "ingest", "backfill"])
def test_no_other_job_runs_it(job):
    assert not steps(job) & LAB


def test_together_the_night_and_the_lab_make_every_table():
    assert {recipe.name for recipe in RECIPES.values()} - {"fetch"} <= steps("nightly") | steps("lab")


@pytest.mark.parametrize("profile", ["demo", "full"])
@pytest.mark.parametrize("step", ["lab_windows", "feature_importance", "search_trials"])
def test_profiles_set_nothing_that_the_lab_does_not_know(step, profile):
    assert default_parameters(RECIPES[step].parameters, step, profile).first_train > 0
