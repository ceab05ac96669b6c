"""The estimators by name, each from a sample to an estimate that is fit to be inverted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from etf_pipeline.errors import EstimationError, SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.covariance.dynamic import vol_times_correlation
from etf_pipeline.risk.covariance.factor import observed_factor_covariance, statistical_factor_covariance
from etf_pipeline.risk.covariance.parameters import CovarianceParameters
from etf_pipeline.risk.covariance.products import sample_covariance
from etf_pipeline.risk.covariance.repair import nearest_psd
from etf_pipeline.risk.covariance.sample import Estimate, Estimator, Sample
from etf_pipeline.risk.covariance.shrinkage import ledoit_wolf, oas, scaled_ledoit_wolf
from etf_pipeline.risk.covariance.weighted import ewma_covariance


def _sample(sample: Sample, parameters: CovarianceParameters) -> Estimate:
    return _unshrunk(sample_covariance(sample.returns), len(sample.returns))


def _ledoit_wolf(sample: Sample, parameters: CovarianceParameters) -> Estimate:
    return Estimate(*ledoit_wolf(sample.returns), len(sample.returns))


def _scaled_ledoit_wolf(sample: Sample, parameters: CovarianceParameters) -> Estimate:
    return Estimate(*scaled_ledoit_wolf(sample.returns), len(sample.returns))


def _oas(sample: Sample, parameters: CovarianceParameters) -> Estimate:
    return Estimate(*oas(sample.returns), len(sample.returns))


def _ewma(sample: Sample, parameters: CovarianceParameters) -> Estimate:
    return _unshrunk(ewma_covariance(sample.returns, parameters.ewma_decay), len(sample.returns))


def _statistical_factor(sample: Sample, parameters: CovarianceParameters) -> Estimate:
    return _unshrunk(statistical_factor_covariance(sample.returns), len(sample.returns))


def _fama_french_factor(sample: Sample, parameters: CovarianceParameters) -> Estimate:
    if sample.factors is None or sample.bill is None:
        raise EstimationError("fama_french_factor needs raw_factors; none were given. Load them, or choose another estimator.")
    made, count = observed_factor_covariance(sample.returns, sample.factors, sample.bill, parameters.min_factor_sessions)
    return _unshrunk(made, count)


def _vol_times_correlation(sample: Sample, parameters: CovarianceParameters) -> Estimate:
    if sample.volatilities is None:
        raise EstimationError("vol_times_correlation needs the table volatilities; none was given. Make it first.")
    return Estimate(*vol_times_correlation(sample.returns, sample.volatilities), len(sample.returns))


def _unshrunk(covariance: Floats, n_sessions: int) -> Estimate:
    definite, repaired = nearest_psd(covariance)
    return Estimate(definite, np.nan, n_sessions, repaired)


COVARIANCE_ESTIMATORS: Mapping[str, Estimator] = {
    "sample": _sample,
    "ledoit_wolf": _ledoit_wolf,
    "scaled_ledoit_wolf": _scaled_ledoit_wolf,
    "oas": _oas,
    "ewma": _ewma,
    "statistical_factor": _statistical_factor,
    "fama_french_factor": _fama_french_factor,
    "vol_times_correlation": _vol_times_correlation,
}
"""Every covariance estimator by name; a new one is a function here."""


def estimator(name: str) -> Estimator:
    """An estimator by name.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    if name not in COVARIANCE_ESTIMATORS:
        raise SettingsError(f"no covariance estimator is called '{name}'; choose one of {', '.join(COVARIANCE_ESTIMATORS)}.")
    return COVARIANCE_ESTIMATORS[name]
