"""The features: one function each, and the table that names them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.features.inputs import FeatureInputs
from etf_pipeline.features.kernels import cumulative_product, lagged, rolling_max, rolling_sum, same_month_mean
from etf_pipeline.panel import Floats

YEAR, MONTH = SESSIONS_PER_YEAR, 21
NOISE = 1e-12
"""A variance below this fraction of the mean square is rounding: the series was constant, and ratios to it are unknown."""


@dataclass(frozen=True)
class Feature:
    """A predictor: what it means, and how it is computed from wide arrays.

    Attributes
    ----------
    description, unit : str
        As in `schemas.features`.
    family : str
        momentum, risk, trend, liquidity, comovement, calendar or income.
    lookback : int
        Earlier bars that a value depends on; 0 for all of them. [sessions]
    function : callable
        ``FeatureInputs -> ndarray of shape (n_sessions, n_assets)``.
    """

    description: str
    unit: str
    family: str
    lookback: int
    function: Callable[[FeatureInputs], Floats]


def momentum(x: FeatureInputs, window: int, skip: int = 0) -> Floats:
    """Total return from `window` to `skip` sessions ago.

    References
    ----------
    .. [1] N. Jegadeesh, S. Titman, "Returns to buying winners and selling losers," J. Finance 48 (1), 1993.
       doi:10.1111/j.1540-6261.1993.tb04702.x
    """
    return lagged(x.index, skip) / lagged(x.index, window) - 1


def volatility(x: FeatureInputs, window: int) -> Floats:
    """Annual sample volatility (ddof 1) of `window` session returns."""
    return np.sqrt(SESSIONS_PER_YEAR * _variance(x.total_return, window))


def volatility_ratio(x: FeatureInputs) -> Floats:
    """Monthly over half-yearly volatility: above one, risk is rising."""
    return _ratio(volatility(x, MONTH), volatility(x, 126))


def downside(x: FeatureInputs, window: int = 63) -> Floats:
    """Annual root mean square of negative returns: the square root of the lower partial moment around zero."""
    return np.sqrt(SESSIONS_PER_YEAR * rolling_sum(np.minimum(x.total_return, 0.0) ** 2, window) / window)


def skewness(x: FeatureInputs, window: int = 126) -> Floats:
    """Sample skewness ``n / ((n-1)(n-2)) * sum(z^3)`` with ddof 1, as pandas has it."""
    r, n = x.total_return, window
    mean, variance = rolling_sum(r, n) / n, _variance(r, n)
    second, third = rolling_sum(r * r, n), rolling_sum(r * r * r, n)
    central = third - 3 * mean * second + 2 * n * mean * mean * mean
    return n / ((n - 1) * (n - 2)) * _ratio(central, variance * np.sqrt(variance))


def drawdown(x: FeatureInputs, window: int = YEAR) -> Floats:
    """Fall from the window's highest close of the total-return index, positive."""
    return 1 - x.index / rolling_max(x.index, window)


def rsi(x: FeatureInputs, window: int = 14) -> Floats:
    """Cutler's relative strength index: simple means of gains and losses, so that it depends on its window alone."""
    gains = rolling_sum(np.maximum(x.total_return, 0.0), window)
    losses = rolling_sum(np.maximum(-x.total_return, 0.0), window)
    return 100 * _ratio(gains, gains + losses)


def distance(x: FeatureInputs, window: int = 200) -> Floats:
    """Total-return index over its own mean, less one."""
    return x.index * window / rolling_sum(x.index, window) - 1


def volume_trend(x: FeatureInputs) -> Floats:
    """Monthly over quarterly mean traded value, less one."""
    return _ratio(rolling_sum(x.traded_value, MONTH) / MONTH, rolling_sum(x.traded_value, 63) / 63) - 1


def amihud(x: FeatureInputs, window: int = MONTH) -> Floats:
    """Log of the mean |return| per million traded, over those of the window's sessions that traded.

    References
    ----------
    .. [1] Y. Amihud, "Illiquidity and stock returns," J. Financial Markets 5 (1), 2002. doi:10.1016/S1386-4181(01)00024-6
    """
    known = ~np.isnan(x.total_return)
    traded = x.traded_value > 0
    per_million = np.where(known, np.where(traded, 1e6 * _ratio(np.abs(x.total_return), x.traded_value), 0.0), np.nan)
    sessions = rolling_sum(np.where(known, traded.astype(np.float64), np.nan), window)
    mean = _ratio(rolling_sum(per_million, window), sessions)
    return np.log(np.where(mean > 0, mean, np.nan))


def correlation(x: FeatureInputs, window: int = 126) -> Floats:
    """Correlation with the market's return over sessions where both are known."""
    own, market = _paired(x)
    joint = _covariance(own, market, window)
    return np.clip(_ratio(joint, np.sqrt(_variance(own, window) * _variance(market, window))), -1.0, 1.0)


def residual_momentum(x: FeatureInputs) -> Floats:
    """Return of 252 to 21 sessions ago beyond beta times the market's, over its volatility.

    Notes
    -----
    With ``e = r - beta * m`` over the 231 sessions that end 21 ago and beta their own slope:
    ``sum(e) / (std(e) * sqrt(231))``, the t statistic of the residual's mean [1]_.

    References
    ----------
    .. [1] D. Blitz, J. Huij, M. Martens, "Residual momentum," J. Empirical Finance 18 (3), 2011.
       doi:10.1016/j.jempfin.2011.01.003
    """
    n = YEAR - MONTH
    own, market = _paired(x)
    joint, spread = _covariance(own, market, n), _variance(market, n)
    beta = _ratio(joint, spread)
    total = rolling_sum(own, n) - beta * rolling_sum(market, n)
    own_spread = _variance(own, n)
    unexplained = own_spread - beta * joint
    unexplained = np.where(unexplained > NOISE * own_spread, unexplained, np.nan)
    return lagged_at_bars(total / np.sqrt(n * unexplained), own, MONTH)


def seasonality(x: FeatureInputs) -> Floats:
    """Mean total return of the session's calendar month in earlier years, at least one.

    References
    ----------
    .. [1] S. Heston, R. Sadka, "Seasonality in the cross-section of stock returns," J. Financial Economics 87 (2), 2008.
       doi:10.1016/j.jfineco.2007.02.003
    """
    return same_month_mean(x.index, x.months, 1)


def dividend_yield(x: FeatureInputs, window: int = YEAR) -> Floats:
    """Dividends of the window over the close, both per share of today.

    Notes
    -----
    Shares split: a dividend per share of its day is first brought to the share of the fund's first bar by the splits so far,
    and so is the close. Unknown where the source has already taken dividends out of its prices.
    """
    shares = cumulative_product(x.split_ratio)
    return rolling_sum(x.dividend * shares, window) / (x.close * shares)


def lagged_at_bars(values: Floats, bars: Floats, lag: int) -> Floats:
    """The value `lag` bars ago, unknown ones included: `lagged` alone would reach past an unknown value to an older one."""
    marked = np.where(np.isnan(bars), np.nan, np.where(np.isnan(values), np.inf, values))
    earlier = lagged(marked, lag)
    return np.where(np.isinf(earlier), np.nan, earlier)


def _paired(x: FeatureInputs) -> tuple[Floats, Floats]:
    both = ~np.isnan(x.total_return) & ~np.isnan(x.market)
    return np.where(both, x.total_return, np.nan), np.where(both, x.market, np.nan)


def _covariance(a: Floats, b: Floats, n: int) -> Floats:
    return (rolling_sum(a * b, n) - rolling_sum(a, n) * rolling_sum(b, n) / n) / (n - 1)


def _variance(a: Floats, n: int) -> Floats:
    """Sample variance; zero where it drowns in rounding."""
    squares, total = rolling_sum(a * a, n), rolling_sum(a, n)
    centred = squares - total * total / n
    return np.where(centred > NOISE * squares, centred, np.where(np.isnan(squares), np.nan, 0.0)) / (n - 1)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient, unknown where the denominator is zero."""
    safe = np.where(denominator == 0, np.nan, denominator)
    return np.asarray(numerator / safe)


FEATURES: dict[str, Feature] = {
    "momentum_12_1": Feature(
        "Total return from 252 to 21 sessions ago", "fraction", "momentum", YEAR, lambda x: momentum(x, YEAR, MONTH)
    ),
    "momentum_126": Feature("Total return over 126 sessions", "fraction", "momentum", 126, lambda x: momentum(x, 126)),
    "momentum_63": Feature("Total return over 63 sessions", "fraction", "momentum", 63, lambda x: momentum(x, 63)),
    "momentum_21": Feature("Total return over 21 sessions", "fraction", "momentum", MONTH, lambda x: momentum(x, MONTH)),
    "reversal_5": Feature("Minus the total return over 5 sessions", "fraction", "momentum", 5, lambda x: -momentum(x, 5)),
    "volatility_21": Feature(
        "Annual volatility of 21 session returns", "fraction per year", "risk", MONTH, lambda x: volatility(x, MONTH)
    ),
    "volatility_ratio": Feature("21-session volatility over 126-session volatility", "ratio", "risk", 126, volatility_ratio),
    "downside_63": Feature("Annual root mean square of negative returns, 63 sessions", "fraction per year", "risk", 63, downside),
    "skewness_126": Feature("Sample skewness of 126 returns", "ratio", "risk", 126, skewness),
    "drawdown_252": Feature(
        "Fall from the 252-session high of the total-return index, positive", "fraction", "risk", YEAR - 1, drawdown
    ),
    "rsi_14": Feature("Cutler's relative strength index, 14 sessions", "0 to 100", "trend", 14, rsi),
    "distance_200": Feature("Total-return index over its 200-session mean, less 1", "fraction", "trend", 199, distance),
    "volume_trend": Feature("21-session over 63-session mean traded value, less 1", "fraction", "liquidity", 62, volume_trend),
    "amihud_21": Feature("Log of mean |return| per million traded, 21 sessions", "log 1/million", "liquidity", MONTH, amihud),
    "correlation_126": Feature(
        "Correlation with the equal-weighted market of members, 126 sessions", "correlation", "comovement", 126, correlation
    ),
    "residual_momentum": Feature(
        "Return of 252 to 21 sessions ago beyond beta times the market's, over its volatility",
        "ratio",
        "momentum",
        YEAR,
        residual_momentum,
    ),
    "seasonality": Feature(
        "Mean total return of the same calendar month in earlier years", "fraction per month", "calendar", 0, seasonality
    ),
    "dividend_yield": Feature(
        "Dividends of 252 sessions over the close", "fraction per year", "income", YEAR - 1, dividend_yield
    ),
}
"""Every feature by its column name. A new one is a function, a line here and a column in `schemas.features`."""
