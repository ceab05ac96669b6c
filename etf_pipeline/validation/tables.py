"""From tests to tables: `significance_tests` with its correction for many, and `overfitting` with its verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.validation.claims import Claim
from etf_pipeline.validation.deflation import (
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_moments,
)
from etf_pipeline.validation.multiplicity import benjamini_yekutieli, holm
from etf_pipeline.validation.overfitting import backtest_overfitting
from etf_pipeline.validation.prediction_returns import MINIMUM_EFFECTIVE
from etf_pipeline.validation.superiority import SuperiorityParameters, model_confidence_set, superior_predictive_ability
from etf_pipeline.validation.trials import Trials


@dataclass(frozen=True)
class OverfittingParameters:
    """How strategies are judged for overfitting.

    Attributes
    ----------
    n_blocks : int
        Blocks of the cross-validation.
    confidence : float
        Probability that the deflated Sharpe ratio must reach, and that of the track record. [probability]
    resamples : int
        Draws of the tests of superiority.
    seed : int
        Equal seeds give equal figures.
    """

    n_blocks: int = 16
    confidence: float = 0.95
    resamples: int = 1000
    seed: int = 20


def significance_table(claims: Sequence[Claim], level: float = 0.05) -> pd.DataFrame:
    """The table `significance_tests`: p values corrected over all valid tests together, and what they decide.

    Parameters
    ----------
    claims : sequence of Claim
        Every test that was looked at; leaving one out breaks the correction.
    level : float
        Chance of any false claim in the whole table. [probability]

    Notes
    -----
    Decisions rest on Holm's correction; the false-discovery form of Benjamini and Yekutieli stands beside it. An invalid test is
    `not_decided` whatever it says, one under 30 effective observations is `insufficient`; neither counts among the tests that are
    corrected for, since neither can be claimed.
    """
    frame = pd.DataFrame([asdict(claim) for claim in claims], columns=[f.name for f in fields(Claim)])
    valid = frame["valid"].to_numpy(dtype=bool)
    few = ~(frame["n_effective"].to_numpy(dtype=np.float64) >= MINIMUM_EFFECTIVE)
    p = np.where(valid & ~few, frame["p_value"].to_numpy(dtype=np.float64), np.nan)
    frame["p_adjusted"], frame["p_false_discovery"] = holm(p), benjamini_yekutieli(p)
    claimed = frame["p_adjusted"].to_numpy() < level
    frame["decision"] = np.select(
        [~valid, np.isnan(p), claimed], ["not_decided", "insufficient", "significant"], "not_significant"
    )
    return frame


def overfitting_table(
    strategies: pd.DataFrame, benchmark: Floats, trials: Trials, parameters: OverfittingParameters | None = None
) -> pd.DataFrame:
    """The table `overfitting`: each strategy's Sharpe ratio, deflated, and what is left of the choice among them.

    Parameters
    ----------
    strategies : DataFrame of shape (n_sessions, n_strategies)
        Net returns over the bill, one column per strategy, on common sessions without gaps. [fraction]
    benchmark : ndarray of shape (n_sessions,)
        The same of the benchmark. [fraction]
    trials : Trials
        From the ledger; never fewer than the strategies that stand here.

    Notes
    -----
    `pbo` and `spa_p` judge the choice among all and repeat on every row; a single strategy has no choice to judge and `pbo`
    is unknown. Verdicts: `edge` needs a deflated Sharpe ratio at the confidence, an SPA p below one less it and a probability of
    overfitting under one half; `no_edge` is a probabilistic ratio below the confidence even before deflation; else `unproven`.
    """
    p = parameters or OverfittingParameters()
    values = strategies.to_numpy(dtype=np.float64)
    if trials.n < values.shape[1]:
        raise DataError(
            f"overfitting_table has {values.shape[1]} strategies but the ledger counts {trials.n} trials: append them first."
        )
    drawing = SuperiorityParameters(resamples=p.resamples, seed=p.seed, level=1 - p.confidence)
    several = values.shape[1] > 1
    spa = superior_predictive_ability(benchmark, values, drawing)["consistent"]
    members = model_confidence_set(strategies, drawing) > drawing.level if several else [True]
    pbo = backtest_overfitting(values, p.n_blocks).probability if several else math.nan
    variance = trials.variance if trials.n > 1 else 0.0
    rows = [strategy_row(str(name), values[:, k], trials.n, variance, p.confidence) for k, name in enumerate(strategies.columns)]
    frame = pd.DataFrame(rows).assign(pbo=pbo, spa_p=spa, in_mcs=np.asarray(members, dtype=bool))
    proven = (frame["dsr"] >= p.confidence) & (spa < drawing.level) & (pbo < 0.5 if several else True)
    frame["verdict"] = np.select([proven, ~(frame["psr"] >= p.confidence)], ["edge", "no_edge"], "unproven")
    return frame


def strategy_row(name: str, returns: Floats, n_trials: int, variance: float, confidence: float) -> dict[str, object]:
    """One strategy's Sharpe ratio, its probabilities before and after deflation, and the record that it needs."""
    m = sharpe_moments(returns)
    threshold = expected_maximum_sharpe(n_trials, variance)
    shape = (m.skewness, m.kurtosis)
    record = minimum_track_record(m.sharpe, *shape, confidence=confidence)
    return {
        "strategy": name,
        "sharpe": m.sharpe,
        "n_obs": m.n_obs,
        "psr": probabilistic_sharpe(m.sharpe, m.n_obs, *shape),
        "dsr": probabilistic_sharpe(m.sharpe, m.n_obs, *shape, benchmark=threshold),
        "sr0": threshold,
        "n_trials": n_trials,
        "min_track_record": record if math.isfinite(record) else math.nan,
    }
