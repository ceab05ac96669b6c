"""A code version follows what code computes, not how it looks."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from etf_pipeline import calendars
from etf_pipeline import code_version as subject
from etf_pipeline.recipes import RECIPES

LIMIT = 3


def within(x: int) -> bool:
    return x < LIMIT


def uses_the_head_of_its_file(x: int) -> bool:
    return within(x) and calendars.is_session("XNYS", None)  # type: ignore[arg-type]


def normal(text: str) -> str:
    return subject._normal(ast.parse(text))


def test_comments_docstrings_and_layout_do_not_count() -> None:
    assert normal("def f(x):\n    return x + 1\n") == normal(
        'def f(x):\n    """Add one."""\n    # one\n    return (x +\n            1)\n'
    )


def test_another_number_counts() -> None:
    assert normal("def f(x):\n    return x + 1\n") != normal("def f(x):\n    return x + 2\n")


def test_the_closure_follows_imports_inside_functions() -> None:
    reached = subject.closure(("etf_pipeline.calendars",))
    assert "etf_pipeline.calendars" in reached
    assert not any(name.startswith("etf_pipeline.orchestration") for name in reached)


def test_a_change_in_an_imported_module_changes_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def uses_calendars() -> None:
        from etf_pipeline import calendars

        calendars.is_session("XNYS", None)  # type: ignore[arg-type]

    before = subject.code_version(uses_calendars)
    real = subject._module_hash
    monkeypatch.setattr(subject, "_module_hash", lambda name: "changed" if name == "etf_pipeline.calendars" else real(name))
    assert subject.code_version(uses_calendars) != before


def test_what_a_function_uses_from_the_head_of_its_file_counts() -> None:
    used = ast.unparse(subject._used(uses_the_head_of_its_file))
    assert "LIMIT = 3" in used  # through `within`
    assert "def within" in used
    assert "import calendars" in used
    assert "pytest" not in used


def test_a_module_imported_at_the_head_of_the_file_changes_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = subject.code_version(uses_the_head_of_its_file)
    real = subject._module_hash
    monkeypatch.setattr(subject, "_module_hash", lambda name: "changed" if name == "etf_pipeline.calendars" else real(name))
    assert subject.code_version(uses_the_head_of_its_file) != before


def test_every_module_of_a_room_is_in_the_version_of_what_the_room_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    import etf_pipeline.definitions  # noqa: F401  registers every recipe

    reached: set[str] = set()
    real = subject._module_hash
    monkeypatch.setattr(subject, "_module_hash", lambda name: (reached.add(name), real(name))[1])
    recipes = [recipe for recipe in RECIPES.values() if not recipe.sql and recipe.room != "reports"]
    for recipe in recipes:
        function = next(c.cell_contents for c in recipe.run.__closure__ or () if callable(c.cell_contents))
        subject.code_version(function)
    package = Path(subject.__file__).parent
    files = [path for recipe in recipes for path in (package / recipe.room).rglob("*.py")]
    names = {".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__") for path in files}
    # a score's code version leaves the judges of scores out, so its recipes do not import the room by its name
    assert names - reached == {"etf_pipeline.scoring"}


def test_the_engine_counts_in_the_version_of_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    before = subject.engine_version("select 1")
    monkeypatch.setattr(subject, "version", lambda name: "0.0.0")
    assert subject.engine_version("select 1") != before
