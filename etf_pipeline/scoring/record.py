"""What came of the scores under every weighting, session by session: the evidence on which weightings are compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.scoring.cross_section import Places, counts, descending_ranks, mean_ranks, means, sums
from etf_pipeline.scoring.parameters import RecordParameters
from etf_pipeline.scoring.parts import Parts, total
from etf_pipeline.scoring.weightings import WEIGHTINGS, States
from etf_pipeline.scoring.weights import SHARES, weight_table

WITH_MACRO = "regime_and_macro"
"""Weights by regime with the multipliers of the macro state; every other record leaves the multipliers out."""

RECORDED: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {name: (name, False) for name in WEIGHTINGS} | {WITH_MACRO: ("regime", True)}
)
"""What is recorded: a weighting, and whether the multipliers act."""

COLUMNS = (
    *("session", "weighting", "regime", "horizon", "n", "ic", "ic_within_class", "top_excess", "turnover", "claimable"),
    "available_at",
)


def scoring_record(
    forecasts: pd.DataFrame,
    features: pd.DataFrame,
    volatilities: pd.DataFrame,
    liquidity: pd.DataFrame,
    regimes: pd.DataFrame,
    membership: pd.DataFrame,
    realised: pd.DataFrame,
    reference: pd.DataFrame,
    parameters: RecordParameters | None = None,
    *,
    macro: pd.DataFrame | None = None,
    probabilities: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Scores under every weighting beside what the funds returned from the next open on.

    Parameters
    ----------
    forecasts, features, volatilities, liquidity, regimes, membership, macro, probabilities : DataFrame
        As for `composite`.
    realised : DataFrame
        `realised_errors`: total return of each forecast fund from the fill over the horizon. [fraction per horizon]
    reference : DataFrame
        `dim_etf`: asset class of each fund.

    Returns
    -------
    DataFrame
        `scoring_record`, one row per session whose outcome is known and weighting; none before the first label has ended.

    Notes
    -----
    ``ic`` is Spearman's correlation of score and outcome across the session's funds; ``ic_within_class`` the same of both less
    the mean of their asset class. ``top_excess`` is the mean outcome of the best `quantile` of the scored funds less that of all,
    before costs. ``turnover`` is one-way, of the equally weighted best `top` funds against those of `turnover_sessions` earlier.
    A record never mixes in multipliers that rest on final revisions, except the one that is there to judge them.
    """
    p = parameters or RecordParameters()
    parts = Parts.of(forecasts, features, volatilities, liquidity, membership, macro, p.winsor)
    states = States.of(parts.sessions, regimes, probabilities)
    table = weight_table(p.weights)
    told = realised[realised["realised_return"].notna()]
    y = parts.beside(told, "realised_return")
    if np.isnan(y).all():
        return pd.DataFrame(columns=COLUMNS)
    classes = reference.set_index("ticker")["asset_class"].reindex(parts.tickers).fillna("unknown")
    judge = _Outcomes(parts, y, pd.factorize(classes, sort=True)[0], told.groupby("session")["available_at"].max())
    rows = []
    for name, (weighting, multiplied) in RECORDED.items():
        weights = WEIGHTINGS[weighting](states, table)
        weights[:, len(SHARES) :] *= float(multiplied)
        figures = judge.figures(total(parts.contributions(weights)), p)
        rows.append(figures.assign(weighting=name, claimable=~judge.latest if multiplied else True))
    made = pd.concat(rows, ignore_index=True)
    place = parts.sessions.get_indexer(pd.DatetimeIndex(made["session"]))
    made = made.assign(regime=states.regime[place], horizon=int(forecasts["horizon"].iloc[0]))
    return made.sort_values(["weighting", "session"], kind="stable", ignore_index=True)


class _Outcomes:
    """Outcomes at the rows of the scored members, ranked once for every weighting."""

    def __init__(self, parts: Parts, y: Floats, classes: Places, available: pd.Series[Any]) -> None:
        self.parts, self.n = parts, len(parts.sessions)
        self.known = np.flatnonzero(~np.isnan(y))
        self.at, self.y = parts.at[self.known], y[self.known]
        self.group = self.at * (int(classes.max()) + 1) + classes[parts.fund[self.known]]
        self.pairs = np.flatnonzero(_sizes(self.group)[self.group] > 1)
        self.ranks, self.own_ranks = mean_ranks(self.y, self.at), self._within(self.y)
        self.judged = np.flatnonzero(_sizes(self.at, self.n) > 0)
        self.available = available.reindex(parts.sessions).to_numpy()
        self.latest = (np.bincount(parts.at, weights=parts.latest, minlength=self.n) > 0)[self.judged]

    def figures(self, score: Floats, p: RecordParameters) -> pd.DataFrame:
        """Figures of one weighting at every session whose outcome is known."""
        place = descending_ranks(score, self.parts.at)
        ic = _correlation(mean_ranks(score[self.known], self.at), self.ranks, self.at, self.n)
        own = self.at[self.pairs]
        within = _correlation(self._within(score[self.known]), self.own_ranks, own, self.n)
        figures = {
            "n": _sizes(self.at, self.n).astype(np.int64),
            "ic": ic,
            "ic_within_class": within,
            "top_excess": self._excess(place, p.quantile),
            "turnover": _turnover(place, self.parts, p.top, p.turnover_sessions),
            "available_at": self.available,
        }
        frame = pd.DataFrame({"session": self.parts.sessions} | figures).iloc[self.judged].reset_index(drop=True)
        return frame.assign(available_at=pd.to_datetime(frame["available_at"], utc=True))

    def _within(self, values: Floats) -> Floats:
        """Ranks within the session of values less the mean of their class, over classes of at least two."""
        n = int(self.group.max()) + 1
        own = values - means(values, self.group, n)[self.group]
        return mean_ranks(own[self.pairs], self.at[self.pairs])

    def _excess(self, place: npt.NDArray[np.int64], quantile: float) -> Floats:
        size = _sizes(self.parts.at, self.n)
        best = place <= np.ceil(quantile * size - 1e-9)[self.parts.at]
        excess = means(np.where(best[self.known], self.y, np.nan), self.at, self.n) - means(self.y, self.at, self.n)
        return np.where(size > 1, excess, np.nan)


def _sizes(groups: Places, n: int = 0) -> npt.NDArray[np.intp]:
    return np.bincount(groups, minlength=n)


def _correlation(a: Floats, b: Floats, at: Places, n: int) -> Floats:
    """Correlation of two ranks by session; unknown under three funds or where either side is constant.

    Ranks are multiples of one half, so that every sum here is exact.
    """
    middle = (counts(a, at, n) + 1.0) / 2.0
    x, y = a - middle[at], b - middle[at]
    xy, xx, yy = (sums(product, at, n) for product in (x * y, x * x, y * y))
    scale = np.sqrt(xx * yy)
    return np.where((middle >= 2.0) & (scale > 0), xy / np.where(scale > 0, scale, 1.0), np.nan)


def _turnover(place: npt.NDArray[np.int64], parts: Parts, top: int, gap: int) -> Floats:
    """One-way turnover by the year of the equally weighted best funds; unknown until there is something to turn over."""
    held = np.flatnonzero(place <= top)
    t, n, funds = parts.at[held], len(parts.sessions), len(parts.tickers)
    weight = 1.0 / np.minimum(_sizes(parts.at, n), top)
    key = t * funds + parts.fund[held]
    stays = (t >= gap) & np.isin(key - gap * funds, key)
    kept = np.minimum(weight[t[stays]], weight[t[stays] - gap])
    turned = 1.0 - np.bincount(t[stays], weights=kept, minlength=n)
    turned[turned < math.ulp(float(top))] = 0.0  # ten tenths
    return np.where(np.arange(n) >= gap, turned * (SESSIONS_PER_YEAR / gap), np.nan)
