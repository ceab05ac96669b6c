"""Exposures of portfolios: weighted sums of their funds' loadings, beside a benchmark's, with the errors that funds share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.panel import Floats
from etf_pipeline.risk.exposures.parameters import HOME, PortfolioExposureParameters
from etf_pipeline.risk.exposures.sample import FACTORS, Sample, sample

Flags = npt.NDArray[np.bool_]
COLUMNS = [
    "session", "strategy", "benchmark", "factor", "loading", "error", "benchmark_loading", "active", "active_error",
    "coverage", "benchmark_coverage", "factor_session",
]  # fmt: skip


def portfolio_exposures(
    weights: pd.DataFrame,
    returns: pd.DataFrame,
    factors: pd.DataFrame,
    etfs: pd.DataFrame,
    sessions: pd.DataFrame,
    parameters: PortfolioExposureParameters | None = None,
    before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Loadings of every strategy at each rebalance, those of its benchmarks, and the difference.

    Parameters
    ----------
    weights : DataFrame of shape (n_weights, ...)
        `target_weights`: columns `session`, `strategy`, `ticker`, `weight`.
    returns, factors, etfs, sessions : DataFrame
        `fct_returns`, `raw_factors`, `dim_etf`, `raw_sessions`.
    parameters : PortfolioExposureParameters, optional
        Defaults where omitted.
    before : DataFrame, optional
        Own rows of earlier sessions: only later ones are made.

    Returns
    -------
    DataFrame of shape (n_rows, 12)
        One row per `strategy`, `benchmark`, `session` and `factor`.

    Raises
    ------
    DataError
        If a fund has no exchange in `etfs`.

    Notes
    -----
    The loading is ``sum w_i b_i / sum w_i`` over funds whose exposures are known; cash is known and has none. The weight in
    the denominator is the `coverage`: what is unknown is taken to be like the rest, never to be nothing, and under
    `min_coverage` the answer is unknown. All funds are held against one set of factors, since loadings on factors of two
    regions do not add up. Errors are those of one regression of the whole portfolio at today's weights: each factor
    session's effect on the estimates is added up over funds before it is squared (Newey and West over sessions), so that
    what funds share does not cancel and what a portfolio shares with its benchmark does.
    """
    parameters = parameters or PortfolioExposureParameters()
    after = before["session"].max() if before is not None and len(before) else None
    lined = sample(returns, factors, etfs, sessions, after)
    if lined is None or HOME not in lined.regions:
        return pd.DataFrame(columns=COLUMNS)
    ends, alive = lined.ends(HOME, parameters.max_lag), lined.alive(parameters.max_absence)
    held = dict(list(weights.groupby("session")))
    made = [
        _at(lined, moment, int(ends[moment]), alive[moment], held[session], parameters)
        for moment, session in enumerate(lined.moments)
        if session in held and ends[moment] >= 0
    ]
    return pd.concat(made, ignore_index=True)[COLUMNS] if made else pd.DataFrame(columns=COLUMNS)


class _Totals(NamedTuple):
    """Sums over the known funds of each portfolio: loadings, influences by session, and the known weight."""

    loadings: Floats
    influence: Floats
    coverage: Floats


def _at(
    lined: Sample, moment: int, end: int, alive: Flags, held: pd.DataFrame, parameters: PortfolioExposureParameters
) -> pd.DataFrame:
    """All strategies of one session beside all benchmarks."""
    strategies = sorted(held["strategy"].unique())
    table = held.pivot(index="strategy", columns="ticker", values="weight").fillna(0.0)
    for name in parameters.benchmark_names:
        if name not in table.index:
            table.loc[name, name] = 1.0
    table = table.fillna(0.0).sort_index(axis=0).sort_index(axis=1)
    totals = _totals(lined, moment, end, alive, table, parameters)
    rows = [
        _beside(totals, list(table.index).index(strategy), list(table.index).index(name), parameters).assign(
            strategy=strategy, benchmark=name
        )
        for strategy in strategies
        for name in parameters.benchmark_names
        if name != strategy
    ]
    frame = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)
    return frame.assign(session=lined.moments[moment], factor_session=lined.days[end])


def _totals(
    lined: Sample, moment: int, end: int, alive: Flags, table: pd.DataFrame, parameters: PortfolioExposureParameters
) -> _Totals:
    from etf_pipeline.risk.exposures.kernels import add_up

    place = lined.tickers.get_indexer(table.columns)
    there = (place >= 0) & alive[place]
    home = lined.regions[HOME]
    weights = np.ascontiguousarray(table.to_numpy(dtype=np.float64)[:, there])
    known, loadings, influence = add_up(
        lined.returns, lined.places, lined.funds, place[there].astype(np.int64), weights, end, home.values, home.available,
        int(lined.instants[moment]), parameters.window, parameters.min_observations,
    )  # fmt: skip
    sure = np.zeros(table.shape[1], dtype=bool)
    sure[np.flatnonzero(there)[known]] = True
    sure |= table.columns == CASH
    coverage = np.array([np.sum(row[sure]) for row in table.to_numpy(dtype=np.float64)])
    return _Totals(loadings, influence, coverage)


def _beside(totals: _Totals, one: int, other: int, parameters: PortfolioExposureParameters) -> pd.DataFrame:
    """A portfolio, its benchmark and the difference, one row per factor."""
    own, base = (_scaled(totals, i, parameters.min_coverage) for i in (one, other))
    lags = parameters.lags
    return pd.DataFrame(
        {
            "factor": np.array(FACTORS, dtype=object),
            "loading": own[0],
            "error": _errors(own[1], lags),
            "benchmark_loading": base[0],
            "active": own[0] - base[0],
            "active_error": _errors(own[1] - base[1], lags),
            "coverage": totals.coverage[one],
            "benchmark_coverage": totals.coverage[other],
        }
    )


def _scaled(totals: _Totals, i: int, least: float) -> tuple[Floats, Floats]:
    """Loadings and influences per unit of known weight; unknown where too little is."""
    known = totals.coverage[i]
    share = known if known >= least and known > 0.0 else np.nan
    return totals.loadings[i, 1:] / share, totals.influence[i] / share


def _errors(influence: Floats, lags: int) -> Floats:
    from etf_pipeline.risk.exposures.kernels import bandwidth, long_run

    n = len(influence)
    covariance = long_run(np.ascontiguousarray(influence), n, bandwidth(n, lags))
    return np.asarray(np.sqrt(np.diag(covariance))[1:], dtype=np.float64)
