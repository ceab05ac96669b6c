"""Rules that refuse a bar: by itself, against its repeats, and against the last accepted close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import NO_CALENDAR, NO_SESSION, Bars, Flags, Ints, effects
from etf_pipeline.quality.parameters import QualityParameters

PRICES = ("open", "high", "low", "close")

SPLIT_RATIOS = np.array([2.0, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50])
"""Usual ratios, forward or reverse. 100 is not among them: it is far more often cents for dollars."""

Texts = npt.NDArray[np.object_]


@dataclass
class Judgement:
    """What was decided about each bar.

    Attributes
    ----------
    rule, found : ndarray of shape (n,)
        First rule that the bar broke (empty: accepted) and what was found.
    growth : ndarray of shape (n,)
        Value of a share held since the last accepted close, over that close.
    previous : ndarray of shape (n,)
        Row of that close, or -1.
    """

    rule: Texts
    found: Texts
    growth: Floats
    previous: Ints

    @property
    def accepted(self) -> Flags:
        """Bars that broke no rule of severity `error`."""
        return cast(Flags, self.rule == "")

    def refuse(self, broken: Flags, rule: str, describe: Callable[[int], str]) -> None:
        """Refuse those bars that were accepted so far."""
        for i in np.flatnonzero(broken & self.accepted):
            self.rule[i], self.found[i] = rule, describe(int(i))


def judge(
    bars: Bars,
    actions: pd.DataFrame,
    reference: pd.DataFrame,
    parameters: QualityParameters,
    known_until: pd.Timestamp | None,
) -> Judgement:
    """Accept or refuse every bar, by nothing that came after it."""
    n = len(bars.frame)
    verdict = Judgement(np.full(n, "", dtype=object), np.full(n, "", dtype=object), np.full(n, np.nan), np.full(n, -1))
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN and zero are refused by the time that a ratio is read
        _judge_alone(bars, verdict, parameters)
    _judge_dates(bars, verdict, known_until)
    _judge_currency(bars, verdict, reference)
    _judge_repeats(bars, verdict)
    _judge_moves(bars, verdict, actions, parameters)
    return verdict


def _judge_alone(bars: Bars, verdict: Judgement, parameters: QualityParameters) -> None:
    prices = np.stack([bars.column(name) for name in PRICES])
    first, high, low, close = prices
    volume, slack = bars.column("volume"), parameters.price_tolerance

    def bar(i: int) -> str:
        return f"open {first[i]:g}, high {high[i]:g}, low {low[i]:g}, close {close[i]:g}"

    verdict.refuse(np.asarray(np.isnan(prices).any(axis=0)), "missing_price", bar)
    verdict.refuse(np.asarray(((prices <= 0) | np.isinf(prices)).any(axis=0)), "nonpositive_price", bar)
    verdict.refuse(np.isnan(volume), "missing_volume", lambda i: "volume unknown")
    verdict.refuse((volume < 0) | np.isinf(volume), "negative_volume", lambda i: f"volume {volume[i]:g}")
    verdict.refuse(high < low * (1 - slack), "high_below_low", bar)
    top, bottom = np.maximum(first, close), np.minimum(first, close)
    verdict.refuse((top > high * (1 + slack)) | (bottom < low * (1 - slack)), "outside_range", bar)
    spread = np.maximum(prices[:3] / close, close / np.where(prices[:3] > 0, prices[:3], np.nan))
    verdict.refuse(np.asarray((spread > parameters.range_factor).any(axis=0)), "wild_range", bar)


def _judge_dates(bars: Bars, verdict: Judgement, known_until: pd.Timestamp | None) -> None:
    days, exchange = bars.frame["session"], bars.frame["exchange"].to_numpy(dtype=object)
    if known_until is not None:
        limit = known_until.tz_localize("UTC") if known_until.tz is None else known_until.tz_convert("UTC")
        late = bars.close_at > limit.as_unit("ns").value
        verdict.refuse(late, "future_date", lambda i: f"session {days[i]:%Y-%m-%d}, data known until {limit:%Y-%m-%d %H:%M} UTC")
    verdict.refuse(bars.position == NO_CALENDAR, "unknown_exchange", lambda i: f"exchange '{exchange[i]}'")
    shut = bars.position == NO_SESSION
    verdict.refuse(shut, "not_a_session", lambda i: f"{days[i]:%A %Y-%m-%d}, {exchange[i]} was closed")


def _judge_currency(bars: Bars, verdict: Judgement, reference: pd.DataFrame) -> None:
    """A fund without a reference row is held against its own first bar."""
    told = reference.drop_duplicates("ticker").set_index("ticker")["currency"].reindex(bars.tickers).to_numpy(dtype=object)
    found = bars.frame["currency"].to_numpy(dtype=object)
    starts = np.searchsorted(bars.code, np.arange(len(bars.tickers)))
    expected = np.where(pd.isna(told), found[starts], told)[bars.code]
    verdict.refuse(found != expected, "currency_mismatch", lambda i: f"{found[i]}, the fund trades in {expected[i]}")


def _judge_repeats(bars: Bars, verdict: Judgement) -> None:
    """Of exact repeats the first stays; of bars that contradict each other none does."""
    usable = np.flatnonzero(verdict.accepted)
    code, day = bars.code[usable], bars.day[usable]
    same = np.append(False, (code[1:] == code[:-1]) & (day[1:] == day[:-1]))
    if not same.any():
        return
    group = np.cumsum(~same) - 1
    values = bars.frame.loc[usable, [*PRICES, "volume", "currency", "adjustment"]].reset_index(drop=True)
    conflict = (values.groupby(group).transform("nunique") > 1).any(axis=1).to_numpy()
    leader = usable[np.flatnonzero(~same)[group]]
    exact, torn = np.zeros(len(bars.frame), dtype=bool), np.zeros(len(bars.frame), dtype=bool)
    exact[usable], torn[usable] = same & ~conflict, conflict
    first = dict(zip(usable.tolist(), leader.tolist(), strict=True))

    def where(i: int) -> str:
        return f"row {bars.frame['source_row'][i]} of {bars.frame['source'][i]}"

    verdict.refuse(exact, "duplicate_key", lambda i: f"exact repeat of {where(first[i])}")
    verdict.refuse(torn, "duplicate_key", lambda i: f"contradicts other rows of the session, first {where(first[i])}")


def _judge_moves(bars: Bars, verdict: Judgement, actions: pd.DataFrame, parameters: QualityParameters) -> None:
    from etf_pipeline.quality.kernels import MISSED_SPLIT, PRICE_JUMP, walk_closes

    split, dividend = effects(bars, actions)
    close = bars.column("close")
    decided, verdict.growth, verdict.previous, origin = walk_closes(
        bars.code,
        close,
        verdict.accepted,
        _confirmed(bars, parameters.confirmed_jumps),
        split,
        dividend,
        SPLIT_RATIOS,
        parameters.jump_factor,
        parameters.split_tolerance,
    )
    days, before, growth = bars.frame["session"], verdict.previous, verdict.growth

    def move(i: int) -> str:
        return f"close {close[i]:g} after {close[before[i]]:g} on {days[before[i]]:%Y-%m-%d}, {growth[i]:.4g} times"

    def why(i: int) -> str:
        if origin[i] != i:
            return f"{move(i)}; unexplained since {days[origin[i]]:%Y-%m-%d}"
        if decided[i] == PRICE_JUMP:
            return move(i)
        ratio = SPLIT_RATIOS[np.abs(np.abs(np.log(growth[i])) - np.log(SPLIT_RATIOS)).argmin()]
        return f"{move(i)}, as a split of {f'{ratio:g}:1' if growth[i] < 1 else f'1:{ratio:g}'} would"

    verdict.refuse(decided == MISSED_SPLIT, "missed_split", why)
    verdict.refuse(decided == PRICE_JUMP, "price_jump", why)


def _confirmed(bars: Bars, names: tuple[str, ...]) -> Flags:
    flags = np.zeros(len(bars.frame), dtype=bool)
    for name in names:
        ticker, _, day = name.rpartition(":")
        flags |= ((bars.frame["ticker"] == ticker) & (bars.frame["session"] == pd.Timestamp(day))).to_numpy()
    return flags
