"""Rules for whole sessions of an exchange: was the feed cut before the close, or does it lack funds?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.panel import Floats
from etf_pipeline.quality.bars import Bars, Ints, days_of, session_lengths
from etf_pipeline.quality.findings import EVERYTHING, finding_rows
from etf_pipeline.quality.outliers import narrow_argsort
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.refusals import Judgement

VOLUME_SESSIONS, VOLUME_HISTORY = 63, 20
"""Trailing sessions whose median volume is a fund's usual one, and how many it takes at least: a quarter and a month."""
COUNTED_SESSIONS = 20
"""Sessions before whose median number of bars is the usual one."""


def odd_sessions(bars: Bars, verdict: Judgement, parameters: QualityParameters) -> list[pd.DataFrame]:
    """Findings about sessions with too little volume or too few bars, by exchange."""
    from etf_pipeline.quality.kernels import trailing_median

    volume = np.where(verdict.accepted, bars.column("volume"), np.nan)
    usual = trailing_median(bars.code, volume, VOLUME_SESSIONS, VOLUME_HISTORY)
    ratio = np.divide(volume, usual, out=np.full(len(bars), np.nan), where=usual > 0)
    number, exchanges = bars.exchange
    parts = []
    for i, exchange in enumerate(exchanges):
        mine = verdict.accepted if len(exchanges) == 1 else verdict.accepted & (number == i)
        rows = np.flatnonzero(mine)
        if len(rows):
            parts += _of_exchange(str(exchange), bars.day[rows], ratio[rows], parameters)
    return parts


def _of_exchange(exchange: str, day: Ints, ratio: Floats, parameters: QualityParameters) -> list[pd.DataFrame]:
    from etf_pipeline.quality.kernels import group_quantile

    first = int(day.min())
    session = day - first
    middle = group_quantile(session, narrow_argsort(session), ratio, 0.5, parameters.outlier_peers)
    days = calendars.sessions(exchange, _date(first), _date(int(day.max())))
    at = days_of(days.to_series()) - first
    table = pd.DataFrame({"session": days, "ratio": middle[at], "bars": np.bincount(session)[at]})
    low = table["ratio"] < parameters.thin_session * session_lengths(exchange, days)
    thin = table[low].assign(found=[f"median fund at {r:.0%} of its usual volume" for r in table["ratio"][low]])
    parts = [("thin_session", thin), ("hollow_session", _hollow(table, parameters))]
    return [_rows(exchange, rows, rule, parameters) for rule, rows in parts]


def _hollow(table: pd.DataFrame, parameters: QualityParameters) -> pd.DataFrame:
    """Sessions with few bars; one without any is told at the next that has some, since only then is it known to be missing."""
    usual = table["bars"].rolling(COUNTED_SESSIONS, min_periods=1).median().shift(1)
    hollow = (table["bars"] < parameters.hollow_session * usual) & (usual >= parameters.outlier_peers)
    rows = table.assign(usual=usual, told=table["session"].where(table["bars"] > 0).bfill())[hollow]
    text = [
        f"{b} bars on {s:%Y-%m-%d}, usually {u:.0f}" for b, s, u in zip(rows["bars"], rows["session"], rows["usual"], strict=True)
    ]
    joined = rows.assign(found=text).groupby("told")["found"].agg("; ".join)
    return joined.rename_axis("session").reset_index()


def _date(day: int) -> pd.Timestamp:
    return pd.Timestamp(day, unit="D")


def _rows(exchange: str, sessions: pd.DataFrame, rule: str, parameters: QualityParameters) -> pd.DataFrame:
    rows = sessions.assign(ticker=EVERYTHING, source=exchange, source_row=-1)
    return finding_rows("stg_prices", rows, rule, list(sessions["found"]), parameters)
