"""What a person may set of the covariance: the estimator, its sample, and who is in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CovarianceParameters:
    """The estimator of a covariance, its sample, and what becomes of short histories.

    Attributes
    ----------
    estimator : str
        A key of `COVARIANCE_ESTIMATORS`.
    window : int
        Returns in the sample. [sessions]
    exchange : str
        Market identifier code of the calendar whose sessions are counted, so that days on which only another exchange
        trades leave no holes in the sample.
    unequal_histories : str
        ``complete``: a member with at least `min_history` returns in the sample, but not all, enters through its regression
        on the complete ones; ``drop``: it is left out. Either way it is counted.
    min_history : int
        Returns in the sample from which on a short history is completed. [sessions]
    max_funds : int
        Most members in one matrix: those with the largest traded value known then. The table holds each pair, so that its
        size grows with the square. [count]
    ewma_decay : float
        Weight of a session over that of the next one, for `ewma`. [ratio]
    min_factor_sessions : int
        Sessions with known factor returns that `fama_french_factor` needs in the sample. [sessions]
    """

    estimator: str = "scaled_ledoit_wolf"
    window: int = 504
    exchange: str = "XNYS"
    unequal_histories: str = "complete"
    min_history: int = 126
    max_funds: int = 500
    ewma_decay: float = 0.97
    min_factor_sessions: int = 126


@dataclass(frozen=True)
class StabilityParameters:
    """How the estimators are compared.

    Attributes
    ----------
    estimators : tuple of str
        Keys of `COVARIANCE_ESTIMATORS`; `sample` is what the others are tested against.
    window : int
        Returns in the sample. [sessions]
    exchange : str
        Market identifier code of the calendar whose sessions are counted.
    max_funds : int
        Most members compared: those with the largest traded value known then, complete in the sample. [count]
    leading : int
        Eigenvectors whose subspace is followed from month to month. [count]
    ewma_decay : float
        As in `CovarianceParameters`. [ratio]
    min_factor_sessions : int
        As in `CovarianceParameters`. [sessions]
    """

    estimators: tuple[str, ...] = (
        "sample",
        "ledoit_wolf",
        "scaled_ledoit_wolf",
        "oas",
        "ewma",
        "statistical_factor",
        "fama_french_factor",
        "vol_times_correlation",
    )
    window: int = 504
    exchange: str = "XNYS"
    max_funds: int = 150
    leading: int = 3
    ewma_decay: float = 0.97
    min_factor_sessions: int = 126
