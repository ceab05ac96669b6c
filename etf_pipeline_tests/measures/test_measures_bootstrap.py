"""The bootstrap: reproducible, true to dependence, and right as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from etf_pipeline.errors import DataError
from etf_pipeline.measures import (
    MEASURES,
    block_length,
    common_block_length,
    measure,
    percentile_interval,
    resample,
    stationary_indices,
)

SHARPE = [MEASURES["sharpe"].function]


def test_equal_seeds_give_equal_draws_and_other_seeds_do_not():
    assert (stationary_indices(50, 5.0, 4, 1) == stationary_indices(50, 5.0, 4, 1)).all()
    assert (stationary_indices(50, 5.0, 4, 1) != stationary_indices(50, 5.0, 4, 2)).any()


@pytest.mark.parametrize("length", [1.0, 5.0, 40.0])
def test_blocks_have_the_mean_length_asked_for_and_every_session_is_drawn_alike(length: float):
    n = 400
    indices = stationary_indices(n, length, 2000, 0)
    assert indices.min() >= 0
    assert indices.max() < n
    breaks = (np.diff(indices, axis=1) % n != 1).mean()
    # a new block begins with probability 1 / length, and is seen unless it happens to continue; 800,000 draws: within 2 %
    assert breaks == pytest.approx((1.0 / length) * (1 - 1 / n), rel=0.02)
    counts = np.bincount(indices.ravel(), minlength=n)
    assert counts.std() / counts.mean() < 0.2 * np.sqrt(length / 10) + 0.05


def test_the_sample_itself_resampled_in_order_gives_the_estimate():
    rng = np.random.default_rng(1)
    r, market = 0.01 * rng.normal(size=(2, 300))
    bill = np.full(300, 1e-4)
    drawn = resample([m.function for m in MEASURES.values()], r, bill, market, np.arange(300, dtype=np.int32)[None])
    for value, name in zip(drawn[:, 0], MEASURES, strict=True):
        assert value == pytest.approx(measure(name, r, bill, market), rel=1e-12), name


def test_chunks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch):
    r, zero = 0.01 * np.random.default_rng(2).normal(size=250), np.zeros(250)
    indices = stationary_indices(250, 10.0, 37, 3)
    whole = resample(SHARPE, r, zero, zero, indices)
    monkeypatch.setattr("etf_pipeline.measures.bootstrap.CHUNK", 600)
    assert (resample(SHARPE, r, zero, zero, indices) == whole).all()


def test_ninety_five_percent_intervals_of_a_known_sharpe_ratio_cover_it():
    # 200 draws of a persistent series (AR 0.2): with 95 % coverage, 177 or fewer hits have probability 4e-4
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = 0.01 * rng.normal(size=700)
        for t in range(1, 700):
            x[t] += 0.2 * x[t - 1]
        x = x[100:] + 5e-4
        truth = 5e-4 / (0.01 / np.sqrt(1 - 0.04)) * np.sqrt(252)
        zero = np.zeros(600)
        draws = resample(SHARPE, x, zero, zero, stationary_indices(600, max(block_length(x), 5.0), 300, seed))
        low, high = percentile_interval(draws[0])
        hits += int(low <= truth <= high)
    assert 177 <= hits <= 199


def test_clustered_volatility_asks_for_longer_blocks_than_the_returns_alone():
    rng = np.random.default_rng(3)
    size = np.exp(0.7 * np.sin(np.arange(2000) / 60))
    x = size * rng.normal(size=2000)
    assert common_block_length([x]) > 3 * block_length(x)
    assert block_length(np.zeros(100)) == 1.0


def test_a_gap_in_the_series_is_refused():
    with pytest.raises(DataError, match="1 unknown"):
        block_length(np.r_[np.zeros(20), np.nan])
