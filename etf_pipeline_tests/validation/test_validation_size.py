"""The study of `make prove` in small: bounds are loose and states how often chance alone breaks them."""

from __future__ import annotations

import numpy as np

from etf_pipeline_tests.prove import validation_size_study as study


def test_without_skill_our_tests_stay_near_five_percent_and_the_observation_level_test_does_not():
    # 200 draws of 8 years: at a true 5 % more than 20 rejections (10 %) happen once in 700 seeds, none once in 30,000, each;
    # the observation-level test rejects 80 % and falls under 40 % never.
    rng = np.random.default_rng(4)
    draws = [study.null_draw(rng, (2016, 20)) for _ in range(200)]
    for name in study.OURS:
        assert 1 <= sum(d[name] < 0.05 for d in draws) <= 20, name
    assert np.mean([d["observation_t"] < 0.05 for d in draws]) > 0.40
    assert np.mean([d["direction_1992"] < 0.05 for d in draws]) > 0.40


def test_the_claim_of_the_study_fails_where_a_size_or_the_power_does():
    right = {f"size_{name}": 0.05 for name in study.OURS} | {"size_observation_t": 0.8, "power_at_stated_ic": 0.8}
    assert study.holds(right)
    for name, wrong in (("size_ic", 0.09), ("size_direction", 0.01), ("size_observation_t", 0.3), ("power_at_stated_ic", 0.5)):
        assert not study.holds(right | {name: wrong})


def test_a_study_of_few_draws_reports_everything_that_the_claim_needs():
    result = study.study(draws=4, seed=1, shape=(504, 8))
    assert {"draws", "seed", "stated_ic", "planted_ic", *(f"size_{name}" for name in study.OURS)} <= set(result)
