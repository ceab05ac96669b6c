"""Which of the short-lived funds close, and when: those that lost, and those that stayed small, close more often.

Each month a fund older than a year and a half meets a hazard that falls with its past two years' return relative to the other
funds of the cohort and rises as its assets shrink. That closures follow poor performance is what makes a universe of survivors
look better than what an investor could have held.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated.cohort import NICHES
from etf_pipeline.providers.simulated.funds import Ending, FundSpec
from etf_pipeline.providers.simulated.listings import Listings, first_last, last_position

MIN_AGE = 378
"""Sessions that an issuer waits at least."""
WINDOW = 504
"""Sessions of past return that it looks at, or since the launch."""
BASE = 0.0026
"""Hazard per month of a fund with the cohort's average return and `ENOUGH` assets."""
POOR, SMALL = 1.6, 0.55
"""Change of the log hazard per 25 % of return below the average, and per unit of log assets below `ENOUGH`."""
ENOUGH = 50e6
"""Assets that pay for a fund's costs. [USD]"""
MOST = 0.25
"""Hazard per month at most."""
MERGED = 0.12
"""Part of the closures that are mergers into a larger fund."""
NOTICE, PAY = (21, 43), (4, 8)
"""Sessions from the announcement to the last session (30 to 60 days), and from there to the payment (5 to 10 days)."""

MOST_COSTLY = 0.004
"""Liquidation value under the last close at most. [fraction]"""


def draw_fates(listings: Listings, rng: np.random.Generator) -> tuple[FundSpec, ...]:
    """The funds of a listing with the endings that their own history brought about.

    Parameters
    ----------
    listings : Listings
        Bars and assets as if no fund without a story had ended.
    """
    days, funds = listings.exchange.sessions, listings.exchange.funds
    months = np.flatnonzero(np.append(days.month[1:] != days.month[:-1], False))
    drawn = rng.random((len(months), len(funds)))
    terms = rng.random((len(funds), 4))
    closes = drawn < _hazard(listings, months)
    ended = []
    for j, fund in enumerate(funds):
        open_to = np.asarray(months >= _may_close(fund, days))
        decided = months[closes[:, j] & open_to]
        ended.append(_ended(fund, int(decided[0]), terms[j], listings, j) if len(decided) and fund.ending is None else fund)
    return tuple(ended)


def _may_close(fund: FundSpec, days: pd.DatetimeIndex) -> int:
    """Position from which on a fund may be given up: not soon after its launch, nor after a change of ticker."""
    begin = first_last(fund, days)[0] if fund.rename is None else last_position(fund.rename.last, days)
    return begin + MIN_AGE


def _hazard(listings: Listings, months: npt.NDArray[np.intp]) -> Floats:
    """Probability of being given up at each month's end, known at its close; shape (n_months, m)."""
    exchange = listings.exchange
    logs = np.cumsum(np.log1p(exchange.returns), axis=0)
    first = np.array([first_last(f, exchange.sessions)[0] for f in exchange.funds])
    begin = np.maximum(months[:, None] - WINDOW, first)
    begin = np.minimum(begin, months[:, None])
    earned = logs[months] - logs[begin, np.arange(len(first))]
    # a fund is compared with what the others earned over its own window
    average = np.cumsum(np.log1p(exchange.returns).mean(axis=1))
    relative = earned - (average[months][:, None] - average[begin])
    small = np.log(ENOUGH / listings.aum[months])
    return np.asarray(np.minimum(BASE * np.exp(-POOR * relative / 0.25 + SMALL * small), MOST), dtype=np.float64)


def _ended(fund: FundSpec, decided: int, terms: Floats, listings: Listings, j: int) -> FundSpec:
    """The fund with the ending that was decided at a position; none where it would come after the market's last session."""
    days = listings.exchange.sessions
    notice = int(NOTICE[0] + terms[0] * (NOTICE[1] - NOTICE[0]))
    last = decided + 1 + notice
    if last >= len(days):
        return fund
    pay = int(PAY[0] + terms[1] * (PAY[1] - PAY[0]))
    reason = "Assets too small" if listings.aum[decided, j] < ENOUGH / 2 else "Too little demand"
    day = str(days[last].date())
    if terms[2] < MERGED:
        merged = Ending("merger", day, NICHES[fund.index].parent, notice=notice, pay=1, reason="Merged into a larger fund")
        return replace(fund, ending=merged)
    haircut = round(MOST_COSTLY * float(terms[3]), 4)
    return replace(fund, ending=Ending("liquidation", day, haircut=haircut, notice=notice, pay=pay, reason=reason))
