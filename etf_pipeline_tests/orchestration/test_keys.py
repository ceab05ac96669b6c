"""Nothing that was kept outlives what it was made by: code, drawing or exchange."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as arrow
import pytest

from etf_pipeline import recipes
from etf_pipeline.causality import known
from etf_pipeline.orchestration import checks
from etf_pipeline.orchestration.config import default_parameters
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.recipes import RECIPES
from etf_pipeline.schemas import TABLES
from etf_pipeline.warehouse import Warehouse

PIECE = arrow.table({"x": [1.0]})


def test_pieces_kept_by_one_code_version_are_not_found_by_another(tmp_path: Path) -> None:
    shared = Warehouse(tmp_path).cache
    old, new = recipes._OfCode(shared, "v1"), recipes._OfCode(shared, "v2")
    old.put("walk_forward", "key", PIECE)
    assert old.get("walk_forward", "key") == PIECE
    assert new.get("walk_forward", "key") is None


def test_a_causality_verdict_is_judged_anew_when_the_judge_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = pd.bdate_range("2024-01-02", "2024-01-12")
    frame = pd.DataFrame({"report": ["r"], "file_name": ["f"], "bytes": [1], "simulated": [True], "html": ["<p>"]})
    tables = TableStore(Warehouse(tmp_path))
    tables.open_run("first", {})
    tables.write("first", "sheet", {"tear_sheet": TABLES["tear_sheet"].to_arrow(frame)})
    recipe = recipes.Recipe("tear_sheet", "reports", ("tear_sheet",), (), lambda *_: {}, None, "v1", "")
    asked: list[str] = []
    monkeypatch.setattr(checks, "_cut", lambda tables: days[-3])
    monkeypatch.setattr(checks, "verify", lambda *_, **__: asked.append("judged") or [])
    for verifier in ("old", "old", "new"):
        monkeypatch.setattr(checks, "VERIFIER", verifier)
        checks.causality_of(tables, recipe, "first")
    assert asked == ["judged", "judged"]


def test_every_room_that_knows_an_exchange_is_given_the_main_one() -> None:
    import etf_pipeline.definitions  # noqa: F401  registers every recipe

    kinds = {r.name: r.parameters for r in RECIPES.values() if r.parameters and "exchange" in r.parameters.__dataclass_fields__}
    assert {"universe_membership", "covariances", "backtest_ledger"} <= set(kinds)
    for name, kind in kinds.items():
        assert default_parameters(kind, name, "full", "XASX").exchange == "XASX"
        assert default_parameters(kind, name, "full").exchange == "XNYS"


def test_what_was_known_at_a_close_is_told_by_the_clock_of_its_own_exchange() -> None:
    cut = pd.Timestamp("2024-07-04")  # New York rests; Sydney closes at 06:00 UTC
    instants = pd.to_datetime(["2024-07-04 05:00", "2024-07-04 20:00"], utc=True)
    contract = next(c for c in TABLES.values() if c.available == "available_at")
    assert known(contract, pd.DataFrame({"available_at": instants}), cut, "XASX").tolist() == [True, False]
