"""Rules for corporate actions, held against the bars before their ex-date."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import Bars, Flags, days_of, last_true
from etf_pipeline.quality.findings import finding_rows
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.refusals import Judgement


def odd_actions(actions: pd.DataFrame, bars: Bars, verdict: Judgement, parameters: QualityParameters) -> list[pd.DataFrame]:
    """Findings about actions: dividends that are too large or counted already, and actions that two sources report."""
    order = actions.sort_values(["ticker", "ex_date", "kind", "source"], kind="stable").reset_index(drop=True)
    price, adjustment = _bar_before(order, bars, verdict)
    paid = (order["kind"] == "dividend").to_numpy()
    share = order["value"].to_numpy(dtype=np.float64) / price
    inside = paid & (adjustment == "split_dividend")
    large = paid & ~inside & (share > parameters.max_dividend_yield)
    again = order.duplicated(["ticker", "ex_date", "kind"], keep="first").to_numpy()
    amounts = [f"{v:g} after a close of {p:g}, {s:.1%}" for v, p, s in zip(order["value"], price, share, strict=True)]
    return [
        _of(order, large, "large_dividend", amounts),
        _of(order, inside, "dividend_on_adjusted", amounts),
        _of(order, again, "repeated_action", [f"{k} of {v:g} again" for k, v in zip(order["kind"], order["value"], strict=True)]),
    ]


def _bar_before(actions: pd.DataFrame, bars: Bars, verdict: Judgement) -> tuple[Floats, npt.NDArray[np.object_]]:
    """Close and adjustment of the last accepted bar before each ex-date; NaN and blank where there is none."""
    code = bars.tickers.get_indexer(pd.Index(actions["ticker"])).astype(np.int64)
    edge = bars.first_row_from(code, days_of(actions["ex_date"])) - 1
    row = np.where(edge >= 0, last_true(verdict.accepted)[np.maximum(edge, 0)], -1)
    own = (code >= 0) & (row >= 0)
    own[own] = bars.code[row[own]] == code[own]
    at = np.where(own, row, 0)
    adjustment = np.where(own, bars.frame["adjustment"].to_numpy(dtype=object)[at], "")
    return np.where(own, bars.column("close")[at], np.nan), adjustment


def _of(actions: pd.DataFrame, broken: Flags, rule: str, found: list[str]) -> pd.DataFrame:
    at = np.flatnonzero(broken)
    rows = actions.iloc[at].assign(session=actions["ex_date"].iloc[at], source_row=-1)
    return finding_rows("stg_actions", rows, rule, [found[i] for i in at])
