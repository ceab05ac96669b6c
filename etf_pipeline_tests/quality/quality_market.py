"""Staged frames of a small clean market, for the tests of the quality room."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.providers.files.rejects import join_rejects
from etf_pipeline.quality import Inspection, QualityParameters, inspect
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import from_arrow

SESSIONS = calendars.sessions("XNYS", "2022-01-03", "2022-12-30")
TICKERS = tuple(f"F{i:02d}" for i in range(12))


def bars(n_sessions: int = 120, tickers: tuple[str, ...] = TICKERS, seed: int = 3, adjustment: str = "raw") -> pd.DataFrame:
    """Random walks with one common factor, as `stg_prices`."""
    rng = np.random.default_rng(seed)
    days = SESSIONS[:n_sessions]
    market = rng.normal(0, 0.008, n_sessions)
    parts = []
    for ticker in tickers:
        close = 50 * np.exp(np.cumsum(market + rng.normal(0, 0.006, n_sessions)))
        first = close * np.exp(rng.normal(0, 0.003, n_sessions))
        frame = {
            "session": days,
            "ticker": ticker,
            "traded_ticker": ticker,
            "open": first,
            "high": np.maximum(first, close) * 1.003,
            "low": np.minimum(first, close) * 0.997,
            "close": close,
            "volume": rng.integers(20_000, 900_000, n_sessions).astype(float),
        }
        parts.append(pd.DataFrame(frame))
    out = pd.concat(parts, ignore_index=True).assign(currency="USD", exchange="XNYS", adjustment=adjustment, source="bars")
    return out.assign(source_row=np.arange(len(out)))


def line(close: list[float], ticker: str = "F00", **columns: object) -> pd.DataFrame:
    """Bars of one fund with given closes, open, high and low equal to them."""
    prices = np.array(close, dtype=float)
    frame = {"session": SESSIONS[: len(close)], "ticker": ticker, **dict.fromkeys(("open", "high", "low", "close"), prices)}
    made = pd.DataFrame(
        {**frame, "traded_ticker": ticker, "volume": np.arange(len(close)) + 1000.0, "currency": "USD", "exchange": "XNYS"}
    )
    return made.assign(adjustment="raw", source="bars", source_row=np.arange(len(close))).assign(**columns)


def actions(*rows: tuple[str, int, str, float], announced: pd.Timestamp | None = None, source: str = "acts") -> pd.DataFrame:
    """Actions as (ticker, number of the session, kind, value), known at the open unless `announced`."""
    if not rows:
        return from_arrow(TABLES["stg_actions"].arrow_schema.empty_table())
    days = pd.DatetimeIndex([SESSIONS[i] for _, i, _, _ in rows])
    known = calendars.opens("XNYS", days) if announced is None else pd.Series([announced] * len(rows))
    return pd.DataFrame(
        {
            "ticker": [t for t, _, _, _ in rows],
            "ex_date": days,
            "kind": [k for _, _, k, _ in rows],
            "value": [v for _, _, _, v in rows],
            "pay_date": pd.DatetimeIndex([pd.NaT] * len(rows)).as_unit("ns"),
            "successor": None,
            "currency": "USD",
            "available_at": known.astype("datetime64[ns, UTC]"),
            "value_known_at": known.astype("datetime64[ns, UTC]"),
            "source": source,
            "source_row": np.arange(len(rows)),
        }
    )


def reference(tickers: tuple[str, ...] = TICKERS, currency: str = "USD") -> pd.DataFrame:
    """Plain funds as `stg_reference`, the columns that quality reads."""
    return pd.DataFrame({"ticker": list(tickers), "asset_class": "equity", "currency": currency, "exchange": "XNYS"})


def look(
    prices: pd.DataFrame,
    events: pd.DataFrame | None = None,
    funds: pd.DataFrame | None = None,
    known_until: pd.Timestamp | None = None,
    **parameters: object,
) -> Inspection:
    """Inspect, and hold both frames against their contracts."""
    found = inspect(
        prices,
        actions() if events is None else events,
        reference() if funds is None else funds,
        join_rejects([]),
        QualityParameters(**parameters),
        known_until,
    )
    for name, frame in (("quality_findings", found.findings), ("quarantine", found.quarantine), ("quality_rules", found.rules)):
        TABLES[name].check(TABLES[name].to_arrow(frame))
    return found


def refused(found: Inspection) -> dict[int, str]:
    """Row to rule of the bars in quarantine."""
    return _refused(found, "stg_prices")


def refused_actions(found: Inspection) -> dict[int, str]:
    """Row to rule of the actions in quarantine."""
    return _refused(found, "stg_actions")


def _refused(found: Inspection, dataset: str) -> dict[int, str]:
    rows = found.quarantine[found.quarantine["dataset"] == dataset]
    return dict(zip(rows["source_row"].tolist(), rows["rule"].tolist(), strict=True))


def listed(found: Inspection, rule: str) -> list[int]:
    """Rows with a finding of that rule."""
    return found.findings.loc[found.findings["rule"] == rule, "source_row"].tolist()
