"""The dated frame of the simulated market: crises at their real dates, and rough levels that macro series pass through.

Only dates, depths and rounded levels come from history; every return in between is drawn. The depths are the well-known
peak-to-trough moves of the US market to the nearest percent, less what bills paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.panel import Floats

FIRST, LAST = "2005-01-03", "2024-06-28"
CALM_VOLATILITY = 0.135
"""Annual volatility of the market outside every episode."""
CALM_PREMIUM = 0.155
"""Annual log excess return of the market outside every episode: what the long run leaves once the crises are taken out."""

Regime = Literal["calm", "bear", "crisis", "recovery"]


@dataclass(frozen=True)
class Episode:
    """A dated stretch that is not calm: its log excess market return in total, and its annual volatility."""

    name: str
    start: str
    end: str
    regime: Regime
    market: float
    volatility: float


EPISODES = (
    Episode("credit crunch", "2007-10-10", "2008-09-12", "bear", -0.24, 0.20),
    Episode("Lehman", "2008-09-15", "2008-11-20", "crisis", -0.46, 0.52),
    Episode("global recession", "2008-11-21", "2009-03-09", "crisis", -0.12, 0.36),
    Episode("rebound", "2009-03-10", "2009-07-31", "recovery", 0.38, 0.24),
    Episode("flash crash and Greece", "2010-04-26", "2010-07-02", "bear", -0.16, 0.23),
    Episode("US downgrade", "2011-07-25", "2011-10-03", "crisis", -0.19, 0.30),
    Episode("China devaluation", "2015-08-18", "2015-09-29", "crisis", -0.10, 0.24),
    Episode("rate scare", "2018-10-03", "2018-12-24", "bear", -0.21, 0.21),
    Episode("pandemic", "2020-02-20", "2020-03-23", "crisis", -0.40, 0.62),
    Episode("reopening", "2020-03-24", "2020-06-08", "recovery", 0.36, 0.27),
    Episode("inflation", "2022-01-04", "2022-10-12", "bear", -0.28, 0.22),
)


@dataclass(frozen=True)
class Pin:
    """A stretch over which a factor's log return (for RATES: minus the change in yield) is made to add up to `total`."""

    factor: str
    start: str
    end: str
    total: float


PINS = (
    Pin("CREDIT", "2007-06-01", "2008-09-12", -0.040),
    Pin("CREDIT", "2008-09-15", "2008-11-20", -0.085),
    Pin("CREDIT", "2008-11-21", "2009-12-31", 0.160),
    Pin("CREDIT", "2011-07-25", "2011-10-03", -0.030),
    Pin("CREDIT", "2015-06-01", "2016-02-11", -0.030),
    Pin("CREDIT", "2020-02-20", "2020-03-23", -0.062),
    Pin("CREDIT", "2020-03-24", "2020-06-08", 0.045),
    Pin("CREDIT", "2022-01-04", "2022-10-12", -0.018),
    Pin("CMDTY", "2005-01-04", "2008-07-03", 0.45),
    Pin("CMDTY", "2008-07-07", "2009-02-18", -0.90),
    Pin("CMDTY", "2014-07-01", "2016-02-11", -0.80),
    Pin("CMDTY", "2020-01-06", "2020-04-28", -0.70),
    Pin("CMDTY", "2020-04-29", "2022-06-08", 0.95),
    Pin("GOLD", "2005-01-04", "2011-09-06", 1.30),
    Pin("GOLD", "2011-09-07", "2015-12-17", -0.58),
    Pin("GOLD", "2015-12-18", "2024-06-28", 0.75),
    Pin("MOM", "2009-03-10", "2009-05-29", -0.45),
    Pin("HML", "2017-01-03", "2020-09-30", -0.45),
    Pin("INTL", "2005-01-04", "2007-10-31", 0.20),
    Pin("INTL", "2007-11-01", "2024-06-28", -0.50),
)

ANCHORS: dict[str, str] = {
    "DGS10": """2005-01-03 4.2  2005-06-30 3.9  2005-12-30 4.4  2006-06-30 5.1  2006-12-29 4.7  2007-06-29 5.0
        2007-12-31 4.0  2008-06-30 4.0  2008-12-31 2.3  2009-06-30 3.5  2009-12-31 3.8  2010-06-30 3.0  2010-12-31 3.3
        2011-06-30 3.2  2011-12-30 1.9  2012-06-29 1.7  2012-12-31 1.8  2013-06-28 2.5  2013-12-31 3.0  2014-06-30 2.5
        2014-12-31 2.2  2015-06-30 2.4  2015-12-31 2.3  2016-06-30 1.5  2016-12-30 2.4  2017-06-30 2.3  2017-12-29 2.4
        2018-06-29 2.9  2018-12-31 2.7  2019-06-28 2.0  2019-12-31 1.9  2020-03-31 0.7  2020-06-30 0.7  2020-09-30 0.7
        2020-12-31 0.9  2021-06-30 1.5  2021-12-31 1.5  2022-06-30 3.0  2022-12-30 3.9
        2023-06-30 3.8  2023-12-29 3.9  2024-06-28 4.4""",
    "AUDUSD": """2005-01-03 0.78  2006-06-30 0.74  2007-12-31 0.88  2008-07-15 0.97  2008-10-27 0.61  2009-12-31 0.90
        2011-07-29 1.09  2013-04-11 1.05  2015-09-04 0.70  2018-01-26 0.80  2020-03-19 0.58  2021-02-25 0.79
        2022-10-13 0.63  2024-06-28 0.67""",
    "TBILL13W": """2005-01-03 2.2  2006-06-30 4.8  2007-07-31 4.8  2008-03-31 1.3  2008-09-12 1.5  2008-12-15 0.05
        2015-11-30 0.10  2016-12-15 0.5  2017-12-15 1.3  2018-12-20 2.4  2019-07-31 2.1  2020-02-28 1.4  2020-03-25 0.03
        2021-12-31 0.05  2022-06-30 1.7  2022-12-30 4.3  2023-07-31 5.2  2024-06-28 5.2""",
    "UNRATE": """2004-11-01 5.4  2006-12-01 4.4  2007-12-01 5.0  2009-10-01 10.0  2011-12-01 8.5  2013-12-01 6.7
        2015-12-01 5.0  2018-12-01 3.9  2020-02-01 3.5  2020-03-01 4.4  2020-04-01 14.8  2020-08-01 8.4  2021-12-01 3.9
        2022-12-01 3.5  2024-06-01 4.1""",
    "ICSA": """2004-12-04 330e3  2007-06-30 315e3  2009-03-28 660e3  2011-12-31 375e3  2014-12-27 285e3  2020-03-14 210e3
        2020-04-04 6.1e6  2020-05-30 1.6e6  2021-01-09 880e3  2021-12-25 205e3  2024-06-29 235e3""",
    "CPI_GROWTH": """2004-11-01 3.0  2008-06-01 4.5  2008-09-01 -6.0  2008-12-01 -4.0  2009-03-01 2.0  2015-01-01 0.8
        2019-12-01 2.2  2020-04-01 -3.0  2020-07-01 3.5  2021-06-01 8.0  2022-06-01 9.5  2022-12-01 3.5  2024-06-01 2.8""",
    "PAYEMS": """2004-11-01 132400  2007-12-01 138400  2010-02-01 129700  2020-02-01 152300  2020-04-01 130400
        2020-12-01 142500  2024-06-01 158600""",
    "INDPRO": """2004-11-01 94  2007-12-01 102  2009-06-01 84.7  2014-11-01 104  2020-02-01 101  2020-04-01 84.6
        2021-06-01 100  2024-06-01 103""",
    "UMCSENT": """2004-11-01 93  2007-01-01 97  2008-11-01 55  2011-08-01 56  2015-01-01 98  2020-02-01 101
        2020-04-01 72  2022-06-01 50  2024-06-01 68""",
}
"""Rounded levels by date, between which a series is interpolated (and disturbed)."""

GEOPOLITICAL_SHOCKS = (("2005-07-07", 1.0), ("2011-03-19", 0.7), ("2014-03-01", 0.6), ("2015-11-13", 1.0), ("2022-02-24", 1.7))
"""Dates and log jumps of the geopolitical risk index."""


def anchored(name: str, days: pd.DatetimeIndex) -> Floats:
    """Straight lines through the anchors of a series, at any days."""
    words = ANCHORS[name].split()
    when = pd.DatetimeIndex(words[::2]).to_numpy().astype("datetime64[D]").astype(float)
    where = days.to_numpy().astype("datetime64[D]").astype(float)
    return np.asarray(np.interp(where, when, np.asarray(words[1::2], dtype=float)), dtype=np.float64)


def anchor_dates(name: str) -> list[str]:
    """The dates at which a series has an anchor."""
    return ANCHORS[name].split()[::2]


def within(sessions: pd.DatetimeIndex, start: str, end: str) -> npt.NDArray[np.bool_]:
    """Which sessions lie in a dated stretch, both ends included."""
    return np.asarray((sessions >= pd.Timestamp(start)) & (sessions <= pd.Timestamp(end)), dtype=bool)


def regimes(sessions: pd.DatetimeIndex) -> pd.Series[str]:
    """The regime of every session: `calm` outside the episodes."""
    labels = np.full(len(sessions), "calm", dtype=object)
    for episode in EPISODES:
        labels[within(sessions, episode.start, episode.end)] = episode.regime
    return pd.Series(labels, index=sessions, name="regime")
