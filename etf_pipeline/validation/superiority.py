"""Is any of many strategies better than the benchmark, which ones, and which cannot be told from the best?

Three bootstrap tests by `arch`, here on returns (more is better) instead of losses: Hansen's superior predictive ability [1]_,
Romano and Wolf's stepwise selection [2]_, and the model confidence set [3]_.

References
----------
.. [1] P. R. Hansen, "A test for superior predictive ability," J. Business & Economic Statistics 23 (4), 2005.
   doi:10.1198/073500105000000063
.. [2] J. Romano, M. Wolf, "Stepwise multiple testing as formalized data snooping," Econometrica 73 (4), 2005.
   doi:10.1111/j.1468-0262.2005.00615.x
.. [3] P. R. Hansen, A. Lunde, J. Nason, "The model confidence set," Econometrica 79 (2), 2011. doi:10.3982/ECTA5771
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.measures import common_block_length
from etf_pipeline.panel import Floats


@dataclass(frozen=True)
class SuperiorityParameters:
    """How the three tests draw.

    Attributes
    ----------
    resamples : int
        Draws of the stationary bootstrap.
    seed : int
        Equal seeds give equal p values.
    level : float
        Chance of a false claim in `stepwise_superior`, and one less the confidence of `model_confidence_set`. [probability]
    horizon : int
        Shortest mean block, where returns overlap over a horizon. [sessions]
    """

    resamples: int = 1000
    seed: int = 20
    level: float = 0.05
    horizon: int = 1


def superior_predictive_ability(
    benchmark: Floats, strategies: Floats, parameters: SuperiorityParameters | None = None
) -> dict[str, float]:
    """P values against "no strategy earns more than the benchmark".

    Parameters
    ----------
    benchmark : ndarray of shape (n_sessions,)
        Returns. [fraction]
    strategies : ndarray of shape (n_sessions, n_strategies)
        Returns of everything that was tried. [fraction]

    Returns
    -------
    dict
        `consistent` is the one to decide on; `lower` and `upper` bound it.

    Notes
    -----
    A strategy that *is* the benchmark is left out: the test compares with a strict sign, and would call it superior for certain.
    """
    from arch.bootstrap import SPA

    p = parameters or SuperiorityParameters()
    base, models = _checked(benchmark, strategies)
    models = models[:, (models != base[:, None]).any(axis=0)]
    if not models.shape[1]:
        return {"lower": 1.0, "consistent": 1.0, "upper": 1.0}
    test = SPA(-base, -models, block_size=_block(models - base[:, None], p), reps=p.resamples, seed=p.seed)
    test.compute()
    return {str(name): float(value) for name, value in test.pvalues.items()}


def stepwise_superior(benchmark: Floats, strategies: pd.DataFrame, parameters: SuperiorityParameters | None = None) -> list[str]:
    """Names of the strategies that earn more than the benchmark, with `level` the chance of any false name.

    Parameters
    ----------
    benchmark : ndarray of shape (n_sessions,)
        Returns. [fraction]
    strategies : DataFrame of shape (n_sessions, n_strategies)
        Returns, one column per strategy. [fraction]
    """
    from arch.bootstrap import StepM

    p = parameters or SuperiorityParameters()
    base, models = _checked(benchmark, strategies.to_numpy(dtype=np.float64))
    own = (models != base[:, None]).any(axis=0)
    if not own.any():
        return []
    losses = pd.DataFrame(-models[:, own], columns=[str(name) for name in strategies.columns[own]])
    block = _block(models[:, own] - base[:, None], p)
    test = StepM(pd.Series(-base), losses, size=p.level, block_size=block, reps=p.resamples, seed=p.seed)
    test.compute()
    return sorted(str(name) for name in test.superior_models)


def model_confidence_set(strategies: pd.DataFrame, parameters: SuperiorityParameters | None = None) -> pd.Series[float]:
    """P value of each strategy's membership among the best; those above `level` cannot be told from the best.

    Parameters
    ----------
    strategies : DataFrame of shape (n_sessions, n_strategies)
        Returns, one column per strategy. [fraction]

    Returns
    -------
    Series of shape (n_strategies,)
        By name, in the order given; strategies with the same returns share one p value. [probability]
    """
    from arch.bootstrap import MCS

    p = parameters or SuperiorityParameters()
    values = strategies.to_numpy(dtype=np.float64)
    _checked(values[:, 0], values)
    distinct, place = np.unique(values, axis=1, return_inverse=True)
    found = np.ones(distinct.shape[1])
    if distinct.shape[1] > 1:
        block = _block(distinct - distinct.mean(axis=1, keepdims=True), p)
        test = MCS(pd.DataFrame(-distinct), size=p.level, block_size=block, reps=p.resamples, seed=p.seed)
        test.compute()
        found = test.pvalues["Pvalue"].sort_index().to_numpy(dtype=np.float64)
    return pd.Series(found[place.ravel()], index=[str(name) for name in strategies.columns], name="p_value")


def _block(differences: Floats, p: SuperiorityParameters) -> int:
    """Longest block that any difference asks for."""
    columns = [column for column in differences.T if np.ptp(column) > 0]
    return max(1, p.horizon, int(np.ceil(common_block_length(columns))) if columns else 1)


def _checked(benchmark: Floats, strategies: Floats) -> tuple[Floats, Floats]:
    base, models = np.asarray(benchmark, dtype=np.float64), np.asarray(strategies, dtype=np.float64)
    unknown = int((~np.isfinite(base)).sum() + (~np.isfinite(models)).sum())
    if models.ndim != 2 or base.shape != models.shape[:1] or len(base) < 10 or unknown:
        raise DataError(
            f"tests of superiority need at least 10 common sessions without gaps; found a benchmark of shape {base.shape}, "
            f"strategies of shape {models.shape} and {unknown} unknown returns. Cut all to common sessions."
        )
    return base, models
