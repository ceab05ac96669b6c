"""The house keeps its walls: who may import whom, who may know Dagster, who may meet the outside world."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "etf_pipeline"
FOUNDATION = {
    "calendars",
    "causality",
    "code_version",
    "conventions",
    "errors",
    "kernel_cache",
    "measures",
    "panel",
    "recipes",
    "redaction",
    "regression",
    "returns",
    "schemas",
    "secrets",
    "settings",
    "sql_models",
}
SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]*_(KEY|TOKEN|SECRET|PASSWORD)")
FRONT_DOOR = {"cli", "definitions", "orchestration"}
ALLOWED = {
    "forecasting": {"validation"},
    "monitoring": {"validation"},
    "risk": {"validation"},
    "attribution": {"risk"},
    "execution": {"costs"},
    "portfolio": {"costs"},
    "scoring": {"validation"},
    "stress": {"validation"},
    "backtest": {"portfolio", "costs"},
    "dashboard": {"warehouse", "reporting"},  # a front door that reads; it may compute nothing
    "live": {"quality", "features", "regimes", "scoring", "execution"},
}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py" or p.parent != PACKAGE)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms_imported(path: Path) -> set[str]:
    parts = [name.split(".") for name in imports_of(path)]
    known = {p.stem if p.suffix else p.name for p in PACKAGE.iterdir()}
    return {p[1] for p in parts if p[0] == "etf_pipeline" and len(p) > 1 and p[1] in known}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_between_rooms_are_those_of_the_table(path: Path) -> None:
    room, imported = room_of(path), rooms_imported(path)
    if room in FRONT_DOOR:
        return
    if room in FOUNDATION:
        assert imported <= FOUNDATION, f"the foundation imports no room; {path.name} imports {imported - FOUNDATION}"
        return
    strangers = imported - FOUNDATION - ALLOWED.get(room, set()) - {room}
    assert not strangers, f"{room} may import {sorted(ALLOWED.get(room, set()))} and the foundation; it imports {strangers}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_orchestration_layer_knows_dagster(path: Path) -> None:
    knows = any(name.split(".")[0].startswith("dagster") for name in imports_of(path))
    assert not knows or room_of(path) in {"orchestration", "definitions"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_settings_secrets_and_the_front_door_read_the_environment(path: Path) -> None:
    reads = {"os.environ", "os.getenv"} & {
        ast.unparse(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)
    }
    assert not reads or room_of(path) in {"settings", "secrets", "cli", "orchestration"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_front_door_reads_no_secret_from_the_environment_by_itself(path: Path) -> None:
    named = {
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SECRET_NAME.fullmatch(node.value)
    }
    assert not named or room_of(path) == "secrets" or "etf_pipeline.secrets" in imports_of(path)


def test_no_room_stands_empty() -> None:
    empty = [p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__" and not list(p.glob("*.py"))]
    assert not empty
