"""From one session's rule to a lasting label: distance from the mean, then a walk with hysteresis and dwell."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.regimes.rule import BEAR, UNKNOWN, RegimeParameters, candidate, explain, may_stay


def detect(returns: pd.DataFrame, macro: pd.DataFrame, parameters: RegimeParameters | None = None) -> pd.DataFrame:
    """Label every session of the market.

    Parameters
    ----------
    returns : DataFrame of shape (n_rows, ...)
        `fct_returns`: columns `session`, `ticker`, `index_close`.
    macro : DataFrame of shape (n_rows, ...)
        `fct_macro`: columns `session`, `series`, `value`, `period`; each value as known at its session's close.
    parameters : RegimeParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame of shape (n_sessions, 7)
        `regimes`, one row per session in which the market fund has a bar.

    Raises
    ------
    DataError
        If the market fund or the volatility series is absent.

    Notes
    -----
    1. The rule alone gives a `candidate` (`rule.candidate`). It is unknown until the moving average is full.
    2. The state moves to the candidate, unless its own condition still holds with the thresholds loosened by the margins
       (hysteresis), or it has lasted fewer than `min_dwell` sessions. Into and out of `unknown` it moves at once, and so
       it does into a bear market: a wrong alarm costs a little turnover, a late one a fall.

    A label uses its own session and earlier ones: later data never change it. A smoothed probability would.
    """
    parameters = parameters or RegimeParameters()
    market = _market(returns, parameters.market_fund)
    index = np.asarray(market, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # an infinite index has no distance
        distance = index / trailing_means(index, parameters.window) - 1.0
    vix = _vix(macro, parameters).reindex(market.index).to_numpy(dtype=np.float64)
    table = pd.DataFrame({"session": market.index, "vix": vix, "distance_200": distance})
    labels = pd.DataFrame(_walk(zip(vix, distance, strict=True), parameters), columns=LABELS)
    return table.join(labels)[["session", *LABELS, "vix", "distance_200"]]


def trailing_means(values: Floats, window: int) -> Floats:
    """Mean of the last `window` values, each summed afresh: a poisoned value is forgotten once it has left.

    Examples
    --------
    >>> trailing_means(np.array([1.0, 2.0, 4.0]), 2).tolist()
    [nan, 1.5, 3.0]
    """
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        out[window - 1 :] = np.lib.stride_tricks.sliding_window_view(values, window).mean(axis=1)
    return out


LABELS = ["regime", "candidate", "reason", "days_in_state"]


def _market(returns: pd.DataFrame, ticker: str) -> pd.Series[float]:
    market = returns.loc[returns["ticker"] == ticker].set_index("session")["index_close"].sort_index()
    if market.empty:
        raise DataError(
            f"regimes needs the returns of '{ticker}' as its market; fct_returns holds {returns['ticker'].nunique()} other "
            "funds. Set `market` to one of them, or add it to the provider's tickers."
        )
    return market.astype(np.float64)


def _vix(macro: pd.DataFrame, parameters: RegimeParameters) -> pd.Series[float]:
    found = macro.loc[macro["series"] == parameters.vix_series]
    if found.empty:
        raise DataError(
            f"regimes needs series '{parameters.vix_series}' in fct_macro; found {sorted(macro['series'].unique())}. "
            "Set `vix_series`, or fetch it."
        )
    stale = (found["session"] - found["period"]).dt.days > parameters.max_age_days
    return found["value"].mask(stale).set_axis(found["session"]).astype(np.float64)


def _walk(states: Iterable[tuple[float, float]], parameters: RegimeParameters) -> list[tuple[str, str, str, int]]:
    rows: list[tuple[str, str, str, int]] = []
    regime, days = UNKNOWN, 0
    for vix, distance in states:
        rule = candidate(vix, distance, parameters)
        held = "" if UNKNOWN in (rule, regime) or rule == regime else _hold(regime, rule, days, (vix, distance), parameters)
        why = explain(rule, vix, distance, parameters)
        reason = f"{held}; the rule: {rule}, {why}" if held else why
        following = regime if held else rule
        days = days + 1 if following == regime else 1
        regime = following
        rows.append((regime, rule, reason, days))
    return rows


def _hold(regime: str, rule: str, days: int, state: tuple[float, float], parameters: RegimeParameters) -> str:
    """Why the state is not left although the rule says otherwise; empty if it is."""
    if may_stay(regime, *state, parameters):
        return f"{regime} held: within the margin"
    young = days < parameters.min_dwell and rule != BEAR
    return f"{regime} held: {days} of {parameters.min_dwell} sessions" if young else ""
