"""How often do our tests see skill where there is none, and how much skill do they need to see it?

Forecasts are first-order autoregressions (0.98), outcomes sums of 21 neighbouring shocks; both have a part common to all funds.
In a *null* draw they are independent, so that every rejection is false. In a *skilled* draw the outcome holds a share of the
forecast that gives the mean IC which 15 years are said to find with 80 % power.

Run as ``python -m etf_pipeline_tests.prove.validation_size_study``.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import lfilter

from etf_pipeline.panel import Floats
from etf_pipeline.validation import (
    bandwidth,
    clustered_mean,
    fixed_b_critical_value,
    fixed_b_p_value,
    mean_test,
    observation_t_test,
    pesaran_timmermann,
    prediction_sharpe,
    quantile_long_short,
    rank_correlations,
    robust_pesaran_timmermann,
)

SESSIONS, FUNDS, HORIZON, MEMORY = 3780, 30, 21, 0.98
COMMON_FORECAST, COMMON_OUTCOME = 0.5, 0.6
"""Share of variance that all funds have in common."""

LEVEL, POWER_QUANTILE = 0.05, 0.8416
CLAIM = (
    "without skill our IC, mean, spread and direction tests reject in 3 to 7 % of draws at 5 %, the observation-level t-test in "
    "over 40 %; a mean IC of the stated size is found with 75 to 85 % power over 15 years"
)
OURS = ("ic", "timed_mean", "long_short", "direction")


def holds(result: dict[str, float]) -> bool:
    """Whether the claim stands."""
    calm = all(0.03 <= result[f"size_{name}"] <= 0.07 for name in OURS)
    return calm and result["size_observation_t"] > 0.40 and 0.75 <= result["power_at_stated_ic"] <= 0.85


def forecasts(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Persistent, of unit variance, in part common to all funds."""
    n, m = shape
    shocks = math.sqrt(COMMON_FORECAST) * rng.standard_normal((n + 300, 1))
    shocks = shocks + math.sqrt(1 - COMMON_FORECAST) * rng.standard_normal((n + 300, m))
    return np.asarray(math.sqrt(1 - MEMORY**2) * lfilter([1.0], [1.0, -MEMORY], shocks, axis=0)[300:])


def outcomes(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Sums of 21 neighbouring heavy-tailed shocks, of unit variance, in part common to all funds."""
    n, m = shape
    shocks = math.sqrt(COMMON_OUTCOME) * rng.standard_t(5, (n + HORIZON - 1, 1))
    shocks = (shocks + math.sqrt(1 - COMMON_OUTCOME) * rng.standard_t(5, (n + HORIZON - 1, m))) / math.sqrt(5 / 3)
    sums = np.cumsum(np.vstack([np.zeros((1, m)), shocks]), axis=0)
    return np.asarray((sums[HORIZON:] - sums[:-HORIZON]) / math.sqrt(HORIZON))


def two_sided(t: float, b: float) -> float:
    """Two-sided p value of a HAC t statistic."""
    return 2 * fixed_b_p_value(abs(t), b)


def null_draw(rng: np.random.Generator, shape: tuple[int, int]) -> dict[str, float]:
    """P values of every test where there is nothing to find, and the mean IC that chance gave."""
    f, y = forecasts(rng, shape), outcomes(rng, shape)
    timed = np.sign(f) * y
    ic = mean_test(rank_correlations(f, y), HORIZON)
    mean = clustered_mean(timed.sum(axis=1), np.full(shape[0], float(shape[1])), HORIZON)
    spread = prediction_sharpe(quantile_long_short(f, y), HORIZON)
    direction = robust_pesaran_timmermann(f, y, HORIZON)
    return {
        "ic": two_sided(ic.t, ic.b),
        "timed_mean": two_sided(mean.t, mean.b),
        "long_short": 2 * min(spread.p_positive, 1 - spread.p_positive),
        "direction": two_sided(direction.t, direction.b),
        "observation_t": observation_t_test(timed).p_value,
        "direction_1992": math.erfc(abs(pesaran_timmermann(f, y).statistic) / math.sqrt(2)),
        "mean_ic": ic.mean,
    }


def skilled_draw(rng: np.random.Generator, shape: tuple[int, int], share: float) -> tuple[float, bool]:
    """Mean IC and whether it was found, where outcomes hold `share` of the forecast's own part."""
    f, y = forecasts(rng, shape), outcomes(rng, shape)
    ic = mean_test(rank_correlations(f, y + share * (f - f.mean(axis=1, keepdims=True))), HORIZON)
    return ic.mean, ic.mean > 0 and two_sided(ic.t, ic.b) < LEVEL


def study(draws: int = 2000, seed: int = 21, shape: tuple[int, int] = (SESSIONS, FUNDS)) -> dict[str, float]:
    """Rejection rates without skill, and the mean IC that is found with 80 % power.

    Returns
    -------
    dict
        `size_*` per test; `stated_ic` solves the normal power formula with the spread that chance gave the mean IC;
        `power_at_stated_ic` is measured on draws (a quarter of `draws`) whose mean IC is `planted_ic`.
    """
    rng = np.random.default_rng(seed)
    null = [null_draw(rng, shape) for _ in range(draws)]
    sizes = {f"size_{name}": float(np.mean([d[name] < LEVEL for d in null])) for name in null[0] if name != "mean_ic"}
    spread = float(np.std([d["mean_ic"] for d in null]))
    stated = stated_ic(spread, shape[0])
    share = calibrated_share(stated, shape, seed)
    skilled = [skilled_draw(rng, shape, share) for _ in range(max(draws // 4, 1))]
    return {
        "draws": draws,
        "seed": seed,
        "sessions": shape[0],
        "funds": shape[1],
        **sizes,
        "chance_spread_of_mean_ic": spread,
        "stated_ic": stated,
        "planted_ic": float(np.mean([ic for ic, _ in skilled])),
        "power_at_stated_ic": float(np.mean([found for _, found in skilled])),
    }


def stated_ic(spread: float, sessions: int) -> float:
    """Mean IC with 80 % power: the fixed-b critical value and the normal quantile of the power, times chance's spread."""
    return (fixed_b_critical_value(bandwidth(sessions, HORIZON) / sessions) + POWER_QUANTILE) * spread


def calibrated_share(ic: float, shape: tuple[int, int], seed: int, draws: int = 20) -> float:
    """Share of the forecast in the outcome that raises the mean rank correlation by `ic`, measured with and without it."""
    first = ic * math.sqrt((1 - COMMON_OUTCOME) / (1 - COMMON_FORECAST))
    gains = [
        skilled_draw(np.random.default_rng([seed, k]), shape, first)[0]
        - skilled_draw(np.random.default_rng([seed, k]), shape, 0.0)[0]
        for k in range(draws)
    ]
    return first * ic / float(np.mean(gains))


if __name__ == "__main__":
    print(study())
