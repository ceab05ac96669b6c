"""Rules that refuse a bar: by itself, by its date and currency, and against its repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import NO_CALENDAR, NO_SESSION, Bars, Flags, Ints
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.rules import RULES, refuses

PRICES = ("open", "high", "low", "close")
NAMES = list(RULES)

Finding = tuple[str, Ints, Sequence[str]]
"""Rule, rows that break it, and what was found in each."""


@dataclass
class Judgement:
    """What was decided about each bar.

    Attributes
    ----------
    parameters : QualityParameters
        Among them which rules refuse.
    rule : ndarray of shape (n,)
        Number of the first rule that the bar broke, from 1 in the order of `RULES`; 0: accepted.
    found : dict
        What was found in each refused row.
    listed : list
        Findings about rows that were let through.
    growth : ndarray of shape (n,)
        Value of a share held since the last accepted close, over that close.
    previous : ndarray of shape (n,)
        Row of that close, or -1.
    """

    parameters: QualityParameters
    rule: npt.NDArray[np.uint8]
    found: dict[int, str] = field(default_factory=dict)
    listed: list[Finding] = field(default_factory=list)
    growth: Floats = field(default_factory=lambda: np.empty(0))
    previous: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def accepted(self) -> Flags:
        """Bars that broke no rule that refuses."""
        return cast(Flags, self.rule == 0)

    def apply(self, rule: str, broken: Flags, describe: Callable[[int], str]) -> None:
        """Refuse those bars that were accepted so far, or list them if the rule only lists."""
        rows = np.flatnonzero(broken & self.accepted)
        texts = [describe(i) for i in rows.tolist()]
        if not len(rows):
            return
        if refuses(rule, self.parameters):
            self.rule[rows] = NAMES.index(rule) + 1
            self.found.update(zip(rows.tolist(), texts, strict=True))
        else:
            self.listed.append((rule, rows, texts))

    def mark(self, rule: str, first: Ints, every: Flags, text: str) -> None:
        """List a rule once, at the rows `first`; where settings promote it, refuse `every` row."""
        if refuses(rule, self.parameters):
            self.apply(rule, every, lambda i: text)
        elif len(first):
            self.listed.append((rule, first, [text] * len(first)))

    def refused(self) -> tuple[Ints, list[str], list[str]]:
        """Rows refused, the rule of each and what was found."""
        rows = np.flatnonzero(self.rule)
        return rows, [NAMES[k - 1] for k in self.rule[rows]], [self.found[i] for i in rows.tolist()]


def judge_rows(
    bars: Bars, verdict: Judgement, reference: pd.DataFrame, parameters: QualityParameters, known_until: pd.Timestamp | None
) -> None:
    """Judge every bar by what stands in it, and against other rows of its source and session."""
    _judge_alone(bars, verdict, parameters)
    _judge_dates(bars, verdict, known_until)
    _judge_currency(bars, verdict, reference)
    _judge_repeats(bars, verdict)


def _judge_alone(bars: Bars, verdict: Judgement, parameters: QualityParameters) -> None:
    from etf_pipeline.quality.kernels import ALONE, judge_alone

    first, high, low, close = (bars.column(name) for name in PRICES)
    volume = bars.column("volume")
    bits = judge_alone(first, high, low, close, volume, parameters.price_tolerance, parameters.range_factor)

    def bar(i: int) -> str:
        return f"open {first[i]:g}, high {high[i]:g}, low {low[i]:g}, close {close[i]:g}"

    def shares(i: int) -> str:
        return "volume unknown" if np.isnan(volume[i]) else f"volume {volume[i]:g}"

    for bit, rule in enumerate(ALONE):
        verdict.apply(rule, (bits & (1 << bit)) > 0, shares if rule.endswith("volume") else bar)


def _judge_dates(bars: Bars, verdict: Judgement, known_until: pd.Timestamp | None) -> None:
    number, exchanges = bars.exchange
    if known_until is not None:
        limit = known_until.tz_localize("UTC") if known_until.tz is None else known_until.tz_convert("UTC")
        until = f"data known until {limit:%Y-%m-%d %H:%M} UTC"
        late = bars.close_at > limit.as_unit("ns").value
        verdict.apply("future_date", late, lambda i: f"session {bars.date(i):%Y-%m-%d}, {until}")
    verdict.apply("unknown_exchange", bars.position == NO_CALENDAR, lambda i: f"exchange '{exchanges[number[i]]}'")
    shut = bars.position == NO_SESSION
    verdict.apply("not_a_session", shut, lambda i: f"{bars.date(i):%A %Y-%m-%d}, {exchanges[number[i]]} was closed")


def _judge_currency(bars: Bars, verdict: Judgement, reference: pd.DataFrame) -> None:
    """A fund without a reference row is held against its own first bar."""
    number, names = bars.named("currency")
    told = reference.drop_duplicates("ticker").set_index("ticker")["currency"].reindex(bars.tickers)
    expected = pd.Index(names).get_indexer(pd.Index(told))
    expected = np.where(told.isna(), number[bars.starts], expected)
    wanted = told.where(told.notna(), pd.Series(names[number[bars.starts]], index=told.index)).to_numpy(dtype=object)
    wrong = number != expected[bars.code]
    verdict.apply("currency_mismatch", wrong, lambda i: f"{names[number[i]]}, the fund trades in {wanted[bars.code[i]]}")


def _judge_repeats(bars: Bars, verdict: Judgement) -> None:
    """Of exact repeats within a source the first stays; of bars that contradict each other none does."""
    usable = np.flatnonzero(verdict.accepted)
    code, day, source = bars.code[usable], bars.day[usable], bars.source[usable]
    same = np.append(False, (code[1:] == code[:-1]) & (day[1:] == day[:-1]) & (source[1:] == source[:-1]))
    tied = same | np.append(same[1:], False)
    if not same.any():
        return
    rows, starts = usable[tied], ~same[tied]
    group = np.cumsum(starts) - 1
    values = bars.rows(rows)[[*PRICES, "volume", "currency", "adjustment"]].reset_index(drop=True)
    conflict = (values.groupby(group).transform("nunique") > 1).any(axis=1).to_numpy()
    leader = dict(zip(rows.tolist(), rows[np.flatnonzero(starts)[group]].tolist(), strict=True))
    exact, torn = np.zeros(len(bars), dtype=bool), np.zeros(len(bars), dtype=bool)
    exact[rows], torn[rows] = ~starts & ~conflict, conflict

    def where(i: int) -> str:
        return f"row {bars.text('source_row', leader[i])} of {bars.text('source', leader[i])}"

    verdict.apply("duplicate_key", exact, lambda i: f"exact repeat of {where(i)}")
    verdict.apply("duplicate_key", torn, lambda i: f"contradicts other rows of the session, first {where(i)}")
