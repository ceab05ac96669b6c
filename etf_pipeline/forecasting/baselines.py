"""What a model must beat: forecasts that learn nothing from features. They are judged like models and weigh nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from etf_pipeline.forecasting.design import Design
from etf_pipeline.panel import Floats


def historical_mean(design: Design) -> Floats:
    """Mean label of each fund so far, drawn to its class: the benchmark that few predictors of returns beat [1]_.

    References
    ----------
    .. [1] I. Welch, A. Goyal, "A comprehensive look at the empirical performance of equity premium prediction," Review of
       Financial Studies 21 (4), 2008. doi:10.1093/rfs/hhm014
    """
    return design.fund_mean


def zero(design: Design) -> Floats:
    """No return at all; corrected for its bias it becomes the mean that past errors support."""
    return np.zeros(design.label.shape)


BASELINES: dict[str, Callable[[Design], Floats]] = {"historical_mean": historical_mean, "zero": zero}
"""Forecasts of shape (n_sessions, n_assets), each from labels that had ended at its session's close."""
