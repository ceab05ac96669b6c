"""A warehouse in a temporary folder, whose clock the test moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etf_pipeline.warehouse import Commit, TableName, Warehouse


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = datetime(2025, 1, 6, 22, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def warehouse(tmp_path: Path, clock: Clock) -> Warehouse:
    return Warehouse(tmp_path / "warehouse", clock)


@pytest.fixture
def run(warehouse: Warehouse) -> Callable[..., Commit]:
    """``run("monday", {("risk", "beta"): table})``: one whole run with one commit."""

    def whole_run(run_id: str, tables: Mapping[TableName, pa.Table], *, succeeded: bool = True, **origin: Any) -> Commit:
        warehouse.begin_run(run_id)
        staged = [warehouse.stage(*name, table) for name, table in tables.items()]
        commit = warehouse.commit(run_id, "step", staged, **origin)
        warehouse.finish_run(run_id, succeeded)
        return commit

    return whole_run
