"""Macro, rates, volatility and geopolitical series: unit, publication lag and where the lag comes from.

Where no release calendar is stored, a value counts as known `lag_days` after the *end* of its reference period, at
`release_time` New York time. Lags are the publishers' usual ones, rounded up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MacroSeries:
    """A series and when its values become public.

    Attributes
    ----------
    code : str
        Name in `raw_macro.series`.
    unit : str
        Unit of its values.
    frequency : {"D", "W", "M"}
        Length of the reference period.
    lag_days : int
        Calendar days from the end of the period to the release.
    release_time : str
        Time of day of the release, New York.
    vintage : {"first", "latest"}
        `first` where values are never revised; `latest` where the stored file holds final revisions.
    source : str
        Publisher, and the basis of the lag.
    feed : {"fred", "yahoo", "gpr"}
        Network source that carries it.
    symbol : str
        Its name there, where it is another.
    """

    code: str
    unit: str
    frequency: Literal["D", "W", "M"]
    lag_days: int
    release_time: str
    vintage: Literal["first", "latest"]
    source: str
    feed: Literal["fred", "yahoo", "gpr"] = "fred"
    symbol: str = ""

    @property
    def feed_name(self) -> str:
        """Name of the series in its network source."""
        return self.symbol or self.code


SERIES: dict[str, MacroSeries] = {
    s.code: s
    for s in (
        MacroSeries(
            "VIX",
            "index points",
            "D",
            0,
            "16:15",
            "first",
            "Cboe; known at the close of regular index-option trading",
            "yahoo",
            "^VIX",
        ),
        MacroSeries(
            "TBILL13W",
            "percent, bank discount, act/360",
            "D",
            0,
            "18:00",
            "first",
            "US Treasury daily bill rates, evening",
            "yahoo",
            "^IRX",
        ),
        MacroSeries("DGS10", "percent", "D", 1, "16:30", "first", "Federal Reserve H.15, next business day"),
        MacroSeries("T10Y2Y", "percent", "D", 1, "16:30", "first", "Federal Reserve H.15, next business day"),
        MacroSeries("T10YIE", "percent", "D", 1, "16:30", "first", "Federal Reserve H.15, next business day"),
        MacroSeries("EFFR", "percent", "D", 1, "09:00", "first", "Federal Reserve Bank of New York, next business morning"),
        MacroSeries("BAMLH0A0HYM2", "percent", "D", 1, "09:00", "first", "ICE BofA option-adjusted spread, next business day"),
        MacroSeries(
            "GPR",
            "index",
            "D",
            7,
            "12:00",
            "latest",
            "Caldara and Iacoviello daily index: updated every Monday, after a holiday on the next business day",
            "gpr",
            "GPRD",
        ),
        MacroSeries(
            "NFCI",
            "index",
            "W",
            5,
            "08:30",
            "latest",
            "Chicago Fed, the Wednesday after the week; re-estimated as a whole",
        ),
        MacroSeries("ICSA", "persons", "W", 5, "08:30", "latest", "Department of Labor, the Thursday after the week"),
        MacroSeries("FEDFUNDS", "percent", "M", 1, "16:30", "first", "Federal Reserve H.15, after the month"),
        MacroSeries("CPIAUCSL", "index", "M", 15, "08:30", "latest", "Bureau of Labor Statistics, mid-month"),
        MacroSeries(
            "UNRATE",
            "percent",
            "M",
            10,
            "08:30",
            "latest",
            "Bureau of Labor Statistics, first Friday or the week after",
        ),
        MacroSeries(
            "PAYEMS",
            "thousand persons",
            "M",
            10,
            "08:30",
            "latest",
            "Bureau of Labor Statistics, first Friday or the week after",
        ),
        MacroSeries("INDPRO", "index", "M", 18, "09:15", "latest", "Federal Reserve G.17, mid-month"),
        MacroSeries("UMCSENT", "index", "M", 1, "10:00", "latest", "University of Michigan final reading, end of the month"),
        MacroSeries("AUDUSD", "USD per AUD", "D", 0, "16:00", "first", "Spot at the New York close", "yahoo", "AUDUSD=X"),
    )
}
