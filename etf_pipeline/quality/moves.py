"""Rules that hold a bar against others: another source's, and the last accepted close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import DAY_NS, Bars, Flags, Ints
from etf_pipeline.quality.effects import Effects, source_ranks
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.refusals import Judgement
from etf_pipeline.quality.rules import refuses

SPLIT_RATIOS = np.array([2.0, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50])
"""Usual ratios, forward or reverse. 100 is not among them: it is far more often cents for dollars."""


@dataclass(frozen=True)
class Settled:
    """What became of the actions of each effect.

    Attributes
    ----------
    row : ndarray of shape (n_effects,)
        Row at which it was settled, or -1.
    outcome : ndarray of shape (n_effects,)
        Bits of `walk.SPLIT_NOT_SEEN`, `LARGE_DIVIDEND` and `SPECIAL_DIVIDEND`.
    """

    row: Ints
    outcome: npt.NDArray[np.int8]


def judge_sources(bars: Bars, effects: Effects, verdict: Judgement, parameters: QualityParameters) -> None:
    """Let one source speak for each ticker and session."""
    usable = verdict.accepted
    if not _is_shared(bars, usable):
        return
    from etf_pipeline.quality.speakers import BREAK, SECOND, choose_speakers, source_growth

    close, names = bars.column("close"), bars.sources.tolist()
    growth = source_growth(
        bars.code, bars.source, len(names), close, usable, bars.adjustment, effects.at, effects.split, effects.dividend
    )
    ranks = source_ranks(names, parameters.source_order)
    tolerance, gap = np.log1p(parameters.source_tolerance), np.log1p(parameters.source_gap)
    part, apart, other = choose_speakers(bars.code, bars.day, bars.source, ranks, close, usable, growth, tolerance, gap)

    def line(i: int) -> str:
        return f"close {close[i]:g} of {names[bars.source[i]]}"

    verdict.apply("second_source", part == SECOND, line)
    verdict.apply("source_break", part == BREAK, line)
    verdict.apply("source_disagreement", apart > 0, lambda i: f"{line(i)}, {line(int(other[i]))}: returns {apart[i]:.2%} apart")


def judge_moves(bars: Bars, effects: Effects, verdict: Judgement, parameters: QualityParameters) -> Settled:
    """Refuse bars that no accepted close leads to, and settle what becomes of the actions."""
    from etf_pipeline.quality.walk import MISSED_SPLIT, PRICE_JUMP, SPLIT_IN_DOUBT, walk_closes

    close, p = bars.column("close"), parameters
    limits = np.array([p.jump_factor, p.split_tolerance, p.max_dividend_yield, p.dividend_multiple, p.first_dividend_yield])
    names = ("missed_split", "price_jump", "split_not_seen", "large_dividend")
    decided, verdict.growth, verdict.previous, origin, settled, outcome = walk_closes(
        bars.code,
        close,
        verdict.accepted,
        _confirmed(bars, p.confirmed_jumps),
        bars.adjustment,
        effects.at,
        effects.split,
        effects.dividend,
        SPLIT_RATIOS,
        limits,
        p.split_patience,
        np.array([not refuses(name, p) for name in names]),
    )
    describe = _describe(bars, effects, Settled(settled, outcome), verdict, close, origin)
    verdict.apply("split_in_doubt", decided == SPLIT_IN_DOUBT, describe)
    verdict.apply("missed_split", decided == MISSED_SPLIT, lambda i: describe(i, of_split=True))
    verdict.apply("price_jump", decided == PRICE_JUMP, describe)
    return Settled(settled, outcome)


def _describe(
    bars: Bars, effects: Effects, settled: Settled, verdict: Judgement, close: Floats, origin: Ints
) -> Callable[..., str]:
    """How to tell a move from the last accepted close."""
    from etf_pipeline.quality.walk import SPLIT_NOT_SEEN

    unseen = settled.row[(settled.outcome & SPLIT_NOT_SEEN) > 0]

    def describe(i: int, of_split: bool = False) -> str:
        before, growth = int(verdict.previous[i]), float(verdict.growth[i])
        text = f"close {close[i]:g} after {close[before]:g} on {bars.date(before):%Y-%m-%d}, {growth:.4g} times"
        late = unseen[(unseen < i) & (unseen >= before)]
        if len(late):
            text += f"; a split given before was refused on {bars.date(int(late[-1])):%Y-%m-%d}, perhaps its date is wrong"
        if origin[i] >= 0 and origin[i] != i:
            return f"{text}; unexplained since {bars.date(int(origin[i])):%Y-%m-%d}"
        if not of_split:
            return text
        ratio = SPLIT_RATIOS[np.abs(np.abs(np.log(growth)) - np.log(SPLIT_RATIOS)).argmin()]
        return f"{text}, as a split of {f'{ratio:g}:1' if growth < 1 else f'1:{ratio:g}'} would"

    return describe


def _is_shared(bars: Bars, usable: Flags) -> bool:
    """Whether any ticker has a session from two sources."""
    rows = np.flatnonzero(usable)
    code, day = bars.code[rows], bars.day[rows]
    return bool(((code[1:] == code[:-1]) & (day[1:] == day[:-1])).any())


def _confirmed(bars: Bars, names: tuple[str, ...]) -> Flags:
    flags = np.zeros(len(bars), dtype=bool)
    for name in names:
        ticker, _, day = name.rpartition(":")
        code = bars.tickers.get_indexer(pd.Index([ticker]))
        flags |= (bars.code == code[0]) & (bars.day == pd.Timestamp(day).value // DAY_NS)
    return flags
