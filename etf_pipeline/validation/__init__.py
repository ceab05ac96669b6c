"""Validation room: which sessions a model may learn from, and what one may conclude from how it did.

Labels of h sessions overlap, so neighbouring errors are one observation told h times: training is purged by the end of each
label, and every test here is robust to serial correlation.
"""

from __future__ import annotations

from etf_pipeline.validation.significance import (
    MeanTest,
    bandwidth,
    bartlett_variance,
    clustered_mean,
    diebold_mariano,
    effective_sample_size,
    fixed_b_critical_value,
    fixed_b_p_value,
    holm,
    information_coefficient,
    mean_test,
)
from etf_pipeline.validation.walk_forward import Fold, WalkForwardParameters, Window, purged_folds, walk_forward

__all__ = [
    "Fold",
    "MeanTest",
    "WalkForwardParameters",
    "Window",
    "bandwidth",
    "bartlett_variance",
    "clustered_mean",
    "diebold_mariano",
    "effective_sample_size",
    "fixed_b_critical_value",
    "fixed_b_p_value",
    "holm",
    "information_coefficient",
    "mean_test",
    "purged_folds",
    "walk_forward",
]
