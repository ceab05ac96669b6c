"""How likely the market is in its stressed state: a hidden Markov model, refitted once a year, filtered every session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.conventions import PERCENT, SESSIONS_PER_YEAR, home_market
from etf_pipeline.errors import EstimationError, SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.regimes.hidden_markov import HiddenMarkov, ahead, filtered, fit
from etf_pipeline.regimes.market import index_of

HORIZON = 21
"""How far `stressed_21` looks ahead. [sessions]"""

FITS = ["fit_session", "state", "mean", "volatility", "stay", "expected_duration", "share"]
ERRORS = ["mean_error", "volatility_error", "stay_error"]
COLUMNS = [*FITS, *ERRORS, "degrees_of_freedom", "log_likelihood", "n"]


@dataclass(frozen=True)
class HiddenMarkovParameters:
    """The chain behind the market's returns, and when it is estimated.

    Attributes
    ----------
    market : str
        Ticker whose returns stand for the market; empty for that of the exchange in `conventions.HOME_MARKETS`.
    exchange : str
        Exchange whose years' last sessions are the fit sessions.
    states : int
        States of the chain, from 2 to 4; the one with the largest variance is the stressed one.
    student : bool
        Whether returns in a state follow a t law instead of a normal one.
    min_sessions : int
        Returns that the first fit needs; probabilities are unknown before. [sessions]
    steps : int
        Steps of expectation-maximisation at most.
    tolerance : float
        Log-likelihood that a further step must gain. [nats]
    """

    market: str = ""
    exchange: str = "XNYS"
    states: int = 2
    student: bool = True
    min_sessions: int = 500
    steps: int = 100
    tolerance: float = 1e-4

    @property
    def market_fund(self) -> str:
        """The ticker that stands for the market."""
        return self.market or home_market(self.exchange).equity

    def __post_init__(self) -> None:
        """Refuse what no sample of daily returns can tell apart."""
        if not 2 <= self.states <= 4 or self.min_sessions < 100 * self.states:
            raise SettingsError(
                f"regime_probabilities needs 2 to 4 states and min_sessions of at least 100 for each; found {self.states} states "
                f"and {self.min_sessions} sessions. Change one of them."
            )


def probabilities(
    returns: pd.DataFrame, parameters: HiddenMarkovParameters | None = None, before: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Filtered probability of the stressed state at every session, and the fits behind it.

    Parameters
    ----------
    returns : DataFrame of shape (n_rows, ...)
        `fct_returns`: columns `session`, `ticker`, `index_close`.
    parameters : HiddenMarkovParameters, optional
        Defaults where omitted.
    before : DataFrame, optional
        `regime_probabilities` of the sessions before those of `returns`, where it is extended: only the new rows are made.

    Returns
    -------
    DataFrame of shape (n_sessions, 6)
        `regime_probabilities`.
    DataFrame of shape (n_fits * n_states, 13)
        `regime_fits`.

    Raises
    ------
    DataError
        If the market fund is absent.

    Notes
    -----
    At each year's last session (the calendar announces it) the chain is fitted to all returns so far. From the next session on
    the filter runs with those parameters, over the whole past, and only its rows up to the next fit are kept. So a probability
    rests on nothing later than its own close. One that is smoothed, or filtered with parameters of the whole sample, knows 2008
    in 2006. An unknown return moves the probability by the transition alone.

    "Stressed" is the more volatile of the states known by then: after two calm years it is a mild one.
    """
    parameters = parameters or HiddenMarkovParameters()
    index = index_of(returns, parameters.market_fund, before)
    known = 0 if before is None else len(before)
    values = _percent(np.asarray(index, dtype=np.float64))
    sessions = pd.DatetimeIndex(index.index)
    fits = _fits(values, sessions, known, parameters)
    table = pd.DataFrame({"session": sessions, "index_close": index.to_numpy(), "market_return": values * PERCENT})
    table["stressed"], table["stressed_21"], table["fit_session"] = np.nan, np.nan, pd.NaT
    table["fit_session"] = table["fit_session"].astype("datetime64[us]")
    starts = [*(last + 1 for last, _ in fits), len(values)]
    for (last, model), stop in zip(fits, starts[1:], strict=True):
        rows = slice(max(last + 1, known), stop)
        states = filtered(values[:stop], model)[rows]
        table.iloc[rows, 3], table.iloc[rows, 4] = states[:, -1], ahead(states, model, HORIZON)[:, -1]
        table.iloc[rows, 5] = sessions[last]
    made = [_described(sessions[last], model) for last, model in fits if last >= known]
    return table.iloc[known:].reset_index(drop=True), pd.concat(made, ignore_index=True) if made else _no_fits()


def fit_rows(sessions: pd.DatetimeIndex, exchange: str) -> list[int]:
    """Rows of the last sessions of the exchange's years, as far as the data have reached them.

    Examples
    --------
    >>> fit_rows(pd.DatetimeIndex(["2021-12-30", "2021-12-31", "2022-01-03", "2022-12-29"]), "XNYS")
    [1]
    """
    if not len(sessions):
        return []
    scheduled = calendars.sessions(exchange, sessions[0], sessions[-1] + pd.offsets.YearEnd(0))
    last = pd.Series(scheduled, index=scheduled.year).groupby(level=0).max()
    return [int(row) for row in np.flatnonzero(sessions.isin(pd.DatetimeIndex(last)))]


def _percent(index: Floats) -> Floats:
    """Simple returns in percent; unknown first, and where a level is unknown or not positive."""
    out = np.full(len(index), np.nan)
    with np.errstate(all="ignore"):
        out[1:] = (index[1:] / index[:-1] - 1.0) / PERCENT
    out[~np.isfinite(out)] = np.nan
    return out


def _fits(
    values: Floats, sessions: pd.DatetimeIndex, known: int, parameters: HiddenMarkovParameters
) -> list[tuple[int, HiddenMarkov]]:
    """Fits that rows from `known` on need: theirs, and the one before."""
    enough = np.cumsum(np.isfinite(values)) >= parameters.min_sessions
    rows = [row for row in fit_rows(sessions, parameters.exchange) if enough[row]]
    found: list[tuple[int, HiddenMarkov]] = []
    for row in reversed(rows):
        model = _fitted(values[: row + 1], parameters)
        if model is not None:
            found.append((row, model))
            if row < known:
                break
    return found[::-1]


def _fitted(values: Floats, parameters: HiddenMarkovParameters) -> HiddenMarkov | None:
    """The fit, or None where returns do not vary: then the last one goes on."""
    p = parameters
    try:
        return fit(values, states=p.states, student=p.student, steps=p.steps, tolerance=p.tolerance)
    except EstimationError:
        return None


def _described(session: pd.Timestamp, model: HiddenMarkov) -> pd.DataFrame:
    year, root = SESSIONS_PER_YEAR * PERCENT, np.sqrt(SESSIONS_PER_YEAR) * PERCENT
    columns: dict[str, Any] = {
        "fit_session": session,
        "state": np.arange(1, len(model.means) + 1),
        "mean": model.means * year,
        "volatility": model.deviations * root,
        "stay": np.diag(model.transition),
        "expected_duration": model.durations,
        "share": model.shares,
        "mean_error": model.mean_errors * year,
        "volatility_error": model.deviation_errors * root,
        "stay_error": model.stay_errors,
        "degrees_of_freedom": model.nu if model.nu > 0.0 else np.nan,
        "log_likelihood": model.log_likelihood,
        "n": model.n,
    }
    return pd.DataFrame(columns)


def _no_fits() -> pd.DataFrame:
    days = pd.DataFrame({"fit_session": pd.DatetimeIndex([]), "state": np.array([], dtype=np.int64)})
    return days.reindex(columns=COLUMNS).astype({"n": np.int64} | dict.fromkeys(COLUMNS[2:-1], float))
