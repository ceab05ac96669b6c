"""Between two rebalances: holdings drift with what they earned, and some can no longer be held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats, wide


@dataclass
class Holdings:
    """What a strategy holds.

    Attributes
    ----------
    weights : ndarray of shape (n_assets,)
        Fund weights; what they lack to one is cash. [fraction of net asset value]
    since : int or None
        Position of the session in which they were decided; None before the first rebalance.
    at_close : bool
        Whether they were held at that session's close already, as a statement of holdings says; else they fill at the next open.
    """

    weights: Floats
    since: int | None = None
    at_close: bool = False


@dataclass(frozen=True)
class TotalReturns:
    """Total-return indices on the axes (sessions, tickers)."""

    sessions: pd.DatetimeIndex
    index_open: Floats = field(repr=False)
    index_close: Floats = field(repr=False)

    @classmethod
    def of(cls, returns: pd.DataFrame, tickers: pd.Index[Any]) -> TotalReturns:
        """From table `fct_returns`."""
        sessions = pd.DatetimeIndex(np.sort(returns["session"].unique()))
        opens, closes = (wide(returns, column, sessions, tickers) for column in ("index_open", "index_close"))
        return cls(sessions, opens, closes)

    def growth(self, decided: int, now: int, funds: npt.NDArray[np.intp] | None = None, *, at_close: bool = False) -> Floats:
        """Growth of one unit bought at the first open after session `decided`, to its last close until `now`.

        With `at_close` it was held at that session's close, or the last one before it. A fund without a bar in between has not
        moved: what it is worth is not known to be different. `funds` are positions; all if not given.
        """
        columns = np.arange(self.index_open.shape[1]) if funds is None else funds
        opens, closes = self.index_open[decided + 1 : now + 1, columns], self.index_close[decided + 1 : now + 1, columns]
        if not len(opens):
            return np.ones(len(columns))
        known = ~np.isnan(opens) & ~np.isnan(closes)
        place = np.arange(len(columns))
        first = known.argmax(axis=0)
        last = len(known) - 1 - known[::-1].argmax(axis=0)
        start = opens[first, place]
        if at_close:
            before = self._last_close(decided, columns)
            start = np.where(np.isnan(before), start, before)
        return np.where(known.any(axis=0), closes[last, place] / start, 1.0)

    def _last_close(self, row: int, columns: npt.NDArray[np.intp]) -> Floats:
        """The newest close of each fund up to a session; unknown where there is none."""
        closes = self.index_close[: row + 1, columns]
        known = ~np.isnan(closes)
        last = len(closes) - 1 - known[::-1].argmax(axis=0)
        return np.where(known.any(axis=0), closes[last, np.arange(len(columns))], np.nan)


def drift(holdings: Holdings, market: TotalReturns, now: int, risk_free: float) -> Floats:
    """Weights at the close of session `now` of what was decided earlier, cash growing at `risk_free`.

    Parameters
    ----------
    holdings : Holdings
        Target weights, filled at the open after they were decided.
    market : TotalReturns
        Realised total returns; only sessions up to `now` are read.
    now : int
        Position of the session.
    risk_free : float
        [fraction per year]

    Returns
    -------
    ndarray of shape (n_assets,)
        [fraction of net asset value]
    """
    return grown(holdings, market, now, risk_free)[0]


def grown(holdings: Holdings, market: TotalReturns, now: int, risk_free: float) -> tuple[Floats, float]:
    """As `drift`, with what one unit of the whole portfolio has become."""
    if holdings.since is None:
        return holdings.weights, 1.0
    held = np.flatnonzero(holdings.weights > 0)  # sums over holdings alone do not depend on who else has a column
    weights = holdings.weights[held]
    value = weights * market.growth(holdings.since, now, held, at_close=holdings.at_close)
    cash = max(1.0 - weights.sum(), 0.0) * (1.0 + risk_free * (now - holdings.since) / SESSIONS_PER_YEAR)
    drifted = np.zeros_like(holdings.weights)
    total = float(value.sum() + cash)
    drifted[held] = value / total
    return drifted, total


def candidates(
    score: Floats,
    eligible: npt.NDArray[np.bool_],
    held: npt.NDArray[np.bool_],
    *,
    count: int,
    keep_rank: int,
    alike: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.intp]:
    """Funds that an optimised strategy chooses from.

    Parameters
    ----------
    score : ndarray of shape (n_assets,)
        Higher is better.
    eligible : ndarray of bool of shape (n_assets,)
        Funds with a covariance, a score and a known cost.
    held : ndarray of bool of shape (n_assets,)
        Funds held now: each stays while it ranks within `keep_rank`.
    count, keep_rank : int
        Funds to choose from, and the rank that keeps a holding.
    alike : ndarray of bool of shape (n_assets, n_assets), optional
        Which funds carry the same risk: a fund enters only if none chosen before it, by rank after the holdings, is alike.

    Returns
    -------
    ndarray of shape (n_candidates,)
        Positions, sorted.

    Examples
    --------
    The second fund ranks third, outside the two best, but is held.

    >>> every = np.array([True] * 4)
    >>> candidates(np.array([4.0, 2.0, 3.0, 1.0]), every, np.array([False, True, False, False]), count=2, keep_rank=3).tolist()
    [0, 1]
    """
    ranked = np.flatnonzero(eligible)[np.argsort(-score[eligible], kind="stable")]
    chosen = [i for i in ranked[:keep_rank] if held[i]][:count]
    for i in ranked:
        if len(chosen) == count:
            break
        if i not in chosen and (alike is None or not alike[i, chosen].any()):
            chosen.append(i)
    return np.sort(np.array(chosen, dtype=np.intp))
