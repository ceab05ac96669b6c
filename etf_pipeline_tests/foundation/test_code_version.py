"""A code version follows what code computes, not how it looks."""

from __future__ import annotations

import ast

import pytest

from etf_pipeline import code_version as subject


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
