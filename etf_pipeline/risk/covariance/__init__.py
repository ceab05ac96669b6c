"""Covariance of the universe's members at each rebalance session: several estimators, one table, and their comparison.

`estimators` holds the registry; each estimator is a function on complete returns in its own file. `completion` joins funds with
short histories, `repair` makes a matrix definite where it is not, `tables` makes `covariances` and `covariance_health`,
`stability` follows every estimator from month to month and asks what the next month said, `verdicts` tests the differences.
"""

from __future__ import annotations

from etf_pipeline.risk.covariance.completion import completed_covariance
from etf_pipeline.risk.covariance.estimators import COVARIANCE_ESTIMATORS
from etf_pipeline.risk.covariance.parameters import CovarianceParameters, StabilityParameters
from etf_pipeline.risk.covariance.products import pairwise_covariance, sample_covariance
from etf_pipeline.risk.covariance.repair import nearest_psd
from etf_pipeline.risk.covariance.sample import Estimate, Sample
from etf_pipeline.risk.covariance.shrinkage import ledoit_wolf, oas, scaled_ledoit_wolf
from etf_pipeline.risk.covariance.stability import covariance_stability
from etf_pipeline.risk.covariance.tables import covariances
from etf_pipeline.risk.covariance.verdicts import covariance_tests

__all__ = [
    "COVARIANCE_ESTIMATORS",
    "CovarianceParameters",
    "Estimate",
    "Sample",
    "StabilityParameters",
    "completed_covariance",
    "covariance_stability",
    "covariance_tests",
    "covariances",
    "ledoit_wolf",
    "nearest_psd",
    "oas",
    "pairwise_covariance",
    "sample_covariance",
    "scaled_ledoit_wolf",
]
