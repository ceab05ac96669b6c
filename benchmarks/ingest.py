"""Ingesting, adjusting and screening 3,000 funds over ten years, and one night more.

There is no peer that does the same; the second column is the same night computed as if nothing were there. Run as
``python -m benchmarks.ingest``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import etf_pipeline.definitions  # noqa: F401  (every recipe registers itself)
from etf_pipeline.orchestration.ingestion import ingest, stored_versions
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated.scale import LargeMarket
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import from_arrow
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Warehouse

STEPS = (
    "stg_ticker_history", "stg_prices", "stg_actions", "stg_aum", "stg_reference", "stg_macro", "quality_findings", "fct_prices",
    "fct_returns", "dim_etf", "fct_macro", "lifecycle", "universe_membership",
)  # fmt: skip
"""Everything from the source to who is a member."""
SETTINGS = Settings(home=Path("unused"))


def market(large: LargeMarket, until: str, since: str | None = None) -> RawMarket:
    """What a provider brings after a session: everything, or the prices of the last days."""
    frames = {name: from_arrow(table) for name, table in large.tables(until).items()}
    prices = frames["raw_prices"]
    return RawMarket(
        prices=prices if since is None else prices[prices["session"] >= since],
        actions=frames["raw_actions"],
        reference=frames["raw_reference"],
        aum=frames["raw_aum"],
        macro=frames["raw_macro"],
        factors=frames["raw_factors"],
        rejects=frames["raw_rejects"],
        simulated=True,
        label="a large simulated market",
        whole=since is None,
    )


@contextmanager
def cpu(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Seconds of CPU on all cores."""
    start = time.process_time()
    yield
    seconds[name] = time.process_time() - start


def night(store: TableStore, run_id: str, brought: RawMarket) -> dict[str, float]:
    """Seconds of CPU per step."""
    seconds: dict[str, float] = {}
    with cpu(seconds, "fetch"):
        stored = stored_versions(store, SETTINGS)
        store.open_run(run_id, {})
        made = ingest(store, stored, brought, SETTINGS, datetime(2024, 7, 1, tzinfo=UTC))
        store.write(run_id, "fetch", made.tables, extends=made.extends)
    for name in STEPS:
        with cpu(seconds, name):
            store.materialise(RECIPES[name], run_id)
    store.warehouse.finish_run(run_id, succeeded=True)
    return seconds


def run(tickers: int = 3_000, years: int = 10) -> list[dict[str, Any]]:
    """Rows for ``data/benchmarks.json``."""
    large = LargeMarket(tickers=tickers, years=years)
    days = [str(day.date()) for day in large.sessions[-12:]]
    with tempfile.TemporaryDirectory() as folder:
        store = TableStore(Warehouse(Path(folder)))
        whole = night(store, "whole", market(large, days[-3]))
        night(store, "warm", market(large, days[-2], days[-10]))
        one = night(store, "night", market(large, days[-1], days[-9]))
    bars = f"{tickers} funds x {years} years"
    for name in whole:
        print(f"    {name:<24} whole {whole[name]:7.2f} s   night {one[name]:7.2f} s of CPU")
    total, more = sum(whole.values()), sum(one.values())
    return [
        {
            "name": f"ingest, adjust, screen, {bars}", "ours_s": total, "peer_s": 60.0, "ratio": 60.0 / total, "accuracy": 0.0,
            "gate": 0.0, "n": 1, "note": "seconds of CPU; the second column is the target",
        },
        {
            "name": f"one night more, {bars}", "ours_s": more, "peer_s": total, "ratio": total / more, "accuracy": 0.0,
            "gate": 0.0, "n": 1, "note": "seconds of CPU; the second column makes everything anew",
        },
    ]  # fmt: skip


if __name__ == "__main__":
    for row in run():
        print(row)
