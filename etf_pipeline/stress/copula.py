"""Student-t copula: every fund keeps the shape of its own returns, and all of them may fall together.

Normal copulas have no tail dependence: the worst days of two funds become independent however high their correlation. Under the
t copula they do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats

CHUNK = 4096
"""Scenarios that are drawn at a time: 500 funds of these are 16 MB, which stay in a cache."""

STEPS, REACH = 4096, 500.0
"""Steps of a marginal law's table, even in x / (1 + |x|), and the t value that it reaches to: beyond one draw in 10^11."""

TAIL = 0.02
"""Share of the returns on either side that only a law can tell: their quantiles are those of the t law."""


@dataclass(frozen=True)
class Copula:
    """Joint law of funds.

    Attributes
    ----------
    root : ndarray of shape (n_assets, n_assets)
        Lower Cholesky factor of the correlations.
    knots : ndarray of shape (n_knots,)
        Values of the t law.
    quantiles : ndarray of shape (n_assets, n_knots)
        Return of each fund at these. [fraction]
    degrees_of_freedom : float
    """

    root: Floats
    knots: Floats
    quantiles: Floats
    degrees_of_freedom: float

    @classmethod
    def of(cls, past: Floats, volatility: Floats, correlation: Floats, degrees_of_freedom: float, minimum: int = 250) -> Copula:
        """From past returns, volatilities and correlations.

        Parameters
        ----------
        past : ndarray of shape (n_sessions, n_assets)
            Returns, NaN where unknown; they tell the shape only. [fraction]
        volatility : ndarray of shape (n_assets,)
            Standard deviation that each fund's law is scaled to. [fraction per session]
        correlation : ndarray of shape (n_assets, n_assets)
            Of the copula's t variables.
        degrees_of_freedom : float
            Of the copula and of the tails.
        minimum : int
            Returns below which a fund's law is the t law itself.

        Raises
        ------
        DataError
            If the correlations are not positive definite.

        Notes
        -----
        Marginal laws are the past's quantiles, demeaned, and in the outer two percent on either side quantiles of the t law that
        meet them there: as heavy a tail as that of a generalised Pareto law of index 1 / nu [1]_.

        References
        ----------
        .. [1] A. McNeil, R. Frey and P. Embrechts, "Quantitative Risk Management," 2nd ed., Princeton 2015, sections 5.2 and 7.3.
        """
        try:
            root = np.linalg.cholesky(correlation)
        except np.linalg.LinAlgError as error:
            raise DataError(
                f"a copula needs positive definite correlations; those of {len(correlation)} funds have the smallest eigenvalue "
                f"{np.linalg.eigvalsh(correlation)[0]:.2e}. Repair them, or drop duplicates."
            ) from error
        even = np.linspace(-1.0, 1.0, STEPS + 1) * REACH / (1.0 + REACH)
        knots = even / (1.0 - np.abs(even))
        shapes = np.array(
            [_shape(past[:, j], knots, degrees_of_freedom, minimum) for j in range(past.shape[1])], dtype=np.float64
        )
        return cls(np.asarray(root, dtype=np.float64), knots, shapes * volatility[:, None], degrees_of_freedom)

    def portfolios(self, weights: Floats, n: int, horizon: int, rng: np.random.Generator) -> Floats:
        """Session returns of portfolios that keep their weights.

        Parameters
        ----------
        weights : ndarray of shape (n_assets, n_portfolios)

        Returns
        -------
        ndarray of shape (n_portfolios, horizon, n)
            Sessions are independent. [fraction]
        """
        total = n * horizon
        out = np.empty((weights.shape[1], total))
        for start in range(0, total, CHUNK):
            stop = min(start + CHUNK, total)
            out[:, start:stop] = weights.T @ self.draw(stop - start, rng)
        return out.reshape(weights.shape[1], horizon, n)

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Returns of all funds in n independent sessions, of shape (n_assets, n). [fraction]"""
        mixing = np.sqrt(self.degrees_of_freedom / rng.chisquare(self.degrees_of_freedom, n))
        values = self.root @ rng.standard_normal((len(self.root), n))
        values *= mixing
        for j, table in enumerate(self.quantiles):
            values[j] = _look_up(values[j], table)
        return values


def stressed(correlation: Floats, share: float) -> Floats:
    """Correlations moved towards one by a share of the way; a mixture of two correlation matrices is one.

    Examples
    --------
    >>> stressed(np.array([[1.0, -0.2], [-0.2, 1.0]]), 0.5).tolist()
    [[1.0, 0.4], [0.4, 1.0]]
    """
    return np.asarray((1.0 - share) * correlation + share, dtype=np.float64)


def _look_up(values: Floats, table: Floats) -> Floats:
    """Linear interpolation in a table that is even in x / (1 + |x|): a quarter of the time of ``np.interp``, which searches."""
    place = values / (1.0 + np.abs(values))
    place *= (1.0 + REACH) / REACH * STEPS / 2.0
    place += STEPS / 2.0
    below = np.clip(place.astype(np.int32), 0, STEPS - 1)
    place -= below
    low = table[below]
    return np.asarray(low + place * (table[below + 1] - low), dtype=np.float64)


def _shape(past: Floats, knots: Floats, nu: float, minimum: int) -> Floats:
    """Quantiles of a law with variance one at the knots."""
    from scipy.stats import t

    known = past[np.isfinite(past)]
    found = knots
    if len(known) >= minimum and np.ptp(known) > 0.0:
        u = t.cdf(knots, nu)
        body = np.quantile(known - known.mean(), np.clip(u, TAIL, 1.0 - TAIL))
        edge = t.ppf(TAIL, nu)
        found = body * np.maximum(np.abs(knots / edge), 1.0)
    density = t.pdf(knots, nu)
    return np.asarray(found / np.sqrt(np.trapezoid(found * found * density, knots)), dtype=np.float64)
