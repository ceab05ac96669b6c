"""Parameters of the universe: when bars that stop mean an end, who may be a member, what looks like a split."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import home_market


@dataclass(frozen=True)
class LifecycleParameters:
    """When a series that stops is taken for a fund that ended.

    Attributes
    ----------
    silent_sessions : int
        Sessions without a bar, in which other funds of the exchange had one, that make an end. In the reference data the 132
        survivors miss no session; of the 28 funds that ended three were silent for 11 to 13 sessions before, four times in
        all, which a later row takes back. [sessions]
    """

    silent_sessions: int = 10


@dataclass(frozen=True)
class ScreenParameters:
    """Who may be a member.

    Attributes
    ----------
    exchange : str
        Main exchange; funds listed elsewhere have rows but are no members.
    allow_geared : bool
        Whether leveraged and inverse products may be members.
    ending_fates : tuple of str
        Announced ends that make a fund no candidate any more. A rename is none of them: the holding goes on.
    ending_notice : int
        How far ahead an announced end counts: the maturity of a note is known for years. [calendar days]
    min_history : int
        Bars that a fund needs. [sessions]
    window : int
        Length of the means of volume and traded value. [sessions]
    min_volume : float
        Mean volume, where volume is in the shares of its day. [shares]
    min_traded_value : float
        Mean traded value, where AUM is unknown or volume is in later shares. [currency of the thresholds]
    min_aum : float
        Latest published assets under management. [USD]
    max_aum_age : int
        Older AUM counts as unknown. [calendar days]
    stale_sessions : int
        Bars in a row without any trade that make a fund stale. [sessions]
    min_presence : float
        Bars over exchange sessions, along the last `window` bars, below which a fund is stale. [fraction]
    min_price : float
        Lowest close, where prices are raw. [currency of the thresholds]
    currency : str
        Currency of the thresholds of value and price; empty for that of the exchange. [ISO 4217]
    fx_series : tuple of str
        Where a fund trades in another currency: ``LISTING:SERIES``, with the macro series of the thresholds' currency per unit of
        the listing currency. A fund in a currency without a rate known by then fails both thresholds.
    """

    exchange: str = "XNYS"
    allow_geared: bool = False
    ending_fates: tuple[str, ...] = ("closure", "merger", "unknown")
    ending_notice: int = 365
    min_history: int = 252
    window: int = 20
    min_volume: float = 10_000.0
    min_traded_value: float = 1_000_000.0
    min_aum: float = 10_000_000.0
    max_aum_age: int = 400
    stale_sessions: int = 5
    min_presence: float = 0.5
    min_price: float = 1.0
    currency: str = ""
    fx_series: tuple[str, ...] = ("AUD:AUDUSD",)

    @property
    def threshold_currency(self) -> str:
        """Currency of the thresholds of value and price."""
        return self.currency or home_market(self.exchange).currency


@dataclass(frozen=True)
class DetectionParameters:
    """What looks like a split.

    Attributes
    ----------
    tolerance : float
        How far a move may lie from a usual ratio, in logarithms, as for the rule `missed_split` of `quality`. [log ratio]
    before : int
        Bars whose medians stand for the time before. [sessions]
    confirm : int
        Bars from the move on at which the level must have held. [sessions]
    min_volumes : int
        Bars with a trade that either side needs before volume is a witness. [sessions]
    max_excess : float
        How far volume may lie from what a split makes of it, in logarithms, to speak for one: a factor of three. [log ratio]
    """

    tolerance: float = 0.06
    before: int = 20
    confirm: int = 5
    min_volumes: int = 3
    max_excess: float = 1.1
