"""Rules for corporate actions, held against the bars around the session at which they take effect."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from etf_pipeline.quality.bars import ADJUSTED, Bars, Flags, Ints
from etf_pipeline.quality.effects import Effects
from etf_pipeline.quality.findings import finding_rows
from etf_pipeline.quality.moves import Settled
from etf_pipeline.quality.refusals import Judgement


def odd_actions(bars: Bars, effects: Effects, settled: Settled, verdict: Judgement) -> pd.DataFrame:
    """Findings about actions, each at the session at whose close it was made; an action breaks one rule at most.

    A repeat is told once it takes effect; a dividend or a split once a usable bar shows what the price did.
    """
    from etf_pipeline.quality.walk import LARGE_DIVIDEND, SPECIAL_DIVIDEND, SPLIT_NOT_SEEN

    ours = effects.place >= 0
    row = np.where(ours, settled.row[effects.place] if len(settled.row) else -1, -1)
    outcome = np.where(ours, settled.outcome[effects.place] if len(settled.row) else 0, 0)
    known, split = ours & (row >= 0), effects.kind == "split"
    inside = known & ~split & (bars.adjustment[np.maximum(row, 0)] == ADJUSTED.index("split_dividend"))
    found = _Texts(bars, effects, verdict, row)
    parts = [
        found.rows("repeated_action", effects.repeats >= 0, effects.row, found.repeat),
        found.rows("split_not_seen", known & split & ((outcome & SPLIT_NOT_SEEN) > 0), row, found.split),
        found.rows("large_dividend", known & ~split & ((outcome & LARGE_DIVIDEND) > 0), row, found.dividend),
        found.rows("special_dividend", known & ~split & ((outcome & SPECIAL_DIVIDEND) > 0), row, found.dividend),
        found.rows("dividend_on_adjusted", inside, row, found.dividend),
    ]
    return pd.concat([part for part in parts if len(part)], ignore_index=True) if any(map(len, parts)) else parts[0]


class _Texts:
    """How each action is described."""

    def __init__(self, bars: Bars, effects: Effects, verdict: Judgement, row: Ints) -> None:
        self.bars, self.effects, self.parameters = bars, effects, verdict.parameters
        self.row, self.previous, self.close = row, verdict.previous, bars.column("close")

    def rows(self, rule: str, broken: Flags, row: Ints, describe: Callable[[int], str]) -> pd.DataFrame:
        """Findings about those actions, at the sessions of `row`."""
        at = np.flatnonzero(broken)
        session = (self.bars.day[row[at]]).astype("datetime64[D]").astype("datetime64[ns]")
        made = self.effects.events.iloc[at].assign(session=session)
        return finding_rows("stg_actions", made, rule, [describe(int(i)) for i in at], self.parameters)

    def repeat(self, i: int) -> str:
        """An action and the one that it repeats."""
        events, other = self.effects.events, int(self.effects.repeats[i])
        kept = f"{events['value'].iat[other]:g} of {events['source'].iat[other]} for {events['ex_date'].iat[other]:%Y-%m-%d}"
        return f"{self.effects.kind[i]} of {self.effects.value[i]:g}; kept: {kept}"

    def split(self, i: int) -> str:
        """A split and the closes around it."""
        before, after = self._closes(i)
        return f"split of {self.effects.value[i]:g}, close {after:g} after {before:g}"

    def dividend(self, i: int) -> str:
        """A dividend and the closes around it."""
        before, after = self._closes(i)
        value = self.effects.value[i]
        return f"{value:g} after a close of {before:g}, {value / before:.1%}; next close {after:g}"

    def _closes(self, i: int) -> tuple[float, float]:
        before = self.previous[self.row[i]]
        return float(self.close[before]) if before >= 0 else float("nan"), float(self.close[self.row[i]])
