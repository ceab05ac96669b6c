"""A small market of twelve funds, written into a folder as a user would, for the tests of the `files` provider."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.orchestration.ingestion import session_table
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.files import FilesProvider
from etf_pipeline.recipes import run_sql
from etf_pipeline.returns import total_returns
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.sql_models import load_models

TICKERS = [f"F{i:02d}" for i in range(12)]
SESSIONS = calendars.sessions("XNYS", "2023-01-03", "2023-12-29")
KNOWN_UNTIL = pd.Timestamp("2024-01-02", tz="UTC")
LAYOUT = """
prices:
  - file: bars.csv
    need: required
    adjustment: raw
    columns: {currency: currency, dividend: dividend}
series:
  - {file: vix.csv, series: VIX}
factors: []
"""


def bars(seed: int = 7) -> pd.DataFrame:
    """Daily bars of every fund, a random walk with a common factor; sorted by ticker and date."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.008, len(SESSIONS))
    parts = []
    for ticker in TICKERS:
        close = 50 * np.exp(np.cumsum(market + rng.normal(0, 0.006, len(SESSIONS))))
        first = close * np.exp(rng.normal(0, 0.003, len(SESSIONS)))
        top = np.maximum(first, close) * (1 + rng.uniform(0, 0.004, len(SESSIONS)))
        bottom = np.minimum(first, close) * (1 - rng.uniform(0, 0.004, len(SESSIONS)))
        volume = rng.integers(20_000, 900_000, len(SESSIONS)).astype(float)
        frame = {"ticker": ticker, "date": SESSIONS, "open": first, "high": top, "low": bottom, "close": close, "volume": volume}
        parts.append(pd.DataFrame(frame))
    out = pd.concat(parts, ignore_index=True)
    out["dividend"] = np.where(out["date"] == SESSIONS[100], 0.25, 0.0)
    return out.assign(currency="USD")


def reference() -> pd.DataFrame:
    """One plain row per fund."""
    return pd.DataFrame(
        {
            "ticker": TICKERS,
            "name": [f"Fund {t}" for t in TICKERS],
            "category": "Large Blend",
            "family": "House",
            "aum_usd": 1e9,
            "expense_ratio_percent": 0.2,
            "inception": "2010-01-04",
            "fetchedAt": "2024-01-02T00:00:00",
        }
    )


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as the text that a CSV holds, so that single cells can be spoilt."""
    text = frame.assign(date=frame["date"].dt.strftime("%Y-%m-%d"))
    for name in ("open", "high", "low", "close", "volume", "dividend"):
        text[name] = [repr(float(v)) for v in frame[name]]
    return text


def write(folder: Path, text: pd.DataFrame, layout: str = LAYOUT) -> None:
    """Write bars, reference, VIX and layout.yaml."""
    folder.mkdir(exist_ok=True)
    text.to_csv(folder / "bars.csv", index=False)
    reference().to_csv(folder / "etf_reference.csv", index=False)
    vix = pd.DataFrame({"date": SESSIONS.strftime("%Y-%m-%d"), "value": 15.0})
    vix.to_csv(folder / "vix.csv", index=False)
    (folder / "layout.yaml").write_text(layout)


def fetch(folder: Path) -> RawMarket:
    """What the provider makes of the folder."""
    return FilesProvider(folder).fetch()


def staged(market: RawMarket) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Prices, actions, reference as the staging models would give them, and the rejects."""
    prices, actions = market.prices.copy(), market.actions.copy()
    funds = market.reference.drop(columns="source")
    for frame in (prices, actions, funds):
        frame["ticker"] = frame["ticker"].str.strip().str.upper()
    return prices, actions, funds.assign(is_geared=funds["leverage"] != 1), market.rejects


def marts(market: RawMarket) -> dict[str, pd.DataFrame]:
    """`stg_prices`, `stg_actions`, `stg_reference`, `fct_prices` and `fct_returns`, where `quality` refuses nothing.

    Made by the SQL files and functions that make them in a run, from the raw frames as they are.
    """
    raw = {"prices", "actions", "reference", "ticker_history"}
    tables = {f"raw_{name}": TABLES[f"raw_{name}"].to_arrow(getattr(market, name)) for name in raw}
    tables["quarantine"] = TABLES["quarantine"].arrow_schema.empty_table()
    tables["raw_sessions"] = TABLES["raw_sessions"].to_arrow(session_table(tables["raw_prices"], "XNYS"))
    models = load_models()
    for name in ("stg_ticker_history", "stg_prices", "stg_actions", "stg_reference", "fct_prices"):
        tables[name] = TABLES[name].conform(run_sql(models[name].sql, {n: tables[n] for n in models[name].dependencies}))
        TABLES[name].check(tables[name])
    made = {name: from_arrow(tables[name]) for name in ("stg_prices", "stg_actions", "stg_reference", "fct_prices")}
    return made | {"fct_returns": total_returns(made["fct_prices"])}
