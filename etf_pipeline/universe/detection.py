"""Splits that prices show but no action tells, and splits that an action tells but prices do not show.

A split moves price and volume against each other and leaves the traded value where it was. Nothing is adjusted: what is found is
proposed to a person, who adds it to `actions.csv` or mends the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.universe.bars import Bars, Ints, close_of, days_of, instant, instants_of
from etf_pipeline.universe.parameters import DetectionParameters

USUAL = np.array([2.0, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100])
"""Usual ratios, forward or reverse, as in `quality`; 100 too, since volume tells it from cents given for dollars."""

NEEDED = ["ticker", "session", "close", "volume", "exchange", "adjustment", "source"]

COLUMNS = (
    "ticker",
    "session",
    "kind",
    "ratio",
    "price_ratio",
    "volume_ratio",
    "value_ratio",
    "volume_says",
    "available_at",
    "evidence",
    "proposal",
)


def detect_actions(
    prices: pd.DataFrame, actions: pd.DataFrame, sessions: pd.DataFrame, parameters: DetectionParameters | None = None
) -> pd.DataFrame:
    """Compare the splits that prices show with those that actions tell.

    Parameters
    ----------
    prices : DataFrame
        `stg_prices`, refused bars included: after a split that nobody told, `quality` refuses every bar. Of several bars of
        one session the first counts.
    actions : DataFrame
        `stg_actions`, of which splits are read.
    sessions : DataFrame
        `raw_sessions`.

    Returns
    -------
    DataFrame
        `detected_actions`.

    Notes
    -----
    A missing split is a move between two closes that lies within `tolerance` of a usual ratio once the splits told by then are
    taken out, and that still stands `confirm` bars later. Volume is a witness, not a judge: it speaks for a split where its
    median moved nearer to the split's ratio than to none, and not many times further. It does for 23 of the 25 true splits of
    the simulated market (one that halves and doubles by itself hides a split of two); a crash on heavy volume looks the same.
    An unseen split is one at whose ex-date the close moved less than half of it, in logarithms. A row is known once the level is
    confirmed, and rests on nothing later.
    Ratios below 2 are not looked for: leveraged funds move that far by themselves.
    """
    parameters = parameters or DetectionParameters()
    series = _Series.of(prices, sessions)
    splits = actions[(actions["kind"] == "split") & (actions["value"] > 0)].reset_index(drop=True)
    rows = [*_missing(series, splits, parameters), *_unseen(series, splits, parameters)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["session"] = pd.to_datetime(frame["session"]).astype("datetime64[ns]")
    frame["available_at"] = pd.to_datetime(frame["available_at"], utc=True).astype("datetime64[ns, UTC]")
    numbers = ["ratio", "price_ratio", "volume_ratio", "value_ratio"]
    frame[numbers] = frame[numbers].astype(float)
    return frame.drop_duplicates(["ticker", "session", "kind"], keep="first").reset_index(drop=True)


@dataclass(frozen=True)
class _Series:
    """Plausible bars of every fund, one a session, with their closes in time. [UTC nanoseconds]"""

    bars: Bars
    close: Floats
    volume: Floats
    close_at: Ints

    @classmethod
    def of(cls, prices: pd.DataFrame, sessions: pd.DataFrame) -> _Series:
        bars = Bars.of(prices[NEEDED])
        close, close_at = bars.column("close"), close_of(bars, sessions)
        good = np.isfinite(close) & (close > 0) & (close_at >= 0)
        if not good.all():
            return cls.of(bars.frame[good], sessions)
        first = ~bars.repeats
        if not first.all():
            return cls.of(bars.frame[first], sessions)
        return cls(bars, close, bars.column("volume"), close_at)

    def same_fund(self, first: int, last: int) -> bool:
        """Whether both rows exist and belong to one fund."""
        return first >= 0 and last < len(self.close) and bool(self.bars.code[first] == self.bars.code[last])

    def stretch(self, row: int, before: int, after: int) -> tuple[slice, slice]:
        """The fund's last `before` bars before a row, and the `after` bars from it on."""
        start = int(self.bars.starts[self.bars.code[row]])
        return slice(max(start, row - before), row), slice(row, row + after)


def _missing(series: _Series, splits: pd.DataFrame, parameters: DetectionParameters) -> Iterator[dict[str, Any]]:
    close, code = series.close, series.bars.code
    step = np.append(np.inf, np.log(close[:-1] / close[1:]))
    step[np.append(True, code[1:] != code[:-1])] = 0.0
    for i in np.flatnonzero(np.abs(step) >= np.log(USUAL[0]) - parameters.tolerance):
        row, last = int(i), int(i) + parameters.confirm - 1
        if not series.same_fund(row, last):
            continue
        told = _told(series, splits, row, series.close_at[last])
        move = float(step[row] - np.log(told))
        nearest = USUAL[np.argmin(np.abs(np.abs(move) - np.log(USUAL)))]
        if abs(abs(move) - np.log(nearest)) > parameters.tolerance or not _holds(series, row, move + np.log(told), parameters):
            continue
        ratio = float(nearest if move > 0 else 1 / nearest)
        yield _row(series, row, "missing_split", ratio, told, parameters)


def _unseen(series: _Series, splits: pd.DataFrame, parameters: DetectionParameters) -> Iterator[dict[str, Any]]:
    for split in splits.sort_values(["ticker", "ex_date", "available_at"], kind="stable").to_dict("records"):
        fund = series.bars.tickers.get_indexer(pd.Index([split["ticker"]]))[0]
        expected = float(np.log(split["value"]))
        if fund < 0 or abs(expected) <= 2 * parameters.tolerance:
            continue
        first, stop = series.bars.starts[fund], series.bars.starts[fund + 1]
        row = int(first + np.searchsorted(series.bars.day[first:stop], days_of(pd.Series([split["ex_date"]]))[0]))
        last = row + parameters.confirm - 1
        if not series.same_fund(row - 1, last) or series.bars.code[row] != fund or series.bars.frame["adjustment"][row] != "raw":
            continue
        move = float(np.log(series.close[row - 1] / series.close[row]))
        if abs(move) < abs(move - expected):
            found = _row(series, row, "unseen_split", split["value"], 1.0, parameters)
            yield found | {"available_at": max(found["available_at"], split["available_at"])}


def _told(series: _Series, splits: pd.DataFrame, row: int, known_by: int) -> float:
    """Product of the splits told by an instant that take effect at a row; 1 where prices contain them already."""
    if series.bars.frame["adjustment"][row] != "raw":
        return 1.0
    own = splits[splits["ticker"] == series.bars.tickers[series.bars.code[row]]]
    day = days_of(own["ex_date"])
    here = (day > series.bars.day[row - 1]) & (day <= series.bars.day[row])
    here &= instants_of(own["available_at"]) <= known_by
    return float(np.prod(own["value"].to_numpy(dtype=np.float64)[here]))


def _holds(series: _Series, row: int, move: float, parameters: DetectionParameters) -> bool:
    """Whether the level before and after lie apart as the two closes do: a stray print returns."""
    before, after = series.stretch(row, parameters.confirm, parameters.confirm)
    apart = float(np.log(np.median(series.close[before]) / np.median(series.close[after])))
    return abs(apart - move) < abs(move) / 2


def _volumes(series: _Series, row: int, told: float, parameters: DetectionParameters) -> tuple[float, float]:
    """Median volume and traded value after a row over those before, told splits taken out; unknown where too few bars trade."""
    sides = series.stretch(row, parameters.before, parameters.confirm)
    shares = [series.volume[side] for side in sides]
    values = [series.volume[side] * series.close[side] for side in sides]
    traded = [np.isfinite(v) & (v > 0) for v in shares]
    if min(int(t.sum()) for t in traded) < parameters.min_volumes:
        return np.nan, np.nan
    before, after = (float(np.median(v[t])) for v, t in zip(shares, traded, strict=True))
    value_before, value_after = (float(np.median(v[t])) for v, t in zip(values, traded, strict=True))
    return after / before / told, value_after / value_before


def _witness(volume_ratio: float, ratio: float, parameters: DetectionParameters) -> str:
    """What volume says of a split of that ratio."""
    if np.isnan(volume_ratio):
        return "nothing"
    moved, excess = abs(np.log(volume_ratio)), abs(np.log(volume_ratio / ratio))
    return "split" if excess < moved and excess <= parameters.max_excess else "no_split"


def _row(series: _Series, row: int, kind: str, ratio: float, told: float, parameters: DetectionParameters) -> dict[str, Any]:
    bar, close = series.bars.frame.iloc[row], series.close
    volume_ratio, value_ratio = _volumes(series, row, told, parameters)
    says = _witness(volume_ratio, ratio, parameters)
    words = "volume cannot tell" if says == "nothing" else f"volume {volume_ratio:.3g} times, value {value_ratio:.3g} times"
    return {
        "ticker": bar["ticker"],
        "session": bar["session"],
        "kind": kind,
        "ratio": ratio,
        "price_ratio": float(close[row - 1] / close[row]),
        "volume_ratio": volume_ratio,
        "value_ratio": value_ratio,
        "volume_says": says,
        "available_at": instant(series.close_at[row + parameters.confirm - 1]),
        "evidence": f"close {close[row]:g} after {close[row - 1]:g}, {words}; {bar['source']} is '{bar['adjustment']}'",
        "proposal": f"{bar['ticker']},{bar['session']:%Y-%m-%d},split,{ratio:.10g}",
    }
