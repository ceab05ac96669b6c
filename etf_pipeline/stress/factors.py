"""The market of factors: how they move together in calm and in crisis, and what one shock says about the others.

What is shocked are the factors as people name them, a yield in basis points, a spread, a price (`shocks.FACTORS`). What funds
load on are tradable returns (`multi_factor_betas`): the rate factor is the return of a Treasury fund, credit that of high yield
over it. Durations, estimated on the same weeks, lead from the one to the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import BPS, HOME_EQUITY
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.regression import ols
from etf_pipeline.stress.history import History
from etf_pipeline.stress.parameters import StressParameters
from etf_pipeline.stress.shocks import FACTORS, Shock

LOADED = ("equity", "rates", "credit", "commodity", "gold")
"""Factors that `multi_factor_betas` has loadings on. The others act through what they tell about these."""

STALE = 7
"""Age beyond which a published value is no longer that of a session. [calendar days]"""


@dataclass(frozen=True)
class FactorMarket:
    """How factors move.

    Attributes
    ----------
    names : tuple of str
        Factors with history, in the order of `FACTORS`.
    covariance : ndarray of shape (n_names, n_names)
        Stressed second moments of one session, in the factors' own units.
    rates_slope : float
        Log return of the rate factor per basis point of yield: minus its duration.
    credit_slopes : tuple of float
        Log return of the credit factor per basis point of spread and of yield.
    n_calm, n_crisis : int
        Weeks in either sample.
    """

    names: tuple[str, ...]
    covariance: Floats
    rates_slope: float
    credit_slopes: tuple[float, float]
    n_calm: int
    n_crisis: int

    @classmethod
    def of(cls, history: History, macro: pd.DataFrame, parameters: StressParameters) -> FactorMarket:
        """From returns of the factors' funds and from published yields, spreads and the VIX.

        Parameters
        ----------
        history : History
            Holds the funds of `StressParameters.factors` that are listed.
        macro : DataFrame
            `stg_macro`: `series`, `period`, `value`.
        parameters : StressParameters

        Raises
        ------
        DataError
            If not even the market has enough weeks.

        Notes
        -----
        Weeks of five sessions, not days: spreads and yields are fixed at other hours than closes. The covariance blends two
        samples, weeks that began or ended with the VIX at `crisis_vix` or above and all others, by `crisis_weight`: in crisis
        correlations differ [1]_. Moments are about zero, as a week's mean is lost in its deviation. A sample with fewer than
        `crisis_minimum` weeks says nothing, and the other stands alone.

        References
        ----------
        .. [1] G. Chow, E. Jacquier, M. Kritzman and K. Lowry, "Optimal portfolios in good times and bad," Financial Analysts
           Journal 55 (3), 65-73, 1999. doi:10.2469/faj.v55.n3.2273
        """
        moves, levels = weekly_moves(history, macro, parameters)
        names = tuple(name for name in FACTORS if name in moves and np.isfinite(moves[name]).sum() >= parameters.minimum_weeks)
        if "equity" not in names:
            raise DataError(
                f"factor shocks need {parameters.minimum_weeks} weeks of the market fund {parameters.market_fund}; "
                f"found {np.isfinite(moves['equity']).sum()}. Shorten minimum_weeks, or name another market."
            )
        sample = np.column_stack([moves[name] for name in names])
        known = np.isfinite(sample).all(axis=1)
        crisis = _crisis(levels, parameters.crisis_vix)[known]
        sample = sample[known]
        calm_moments, crisis_moments = _moments(sample[~crisis]), _moments(sample[crisis])
        weight = _blend(int((~crisis).sum()), int(crisis.sum()), parameters)
        covariance = ((1.0 - weight) * calm_moments + weight * crisis_moments) / parameters.week
        rates, credit = _slopes(moves, history, parameters)
        return cls(names, covariance, rates, credit, int((~crisis).sum()), int(crisis.sum()))

    @property
    def loaded(self) -> tuple[str, ...]:
        """Those of the names that funds may load on."""
        return tuple(name for name in LOADED if name in self.names)

    @property
    def duration(self) -> float:
        """Of the fund behind the rate factor. [years]"""
        return -self.rates_slope / BPS

    @property
    def spread_duration(self) -> float:
        """Of the funds behind the credit factor. [years]"""
        return -self.credit_slopes[0] / BPS

    def propagate(self, shocks: tuple[Shock, ...], alone: bool = False) -> tuple[Floats, Floats]:
        """Moves of all factors, given some, and what remains uncertain about them; nothing does where the others stand still.

        Returns
        -------
        move : ndarray of shape (n_names,)
            The given shocks, and for the others ``E[f2 | f1] = S21 S11^-1 f1``. [units of `FACTORS`]
        covariance : ndarray of shape (n_names, n_names)
            ``S22 - S21 S11^-1 S12`` of one session; zero for what is given.

        Notes
        -----
        Shocks to factors without history here are left out [1]_.

        References
        ----------
        .. [1] P. Kupiec, "Stress testing in a value at risk framework," Journal of Derivatives 6 (1), 7-24, 1998.
           doi:10.3905/jod.1998.408008
        """
        told = {shock.factor: shock.size for shock in shocks if shock.factor in self.names}
        given = np.array([name in told for name in self.names])
        move, left = np.zeros(len(self.names)), np.zeros_like(self.covariance)
        if not given.any():
            return move, self.covariance.copy()
        move[given] = [told[name] for name in self.names if name in told]
        if alone:
            return move, left
        slopes = np.linalg.solve(self.covariance[np.ix_(given, given)], self.covariance[np.ix_(given, ~given)]).T
        move[~given] = slopes @ move[given]
        rest = self.covariance[np.ix_(~given, ~given)] - slopes @ self.covariance[np.ix_(given, ~given)]
        left[np.ix_(~given, ~given)] = (rest + rest.T) / 2.0
        return move, left

    def returns(self, move: Floats) -> Floats:
        """Returns of the tradable factors `loaded` when the factors `names` move so. [fraction]

        Notes
        -----
        A fund of constant duration D has the log return ``-D dy``: its convexity is D squared.
        """
        return np.array(
            [float(np.expm1(self._log_slope(name) @ move)) if _is_log(name) else self._of(move, name) for name in self.loaded]
        )

    def slopes(self, move: Floats) -> Floats:
        """Derivatives of `returns`, of shape (n_loaded, n_names)."""
        out = np.zeros((len(self.loaded), len(self.names)))
        for i, name in enumerate(self.loaded):
            if _is_log(name):
                slope = self._log_slope(name)
                out[i] = slope * np.exp(slope @ move)
            else:
                out[i, self.names.index(name)] = 1.0
        return out

    def told(self, returns: dict[str, float]) -> dict[str, tuple[str, float]]:
        """Unit and move of the factors that make these returns of tradable ones: a yield's change instead of a fund's return."""
        out = {name: ("fraction", size) for name, size in returns.items()}
        yields = np.log1p(returns["rates"]) / self.rates_slope if returns.get("rates") and self.rates_slope else 0.0
        if "rates" in returns:
            out["rates"] = ("bp", float(yields))
        if "credit" in returns and self.credit_slopes[0]:
            spread = (np.log1p(returns["credit"]) - self.credit_slopes[1] * yields) / self.credit_slopes[0]
            out["credit"] = ("bp", float(spread))
        return out

    def _of(self, move: Floats, name: str) -> float:
        return float(move[self.names.index(name)])

    def _log_slope(self, name: str) -> Floats:
        """Log return of the rate or credit factor per unit of each factor."""
        per = {"rates": self.rates_slope} if name == "rates" else dict(zip(("credit", "rates"), self.credit_slopes, strict=True))
        return np.array([per.get(factor, 0.0) for factor in self.names])


def legs(parameters: StressParameters) -> dict[str, tuple[str, str]]:
    """Long and short fund of each factor that is a return; the short one is empty for a plain return.

    Examples
    --------
    >>> legs(StressParameters())["credit"]
    ('HYG', 'IEF')
    """
    found: dict[str, tuple[str, str]] = {}
    for text in parameters.factors:
        name, _, funds = text.partition("=")
        long, _, short = funds.partition("-")
        found[name] = (parameters.market_fund if long == HOME_EQUITY else long, short)
    return found


def factor_funds(parameters: StressParameters) -> set[str]:
    """Every fund that a factor is made of."""
    return {fund for pair in legs(parameters).values() for fund in pair if fund}


def tradable_returns(history: History, parameters: StressParameters, names: tuple[str, ...]) -> Floats:
    """Session returns of the factors `names`, of shape (n_sessions, n_names); NaN where one of its funds has none. [fraction]"""
    return np.column_stack([_difference(history.returns, history, legs(parameters)[name]) for name in names])


def weekly_moves(history: History, macro: pd.DataFrame, parameters: StressParameters) -> tuple[dict[str, Floats], Floats]:
    """Moves of each factor over weeks that end with the newest session, and the VIX at their ends, of shape (n_weeks + 1,).

    Weeks start anew every `StressParameters.week` sessions; a factor is unknown where its fund has no bar at either end or its
    series no value of the last seven days.
    """
    places = np.arange(len(history.sessions) - 1, -1, -parameters.week)[::-1]
    growth = history.index[places]
    moved = growth[1:] / growth[:-1] - 1.0
    levels = {name: published(macro, series, history.sessions[places]) for name, series in parameters.series.items()}
    moves = {name: 100.0 * np.diff(level) if FACTORS[name].unit == "bp" else np.diff(level) for name, level in levels.items()}
    for name, pair in legs(parameters).items():
        if name not in moves and all(fund in history.known for fund in pair if fund):
            moves[name] = _difference(moved, history, pair)
    return moves, levels["vix"]


def published(macro: pd.DataFrame, series: str, sessions: pd.DatetimeIndex) -> Floats:
    """Value of a series on each session by its period, not its release: what happened, not what was known then."""
    rows = macro.loc[macro["series"] == series].sort_values(["period", "available_at"], kind="stable")
    rows = rows.drop_duplicates("period", keep="last")
    if rows.empty:
        return np.full(len(sessions), np.nan)
    periods = pd.DatetimeIndex(rows["period"])
    at = periods.searchsorted(sessions, side="right") - 1
    fresh = (at >= 0) & ((sessions - periods[np.maximum(at, 0)]).days <= STALE)
    return np.where(fresh, rows["value"].to_numpy(dtype=np.float64)[np.maximum(at, 0)], np.nan)


def _difference(moves: Floats, history: History, pair: tuple[str, str]) -> Floats:
    long, short = pair
    return moves[:, history.column(long)] - (moves[:, history.column(short)] if short else 0.0)


def _is_log(name: str) -> bool:
    return name in ("rates", "credit")


def _crisis(vix: Floats, threshold: float) -> npt.NDArray[np.bool_]:
    high = np.nan_to_num(vix, nan=0.0) >= threshold
    return np.asarray(high[1:] | high[:-1])


def _moments(sample: Floats) -> Floats:
    return np.asarray(sample.T @ sample / max(len(sample), 1), dtype=np.float64)


def _blend(calm: int, crisis: int, p: StressParameters) -> float:
    """Weight of the crisis sample."""
    if crisis < p.crisis_minimum:
        return 0.0
    return 1.0 if calm < p.crisis_minimum else p.crisis_weight


def _slopes(moves: dict[str, Floats], history: History, p: StressParameters) -> tuple[float, tuple[float, float]]:
    """Log returns of the rate and credit factors per basis point, by least squares over all weeks; zero without history."""
    places = np.arange(len(history.sessions) - 1, -1, -p.week)[::-1]
    growth = np.log(history.index[places])
    steps = np.diff(growth, axis=0)
    found = {}
    for name, regressors in (("rates", ("rates",)), ("credit", ("credit", "rates"))):
        pair = legs(p).get(name, ("", ""))
        if not all(fund in history.known for fund in pair if fund) or not pair[0]:
            found[name] = np.zeros(len(regressors))
            continue
        y = _difference(steps, history, pair)
        x = np.column_stack([np.ones(len(y)), *(moves[factor] for factor in regressors)])
        known = np.isfinite(y) & np.isfinite(x).all(axis=1)
        enough = known.sum() >= p.minimum_weeks
        found[name] = ols(y[known], x[known]).coefficients[1:] if enough else np.zeros(len(regressors))
    return float(found["rates"][0]), (float(found["credit"][0]), float(found["credit"][1]))
