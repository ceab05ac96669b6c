"""What the grid claims: the same questions to every line, and one correction for all of them together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.forecasting.design import Design
from etf_pipeline.forecasting.lab.grid import CellForecasts
from etf_pipeline.panel import Floats
from etf_pipeline.validation import Claim, clustered_mean, diebold_mariano, forecast_claims, rank_correlations, significance_table

SEPARATOR = "|"


def claims_of(made: CellForecasts, design: Design, quantile: float) -> list[Claim]:
    """Skill in ranks, spreads, direction and squared error: against nothing, and against each fund's mean so far.

    Notes
    -----
    Rows count from the first forecast to the last session whose label could have ended.
    """
    cell, forecast = made.cell, made.forecast
    begun = np.flatnonzero(~np.isnan(forecast).all(axis=1))
    span = slice(begun[0], max(len(forecast) - cell.horizon - 1, begun[0] + 1))
    forecast, label = forecast[span], design.label[span]
    subject = SEPARATOR.join([cell.model, cell.scheme, cell.span])
    claims = forecast_claims(subject, forecast, label, cell.horizon, quantile=quantile)
    known_mean = design.fund_mean[span]
    claims.append(squared_error_claim("mse_zero", subject, np.zeros(label.shape), forecast, label, cell.horizon))
    if cell.model == "historical_mean":  # which it cannot beat
        return claims
    return [
        *claims,
        squared_error_claim("mse_mean", subject, known_mean, forecast, label, cell.horizon),
        rank_claim("ic_mean", subject, known_mean, forecast, label, cell.horizon),
    ]


def rank_claim(test: str, subject: str, rival: Floats, forecast: Floats, label: Floats, horizon: int) -> Claim:
    """Whether the rank correlation is above the rival's, session by session, one-sided.

    Notes
    -----
    Funds differ in their mean return, and a model that has learned no more than who returned more so far has a positive rank
    correlation too. What it adds is the difference.
    """
    gain = rank_correlations(forecast, label) - rank_correlations(np.where(np.isnan(forecast), np.nan, rival), label)
    known = ~np.isnan(gain)
    if not known.any():
        return Claim(test, subject, horizon, np.nan, np.nan, np.nan, 0, 0.0)
    found = clustered_mean(np.where(known, gain, 0.0), known.astype(np.float64), horizon)
    figures = (found.mean, found.t, found.p_positive, int(known.sum()), found.n_effective)
    return Claim(test, subject, horizon, *figures, note="rank correlation less that of each fund's mean so far")


def squared_error_claim(test: str, subject: str, rival: Floats, forecast: Floats, label: Floats, horizon: int) -> Claim:
    """Diebold-Mariano, one-sided for a smaller squared error than the rival's, on rows that all know."""
    known = ~(np.isnan(rival) | np.isnan(forecast) | np.isnan(label))
    before, after = (np.where(known, (f - label) ** 2, 0.0).sum(axis=1) for f in (rival, forecast))
    found = diebold_mariano(before, after, horizon, counts=known.sum(axis=1).astype(np.float64))
    figures = (found.mean, found.t, found.p_positive, int(known.sum()), found.n_effective)
    return Claim(test, subject, horizon, *figures, note="squared error of the rival less ours")


def lab_tests(claims: list[Claim]) -> pd.DataFrame:
    """`lab_tests`: Holm over every valid, sufficient test of the grid."""
    table = significance_table(claims)
    parts = table.pop("subject").str.split(SEPARATOR, expand=True, regex=False)
    return table.assign(model=parts[0], scheme=parts[1], span=parts[2])
