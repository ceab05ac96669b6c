"""Falls from a high: where each began, how deep it went, when it was over."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.panel import Floats

COLUMNS = [
    "strategy", "peak", "trough", "recovery", "depth", "sessions_down", "sessions_under", "is_open", "available_at",
]  # fmt: skip


def drawdowns_table(nav: Floats, sessions: pd.DatetimeIndex, strategy: str, *, threshold: float, exchange: str) -> pd.DataFrame:
    """`drawdowns` of one strategy.

    Parameters
    ----------
    nav : ndarray of shape (n_sessions,)
        Net asset value at each close. [USD]
    sessions : DatetimeIndex of shape (n_sessions,)
    strategy : str
    threshold : float
        Smallest fall that is listed. [fraction]
    exchange : str
        Whose closes say when a fall was over.

    Returns
    -------
    DataFrame
        One row per fall, in order of its peak; the last may be open. The peak is the last session at the high, the recovery
        the first one back at it or above.
    """
    at_high = np.flatnonzero(nav >= np.maximum.accumulate(nav))
    ends = np.append(at_high[1:], len(nav))
    under = ends - at_high > 1
    falls = [_fall(nav, int(peak), int(end)) for peak, end in zip(at_high[under], ends[under], strict=True)]
    rows = [fall for fall in falls if fall["depth"] >= threshold]
    frame = pd.DataFrame(rows, columns=["peak", "trough", "end", "depth"]).astype({"depth": np.float64})
    peak, trough, end = (frame[name].to_numpy(dtype=np.int64) for name in ("peak", "trough", "end"))
    is_open = end == len(nav)
    last = np.minimum(end, len(nav) - 1)
    out = {
        "strategy": np.full(len(frame), strategy, dtype=object),
        "peak": sessions[peak],
        "trough": sessions[trough],
        "recovery": sessions[last].where(~is_open),
        "depth": frame["depth"],
        "sessions_down": trough - peak,
        "sessions_under": last - peak,
        "is_open": is_open,
        "available_at": calendars.closes(exchange, sessions[last]),
    }
    return pd.DataFrame(out)[COLUMNS]


def _fall(nav: Floats, peak: int, end: int) -> dict[str, float]:
    trough = peak + int(np.argmin(nav[peak:end]))
    return {"peak": peak, "trough": trough, "end": end, "depth": float(1.0 - nav[trough] / nav[peak])}
