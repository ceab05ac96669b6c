"""Thresholds of the quality rules, and what breaking a rule leads to."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import BPS
from etf_pipeline.errors import SettingsError
from etf_pipeline.quality.rules import RULES


@dataclass(frozen=True)
class QualityParameters:
    """Where a bar stops being plausible.

    Attributes
    ----------
    price_tolerance : float
        Rounding allowed when open and close are held against low and high. [fraction]
    range_factor : float
        Open, high and low may be this many times the close, or its inverse. Real prints of 2010-05-06 and 2015-08-24 reach
        2.9 times in the reference data. [ratio]
    jump_factor : float
        The close may be this many times the last accepted one, or its inverse; the largest move of 160 real funds in 20 years,
        three-times leveraged ones included, is 1.63. [ratio]
    split_tolerance : float
        A move this close to a usual split ratio, in logarithms, is called a missed split. [log ratio]
    split_patience : int
        Bars that are refused while prices contradict a given split, before the split itself is: its date may be early. [sessions]
    confirmed_jumps : tuple of str
        Moves that somebody checked and found true, as ``TICKER:YYYY-MM-DD``: they are accepted.
    stale_sessions : int
        Identical closes with no or unchanging volume that make a stale run. [sessions]
    max_gap_sessions : int
        Missing sessions that are only noted (`missing_session`); more are a `calendar_gap`. [sessions]
    outlier_multiple : float
        Robust standard deviations beyond which a return is an outlier, widened by the session's own spread. At 8 the reference
        data give 4 alarms per 100,000 bars (2008: 5, March 2020: none). [ratio]
    outlier_window, outlier_history : int
        Trailing returns that set a fund's scale, and how many it takes at least. [sessions]
    outlier_recent : int
        Newest returns whose median widens that scale while a crisis lasts. [sessions]
    outlier_floor : float
        Smallest daily scale of a fund: bill funds hardly move. [fraction]
    outlier_peers, outlier_mates : int
        Funds that a session needs before their spread counts: of all classes, and of one. [count]
    max_dividend_yield : float
        Dividend over the last accepted close before it from which it is looked at. [fraction]
    dividend_multiple : float
        Such a dividend is refused if it is this many times the fund's median one and the price did not fall by half of it.
        [ratio]
    first_dividend_yield : float
        The limit in place of that multiple for a fund with fewer than three dividends before. [fraction]
    repeat_days : int
        Equal amounts that two sources date this close together are one action. [days]
    source_order : tuple of str
        Beginnings of source names, the preferred first. Sources that none matches follow, the one with the longer history first.
    source_tolerance : float
        Closes of two sources this close together are on one level, so that one may carry on where the other is silent. [fraction]
    source_gap : float
        Returns of two sources over the same sessions that lie further apart disagree. [log ratio]
    thin_session : float
        Volume of the median fund over its own median below which the feed may have been cut; half-days are allowed for. [ratio]
    hollow_session : float
        Bars of a session over those of the sessions before it below which the feed lacks funds. [ratio]
    refuse : tuple of str
        Rules that refuse their rows although by themselves they only list them.
    allow : tuple of str
        Rules that only list their rows although by themselves they refuse them.
    block : tuple of str
        Rules that stop the run, as ``rule:share`` of the newest session's bars that may break it; ``rule`` alone: none may.
    """

    price_tolerance: float = 1 * BPS
    range_factor: float = 5.0
    jump_factor: float = 3.0
    split_tolerance: float = 0.06
    split_patience: int = 1
    confirmed_jumps: tuple[str, ...] = ()
    stale_sessions: int = 5
    max_gap_sessions: int = 5
    outlier_multiple: float = 8.0
    outlier_window: int = 252
    outlier_history: int = 60
    outlier_recent: int = 15
    outlier_floor: float = 5 * BPS
    outlier_peers: int = 10
    outlier_mates: int = 5
    max_dividend_yield: float = 0.15
    dividend_multiple: float = 10.0
    first_dividend_yield: float = 0.30
    repeat_days: int = 5
    source_order: tuple[str, ...] = ()
    source_tolerance: float = 50 * BPS
    source_gap: float = 100 * BPS
    thin_session: float = 0.2
    hollow_session: float = 0.5
    refuse: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ("missed_split:0.1", "nonpositive_price:0.1", "price_jump:0.1", "hollow_session")

    def __post_init__(self) -> None:
        """Refuse names that no rule has, and the promotion or demotion of rules that allow of none."""
        for field in ("refuse", "allow"):
            fixed = [name for name in getattr(self, field) if name not in RULES or RULES[name].fixed]
            if fixed:
                free = ", ".join(name for name, rule in RULES.items() if not rule.fixed)
                raise SettingsError(
                    f"quality.{field} takes rules whose outcome may be chosen; {fixed} are not. Choose from: {free}."
                )
        wrong = [entry for entry in self.block if not _is_limit(entry)]
        if wrong:
            raise SettingsError(
                f"quality.block needs `rule` or `rule:share`, a rule of quality.RULES and a fraction; found {wrong}."
            )

    @property
    def limits(self) -> dict[str, float]:
        """Largest share of the newest session's bars by blocking rule."""
        return {name: float(share or 0) for name, _, share in (entry.partition(":") for entry in self.block)}


def _is_limit(entry: str) -> bool:
    name, _, share = entry.partition(":")
    return name in RULES and share.replace(".", "", 1).isdigit() if share else name in RULES
