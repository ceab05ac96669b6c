"""Overfitting: equal to a slow, obvious count; calm where there is nothing; superiority tests equal to arch's."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import MCS, SPA, StepM
from scipy.stats import rankdata

from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.validation import (
    SuperiorityParameters,
    backtest_overfitting,
    model_confidence_set,
    stepwise_superior,
    superior_predictive_ability,
)

FEW = SuperiorityParameters(resamples=300, seed=7)


def market(rng: np.random.Generator, n: int, strategies: int) -> tuple[np.ndarray, np.ndarray]:
    base = 0.01 * rng.standard_normal(n)
    return base, base[:, None] + 0.005 * rng.standard_normal((n, strategies))


def slow(x: np.ndarray, blocks: int) -> tuple[list[float], list[float], list[float]]:
    """Every combination by itself, as the paper words it."""
    parts = np.array_split(x, blocks)
    logits, inside, outside = [], [], []
    for chosen in itertools.combinations(range(blocks), blocks // 2):
        here = np.vstack([parts[k] for k in chosen])
        there = np.vstack([parts[k] for k in range(blocks) if k not in chosen])
        a, b = (v.mean(axis=0) / v.std(axis=0, ddof=1) for v in (here, there))
        best = int(a.argmax())
        rank = rankdata(b)[best] / (x.shape[1] + 1)
        logits.append(math.log(rank / (1 - rank)))
        inside.append(a[best])
        outside.append(b[best])
    return logits, inside, outside


def test_the_count_is_that_of_a_slow_one_combination_by_combination():
    x = 0.0005 + 0.01 * np.random.default_rng(0).standard_normal((240, 7))
    made = backtest_overfitting(x, 8)
    logits, inside, outside = slow(x, 8)
    np.testing.assert_allclose(made.logits, logits, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(made.in_sample, inside, rtol=1e-9)
    np.testing.assert_allclose(made.out_of_sample, outside, rtol=1e-7, atol=1e-12)
    assert made.probability == np.mean(np.array(logits) <= 0)
    assert made.slope == pytest.approx(np.polyfit(inside, outside, 1)[0], rel=1e-8)
    assert made.intercept == pytest.approx(np.polyfit(inside, outside, 1)[1], rel=1e-8)
    assert made.loss_probability == np.mean(np.array(outside) < 0)


def test_one_strategy_with_real_skill_is_chosen_rightly_and_pure_luck_is_not():
    # ten years, 20 strategies; without skill the probability of one history scatters by .2 around a value over one half
    rng = np.random.default_rng(1)
    skilled = 0.01 * rng.standard_normal((2520, 20))
    skilled[:, 3] += 0.0015
    assert backtest_overfitting(skilled, 10).probability < 0.02
    luck = [backtest_overfitting(0.01 * rng.standard_normal((1260, 20)), 8) for _ in range(40)]
    assert 0.45 < np.mean([made.probability for made in luck]) < 0.75
    assert np.mean([made.slope for made in luck]) < 0


def test_sixteen_blocks_make_12870_combinations_and_leading_sessions_are_dropped():
    x = 0.01 * np.random.default_rng(2).standard_normal((1007, 5))
    made = backtest_overfitting(x)
    assert len(made.logits) == math.comb(16, 8) == 12_870
    assert made.probability == backtest_overfitting(x[1007 % 16 :]).probability


def test_the_size_of_chunks_changes_nothing(monkeypatch):
    from etf_pipeline.validation import overfitting

    x = 0.01 * np.random.default_rng(3).standard_normal((200, 6))
    whole = backtest_overfitting(x, 10)
    monkeypatch.setattr(overfitting, "CHUNK", 30)
    np.testing.assert_allclose(backtest_overfitting(x, 10).logits, whole.logits)


def test_flat_strategies_and_twins_are_ranked_and_gaps_are_refused():
    x = 0.01 * np.random.default_rng(4).standard_normal((160, 3))
    x[:, 0], x[:, 2] = 0.0, x[:, 1]
    assert np.isfinite(backtest_overfitting(x, 8).logits).all()
    assert (backtest_overfitting(x[:, [1, 2]], 8).logits == 0).all()  # twins share the middle rank
    with pytest.raises(DataError, match="common sessions"):
        backtest_overfitting(np.where(x == x[5, 1], np.nan, x), 8)
    with pytest.raises(SettingsError, match="even number"):
        backtest_overfitting(x, 7)


@pytest.mark.parametrize("seed", [1, 42])
def test_superior_ability_has_archs_p_values_with_the_same_seed(seed):
    base, models = market(np.random.default_rng(5), 400, 6)
    models[:, 2] += 0.0004
    parameters = SuperiorityParameters(resamples=250, seed=seed, horizon=40)  # a horizon longer than any automatic block
    peer = SPA(-base, -models, block_size=40, reps=250, seed=seed)
    peer.compute()
    assert superior_predictive_ability(base, models, parameters) == peer.pvalues.to_dict()


def test_a_better_strategy_is_found_and_a_crowd_of_equals_is_not():
    rng = np.random.default_rng(6)
    base, models = market(rng, 1000, 30)
    better = models.copy()
    better[:, 4] += 0.001
    assert superior_predictive_ability(base, better, FEW)["consistent"] < 0.01
    # 60 crowds without skill at 5 %: more than 9 claims happen once in 600 seeds
    claims = 0
    for _ in range(60):
        base, models = market(rng, 250, 10)
        claims += superior_predictive_ability(base, models, SuperiorityParameters(resamples=150, seed=3))["consistent"] < 0.05
    assert claims <= 9


def test_the_stepwise_names_and_the_confidence_set_are_archs():
    rng = np.random.default_rng(7)
    base, models = market(rng, 500, 5)
    models[:, 1] += 0.0015
    frame = pd.DataFrame(models, columns=list("abcde"))
    fixed = SuperiorityParameters(resamples=200, seed=9, horizon=60)
    peer = StepM(-base, pd.DataFrame(-models, columns=list("abcde")), size=0.05, block_size=60, reps=200, seed=9)
    peer.compute()
    assert stepwise_superior(base, frame, fixed) == sorted(peer.superior_models) == ["b"]
    members = model_confidence_set(frame, fixed)
    best = MCS(pd.DataFrame(-models, columns=list("abcde")), size=0.05, block_size=60, reps=200, seed=9)
    best.compute()
    assert set(members.index[members > 0.05]) == set(best.included) == {"b"}
    assert members.index.tolist() == list("abcde")


def test_twins_share_one_place_in_the_confidence_set():
    _, models = market(np.random.default_rng(8), 300, 3)
    frame = pd.DataFrame(np.column_stack([models, models[:, 1]]), columns=["a", "b", "c", "twin"])
    members = model_confidence_set(frame, FEW)
    assert members["twin"] == members["b"]
    only = model_confidence_set(frame[["b", "twin"]], FEW)
    assert only.tolist() == [1.0, 1.0]


def test_a_strategy_that_is_the_benchmark_is_never_superior():
    # arch's own p value is 0 here: no resampled difference exceeds one that is always zero
    base, models = market(np.random.default_rng(9), 200, 2)
    assert superior_predictive_ability(base, base[:, None], FEW)["consistent"] == 1.0
    assert stepwise_superior(base, pd.DataFrame({"self": base}), FEW) == []
    worse = models - 0.002
    assert superior_predictive_ability(base, np.column_stack([worse, base]), FEW) == superior_predictive_ability(base, worse, FEW)
    assert stepwise_superior(base, pd.DataFrame(np.column_stack([worse, base]), columns=list("abc")), FEW) == []


def test_gaps_are_refused():
    base, models = market(np.random.default_rng(9), 200, 2)
    models[3, 1] = np.nan
    with pytest.raises(DataError, match="1 unknown"):
        superior_predictive_ability(base, models, FEW)
