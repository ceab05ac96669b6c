"""The schema gate: checking a table of twelve million rows against its contract, beside pandera on pandas."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pandas_schema
import pyarrow as arrow

from etf_pipeline.schemas import TABLES

ROWS = 12_000_000


def run() -> list[dict[str, Any]]:
    """Time both gates on the same rows; accuracy is the share of planted faults that ours misses."""
    contract = TABLES["fct_prices"]
    table = _prices(ROWS)
    broken = table.slice(0, 1000).set_column(
        table.schema.get_field_index("close"), "close", arrow.array(np.where(np.arange(1000) % 100, 50.0, -1.0))
    )
    missed = 0.0 if _fails(contract, broken) else 1.0
    ours = _best(lambda: contract._rule_problems(_polars(table)))
    schema = pandas_schema.DataFrameSchema(
        {
            name: pandas_schema.Column(nullable=bool(col.nullable), checks=list(col.checks))
            for name, col in contract.columns.items()
        },
        strict=True,
    )
    frame = table.to_pandas()
    peer = _best(lambda: schema.validate(frame), times=1)
    return [
        {
            "name": "schema gate: ranges, types and nulls",
            "ours_s": ours,
            "peer_s": peer,
            "ratio": peer / ours,
            "accuracy": missed,
            "gate": 0.0,
            "n": ROWS,
            "note": "pandera on polars (ours) beside pandera on pandas; accuracy is the share of planted faults that ours missed",
        }
    ]


def _prices(n: int) -> arrow.Table:
    rng = np.random.default_rng(1)
    price = 20 + 80 * rng.random(n)
    columns: dict[str, Any] = {
        "session": pd.Timestamp("2000-01-03") + pd.to_timedelta(np.arange(n) % 5000, unit="D"),
        "ticker": np.char.add("T", (np.arange(n) // 5000).astype(str)).astype(object),
        "open": price,
        "high": price * 1.01,
        "low": price * 0.99,
        "close": price,
        "volume": np.full(n, 1e5),
        "traded_value": price * 1e5,
        "dividend": np.zeros(n),
        "split_ratio": np.ones(n),
        "currency": np.full(n, "USD", dtype=object),
        "exchange": np.full(n, "XNYS", dtype=object),
        "adjustment": np.full(n, "raw", dtype=object),
    }
    schema = TABLES["fct_prices"].arrow_schema
    return arrow.table({field.name: arrow.array(columns[field.name], type=field.type) for field in schema}, schema=schema)


def _polars(table: arrow.Table) -> Any:
    import polars as pl

    return pl.from_arrow(table)


def _fails(contract: Any, table: arrow.Table) -> bool:
    return bool(contract._rule_problems(_polars(table)))


def _best(call: Any, times: int = 3) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
