"""Does the bias interval cover, and does correction claim what is not there? Simulated forecasts whose truth is known.

Outcomes are sums of 21 neighbouring shocks, common and own, on top of a persistent conditional mean that the forecasts know, and
of a slow drift that they do not. A *biased* draw adds 50 bp to every forecast; a *clean* draw adds nothing, so that any claim
of an improvement is false. Draws run through the room's own correction and verdict.

Run as ``python -m etf_pipeline_tests.prove.forecast_bias_study``.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from etf_pipeline.conventions import BPS
from etf_pipeline.forecasting import ForecastParameters
from etf_pipeline.forecasting.bias import SessionSums, correct
from etf_pipeline.forecasting.judgement import judge

Floats = npt.NDArray[np.float64]

HORIZON, LABEL, TRAIN, TEST, FUNDS = 21, 22, 756, 2016, 12
PLANTED = 50 * BPS
CLAIM = (
    "95 % intervals of forecast bias cover a planted one in 90 to 98 % of draws; improvement is falsely claimed in at most 8 %"
)


def holds(result: dict[str, float]) -> bool:
    """Whether the claim stands."""
    return 0.90 <= result["coverage"] <= 0.98 and result["false_claims"] <= 0.08


def persistent(rng: np.random.Generator, shape: tuple[int, ...], memory: float, scale: float) -> Floats:
    """A first-order autoregression along the first axis, started in its stationary distribution."""
    out = rng.standard_normal(shape)
    for t in range(1, shape[0]):
        out[t] = memory * out[t - 1] + math.sqrt(1 - memory**2) * out[t]
    return scale * out


def overlapping(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Floats:
    """Sums of 21 neighbouring heavy-tailed shocks, of standard deviation `scale`."""
    shocks = rng.standard_t(5, (shape[0] + HORIZON - 1, shape[1])) / math.sqrt(5 / 3)
    sums = np.cumsum(np.vstack([np.zeros((1, shape[1])), shocks]), axis=0)
    return scale * (sums[HORIZON:] - sums[:-HORIZON]) / math.sqrt(HORIZON)


def simulate(rng: np.random.Generator, bias: float) -> tuple[Floats, Floats]:
    """(forecasts, labels) of shape (TRAIN + TEST, FUNDS)."""
    shape = (TRAIN + TEST, FUNDS)
    mean = 0.006 + persistent(rng, shape, 0.98, 0.004)
    drift = persistent(rng, (shape[0], 1), 0.97, 0.004)
    label = mean + drift + overlapping(rng, (shape[0], 1), 0.04) + overlapping(rng, shape, 0.03)
    return mean + bias, label


def judged(rng: np.random.Generator, bias: float) -> dict[str, float]:
    """One draw: corrected as the room does it, and judged on the test sessions."""
    forecast, label = simulate(rng, bias)
    starts = np.arange(0, TEST, HORIZON)
    known = slice(0, TRAIN - LABEL, 5)
    warm = SessionSums.of(forecast[known], label[known])
    groups = np.full(FUNDS, "equity", dtype=object)
    corrected = correct(
        forecast[TRAIN:],
        label[TRAIN:],
        groups,
        starts,
        [(warm, {})] * len(starts),
        label_sessions=LABEL,
        train_every=5,
        min_realised=252,
        min_class_funds=ForecastParameters().min_class_funds,
    )
    return judge(forecast[TRAIN:], corrected, label[TRAIN:], HORIZON)


def study(draws: int = 200, seed: int = 20) -> dict[str, float]:
    """Share of intervals that cover a planted bias, and of clean draws in which an improvement is claimed.

    Returns
    -------
    dict
        `coverage` (0.90 to 0.98 is right), `false_claims` (at most 0.08), `power` (share of biased draws called improved),
        `bias_before` and `bias_after` (mean over biased draws), `naive_coverage` (the interval that ignores overlap),
        `mse_ratio_clean` (mean squared error after over before where there was nothing to correct).
    """
    rng = np.random.default_rng(seed)
    biased = [judged(rng, PLANTED) for _ in range(draws)]
    clean = [judged(rng, 0.0) for _ in range(draws)]
    naive = [abs(d["out_of_fold_bias"] - PLANTED) <= 1.96 * math.sqrt(d["mse_raw"] / d["n"]) for d in biased]
    return {
        "draws": draws,
        "seed": seed,
        "coverage": float(np.mean([d["ci_low"] <= PLANTED <= d["ci_high"] for d in biased])),
        "naive_coverage": float(np.mean(naive)),
        "false_claims": float(np.mean([d["dm_p_value"] < 0.05 for d in clean])),
        "power": float(np.mean([d["dm_p_value"] < 0.05 for d in biased])),
        "bias_before": float(np.mean([d["out_of_fold_bias"] for d in biased])),
        "bias_after": float(np.mean([d["corrected_bias"] for d in biased])),
        "mse_ratio_clean": float(np.mean([d["mse_corrected"] / d["mse_raw"] for d in clean])),
    }


if __name__ == "__main__":
    print(study())
