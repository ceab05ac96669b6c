"""Did yesterday's value at risk hold today? One-step forecasts for each strategy's ledger, from what was known, and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from etf_pipeline.conventions import CASH, SESSIONS_PER_YEAR, VAR_LEVEL
from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.panel import Floats, Panel
from etf_pipeline.stress.simulate import covariance_of
from etf_pipeline.validation import (
    ShortfallParameters,
    acerbi_szekely,
    christoffersen_coverage,
    christoffersen_independence,
    holm,
    kupiec,
    standard_tail,
    violations,
)

COLUMNS = [
    "strategy", "model", "level", "start", "end", "n", "exceptions", "expected", "rate", "mean_var", "kupiec_p", "independence_p",
    "christoffersen_p", "shortfall_z", "shortfall_p", "p_holm", "verdict", "mean_score",
]  # fmt: skip


@dataclass(frozen=True)
class VarBacktestParameters:
    """Which models and levels are judged.

    Attributes
    ----------
    levels : tuple of float
        Of the value at risk, each above a half.
    window : int
        Returns that historical models look back on. [sessions]
    warm_up : int
        Sessions of a ledger that are not judged; at least `window`.
    decay : float
        Of the exponentially weighted variance (RiskMetrics: 0.94 a day).
    degrees_of_freedom : float
        Of the Student-t model. More than 2.
    significance : float
        Of the verdicts, after Holm's correction over the tests of a strategy.
    minimum : int
        Judged sessions without which there is no verdict.
    shortfall_simulations : int
        Records drawn for the shortfall test: one over it is the smallest p value, which Holm multiplies by up to thirty.
    """

    levels: tuple[float, ...] = (VAR_LEVEL, 0.99)
    window: int = 500
    warm_up: int = 504
    decay: float = 0.94
    degrees_of_freedom: float = 5.0
    significance: float = 0.05
    minimum: int = 250
    shortfall_simulations: int = 2000

    def __post_init__(self) -> None:
        """Refuse what cannot be forecast."""
        if not all(0.5 < level < 1.0 for level in self.levels):
            raise SettingsError(f"levels lie between a half and one; found {self.levels}.")
        if not 20 <= self.window <= self.warm_up:
            raise SettingsError(f"var_backtests needs 20 <= window <= warm_up; found {self.window} and {self.warm_up}.")
        if self.degrees_of_freedom <= 2.0:
            raise SettingsError(f"degrees_of_freedom must exceed 2, or there is no variance; found {self.degrees_of_freedom}.")


class Forecast(NamedTuple):
    """Value at risk and expected shortfall of each session, known at the close before; positive, NaN where unknown. [fraction]"""

    var: Floats
    shortfall: Floats


def ewma_volatility(returns: Floats, decay: float, start: int = 75) -> Floats:
    """Volatility expected before each return; unknown for the first `start`, whose mean square begins it. [fraction]"""
    out = np.full(len(returns), np.nan)
    if len(returns) <= start:
        return out
    variance = float(np.mean(returns[:start] ** 2))
    for t in range(start, len(returns)):
        out[t] = np.sqrt(variance)
        variance = decay * variance + (1.0 - decay) * returns[t] ** 2
    return out


def historical(returns: Floats, window: int, level: float) -> Forecast:
    """Quantile of the returns before, and the mean beyond it.

    Notes
    -----
    The ``ceil(window (1 - level))`` worst of the window: the least of them is the VaR, their mean the shortfall.
    """
    n = len(returns)
    var, shortfall = np.full(n, np.nan), np.full(n, np.nan)
    if n > window:
        worst = int(np.ceil(window * (1.0 - level) - 1e-9))
        views = np.lib.stride_tricks.sliding_window_view(-returns, window)[: n - window]
        tail = np.sort(np.partition(views, window - worst, axis=1)[:, window - worst :], axis=1)
        var[window:], shortfall[window:] = tail[:, 0], tail.mean(axis=1)
    return Forecast(var, shortfall)


def forecasts(returns: Floats, known_volatility: Floats, level: float, p: VarBacktestParameters) -> dict[str, Forecast]:
    """Forecasts of each session by model.

    Parameters
    ----------
    returns : ndarray of shape (n_sessions,)
        Of the ledger. [fraction]
    known_volatility : ndarray of shape (n_sessions,)
        Volatility of the session as the covariance and the funds' volatility forecasts told it at the close before; NaN where
        nobody did. [fraction]

    Notes
    -----
    `covariance_gaussian`: normal, from holdings; `ewma_gaussian`, `ewma_t`: from the ledger's own past returns; `historical`: the
    quantile of the window; `filtered_history`: that of the window's shocks at the volatility expected now, as of Barone-Adesi et
    al. (1999). All with mean zero but the historical ones.
    """
    volatility = ewma_volatility(returns, p.decay)
    shocks = np.divide(returns, volatility, out=np.full(len(returns), np.nan), where=volatility > 0.0)
    first = int(np.isfinite(shocks).argmax())
    filtered = historical(shocks[first:], p.window, level)
    at = np.r_[np.full(first, np.nan), filtered.var], np.r_[np.full(first, np.nan), filtered.shortfall]
    normal = standard_tail(level)
    nu = p.degrees_of_freedom
    scale = np.sqrt((nu - 2.0) / nu)
    heavy = tuple(scale * value for value in standard_tail(level, nu))
    return {
        "covariance_gaussian": Forecast(known_volatility * normal[0], known_volatility * normal[1]),
        "ewma_gaussian": Forecast(volatility * normal[0], volatility * normal[1]),
        "ewma_t": Forecast(volatility * heavy[0], volatility * heavy[1]),
        "historical": historical(returns, p.window, level),
        "filtered_history": Forecast(volatility * at[0], volatility * at[1]),
    }


HEAVY = ("ewma_t", "historical", "filtered_history")
"""Models whose shortfall is tested against the t law; the p value of the last two is that law's, and not exact."""


def holdings_volatilities(
    sessions: Mapping[str, pd.DatetimeIndex], weights: pd.DataFrame, covariances: pd.DataFrame, volatilities: pd.DataFrame
) -> dict[str, Floats]:
    """Volatility of each session by the weights decided last, known at the close before; NaN where there is none.

    Parameters
    ----------
    sessions : mapping of str to DatetimeIndex
        Those of each strategy's ledger.
    weights : DataFrame
        `target_weights`.
    covariances, volatilities : DataFrame
        Correlations are those of the decision's session, volatilities the newest at the close before.

    Returns
    -------
    dict of str to ndarray of shape (n_sessions,)
        By strategy. [fraction per session]

    Notes
    -----
    ``sqrt(d' C d)`` with ``d = w sigma``. Weights stay as decided: between decisions they drift by a few percent of themselves.
    Funds without correlation or volatility are taken to move as the others do together.
    """
    found = {name: np.full(len(days), np.nan) for name, days in sessions.items()}
    told = Panel.of(volatilities)
    known = told.wide(volatilities["volatility"]) / np.sqrt(SESSIONS_PER_YEAR)
    decided = weights.loc[weights["strategy"].isin(list(sessions))]
    places = {name: _decisions(days, decided, name) for name, days in sessions.items()}
    covariances = covariances.loc[covariances["session"].isin(decided["session"].unique())]
    matrices = covariances.groupby("session").indices
    for session, held in decided.groupby("session", sort=True):
        rows = covariances.iloc[matrices[session]] if session in matrices else covariances.iloc[:0]
        tickers, covariance = covariance_of(sorted(set(held["ticker"]) - {CASH}), rows)
        for name, own in held.groupby("strategy", sort=True):
            now = np.flatnonzero(places[str(name)] == session)
            weight = own.loc[own["ticker"] != CASH].set_index("ticker")["weight"]
            before = told.sessions.get_indexer(sessions[str(name)][np.maximum(now - 1, 0)])
            at = told.tickers.get_indexer(pd.Index(tickers, dtype=object))
            sigma = np.where((before >= 0)[:, None] & (at >= 0) & (now > 0)[:, None], known[np.ix_(before, at)], np.nan)
            found[str(name)][now] = _volatility(weight, tickers, covariance, sigma)
    return found


def _decisions(days: pd.DatetimeIndex, weights: pd.DataFrame, strategy: str) -> Any:
    """Session at whose close the weights of each day were decided: the last one before that day; NaT before the first."""
    decisions = pd.DatetimeIndex(np.sort(weights.loc[weights["strategy"] == strategy, "session"].unique()))
    if decisions.empty:
        return np.full(len(days), np.datetime64("NaT", "ns"))
    last = decisions.searchsorted(days, side="left") - 1
    return np.where(last >= 0, decisions.to_numpy()[np.maximum(last, 0)], np.datetime64("NaT", "ns"))


def _volatility(weights: pd.Series[float], tickers: list[str], covariance: Floats, sigma: Floats) -> Floats:
    """Volatilities of a portfolio, of shape (n_sessions,), from its weights and the funds' own, (n_sessions, n_tickers)."""
    total = float(weights.sum())
    if total == 0.0 or not tickers:
        return np.full(len(sigma), 0.0 if total == 0.0 else np.nan)
    held = weights.reindex(tickers).fillna(0.0).to_numpy(dtype=np.float64)
    mine = (held > 0.0) & (np.diag(covariance) > 0.0)  # others' funds may lack a covariance with each other
    held, sigma, covariance = held[mine], sigma[:, mine], covariance[np.ix_(mine, mine)]
    known = np.isfinite(sigma)
    scaled = np.where(known, sigma, 0.0) * held / np.sqrt(np.diag(covariance))
    variance = np.maximum(np.sum((scaled @ covariance) * scaled, axis=1), 0.0)
    covered = known.astype(np.float64) @ held
    scale = np.divide(total, covered, out=np.full(len(sigma), np.nan), where=covered > 0.0)
    return np.asarray(np.sqrt(variance) * scale, dtype=np.float64)


def var_backtests(
    ledger: pd.DataFrame,
    target_weights: pd.DataFrame,
    covariances: pd.DataFrame,
    volatilities: pd.DataFrame,
    parameters: VarBacktestParameters | None = None,
) -> pd.DataFrame:
    """Judge the daily forecasts of every strategy's value at risk and expected shortfall.

    Parameters
    ----------
    ledger : DataFrame
        `backtest_ledger`; returns after costs count.
    target_weights, covariances, volatilities : DataFrame
        Those tables, for the forecasts from holdings.
    parameters : VarBacktestParameters, optional

    Returns
    -------
    DataFrame
        `var_backtests`, a row per strategy, model and level.

    Raises
    ------
    DataError
        If the ledger has no net rows.

    Notes
    -----
    `verdict`: `too_many` or `too_few` exceptions (Kupiec), `clustered` (Christoffersen), `too_shallow` (Acerbi and Szekely), else
    `holds`; `insufficient` with too few sessions. All p values of a strategy are corrected together by Holm; `p_holm` is the
    smallest of a row's three. `mean_score` is the joint score of VaR and ES that is smallest for the truth [1]_, to rank
    models that hold.

    References
    ----------
    .. [1] T. Fissler and J. Ziegel, "Higher order elicitability and Osband's principle," Annals of Statistics 44 (4), 2016; in
       the form of A. Patton, J. Ziegel and R. Chen, "Dynamic semiparametric models for expected shortfall (and Value-at-Risk),"
       Journal of Econometrics 211 (2), 2019, eq. 6. doi:10.1016/j.jeconom.2018.10.008
    """
    p = parameters or VarBacktestParameters()
    net = ledger.loc[ledger["cost_basis"] == "net"]
    if net.empty:
        raise DataError("var_backtests needs net rows of backtest_ledger; there are none. Materialise `backtest` first.")
    books = {str(name): days.sort_values("session") for name, days in net.groupby("strategy", sort=True)}
    sessions = {name: pd.DatetimeIndex(days["session"]) for name, days in books.items()}
    known = holdings_volatilities(sessions, target_weights, covariances, volatilities)
    rows = []
    for strategy, days in books.items():
        returns = days["daily_return"].to_numpy(dtype=np.float64)
        for level in p.levels:
            for model, forecast in forecasts(returns, known[strategy], level, p).items():
                rows.append({"strategy": strategy, **judged(sessions[strategy], returns, model, level, forecast, p)})
    return _with_verdicts(pd.DataFrame([row for row in rows if row["n"]]), p)


def judged(
    sessions: pd.DatetimeIndex, returns: Floats, model: str, level: float, forecast: Forecast, p: VarBacktestParameters
) -> dict[str, Any]:
    """One model at one level, on the sessions after the warm-up that it has a positive forecast of."""
    use = (np.arange(len(returns)) >= p.warm_up) & (forecast.var > 0.0) & (forecast.shortfall > 0.0)
    if not use.any():
        return {"n": 0}
    loss, var, shortfall = -returns[use], forecast.var[use], forecast.shortfall[use]
    hits = violations(loss, var)
    share, chain, both = (test(hits, level) for test in (kupiec, christoffersen_independence, christoffersen_coverage))
    law = ShortfallParameters(p.degrees_of_freedom if model in HEAVY else 0.0, p.shortfall_simulations)
    deep = acerbi_szekely(loss, var, shortfall, level, law)
    return {
        "model": model,
        "level": level,
        "start": sessions[use][0],
        "end": sessions[use][-1],
        "n": share.n,
        "exceptions": share.violations,
        "expected": share.expected,
        "rate": share.violations / share.n,
        "mean_var": float(var.mean()),
        "kupiec_p": share.p_value,
        "independence_p": chain.p_value,
        "christoffersen_p": both.p_value,
        "shortfall_z": deep.statistic,
        "shortfall_p": deep.p_value,
        "mean_score": float(np.mean(joint_score(loss, var, shortfall, level))),
    }


def joint_score(loss: Floats, var: Floats, shortfall: Floats, level: float) -> Floats:
    """Joint score of VaR and ES, lower is better; all positive, `shortfall` above zero.

    Examples
    --------
    >>> joint_score(np.array([0.01, 0.03]), np.array([0.02]), np.array([0.025]), 0.95).round(4).tolist()
    [-3.8889, 4.1111]
    """
    beyond = np.maximum(loss - var, 0.0)
    return np.asarray(beyond / ((1.0 - level) * shortfall) + var / shortfall + np.log(shortfall) - 1.0, dtype=np.float64)


TESTS: Mapping[str, str] = {"kupiec_p": "rate", "independence_p": "clustered", "shortfall_p": "too_shallow"}
"""Column of p values and what its rejection says."""


def _with_verdicts(rows: pd.DataFrame, p: VarBacktestParameters) -> pd.DataFrame:
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    raw = rows[list(TESTS)].to_numpy(dtype=np.float64)
    enough = rows["n"].to_numpy() >= p.minimum
    asked = np.isfinite(raw) & enough[:, None]
    corrected = np.full(raw.shape, np.nan)
    for places in rows.groupby("strategy").indices.values():
        corrected[places] = holm(np.where(asked[places], raw[places], np.nan).ravel()).reshape(-1, raw.shape[1])
    least = np.where(asked.any(axis=1), np.min(np.where(asked, corrected, 2.0), axis=1), np.nan)
    verdicts = [_verdict(row, corrected[i], bool(enough[i]), p) for i, row in enumerate(rows.to_dict("records"))]
    return rows.assign(p_holm=least, verdict=verdicts)[COLUMNS]


def _verdict(row: Mapping[Any, Any], corrected: Floats, enough: bool, p: VarBacktestParameters) -> str:
    if not enough:
        return "insufficient"
    failed = [name for name, value in zip(TESTS.values(), corrected, strict=True) if value < p.significance]
    if "rate" in failed:
        return "too_many" if row["exceptions"] > row["expected"] else "too_few"
    return failed[0] if failed else "holds"
