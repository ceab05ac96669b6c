"""A version for a piece of code that changes when, and only when, what it computes may change.

It hashes the syntax trees, without comments, docstrings and layout, of every module of the project that a function reaches
through imports, together with the installed versions of the packages that do arithmetic.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import textwrap
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGE = "etf_pipeline"
NUMERICAL = ("numpy", "pandas", "scipy", "scikit-learn", "numba", "duckdb", "arch", "cvxpy", "clarabel", "statsmodels")
OUTSIDE = ("etf_pipeline.schemas", "etf_pipeline.orchestration", "etf_pipeline.reporting", "etf_pipeline.errors")
"""Contracts are hashed with the table they describe; the others compute nothing."""


def code_version(function: Callable[..., Any], *also: str) -> str:
    """Version of a function, of everything in the project that it imports, and of the modules named in `also`.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    modules = closure(tuple(sorted(_imports(tree) | set(also))))
    parts = [_normal(tree), *(f"{name}:{_module_hash(name)}" for name in modules), _arithmetic()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@functools.cache
def closure(modules: tuple[str, ...]) -> tuple[str, ...]:
    """Modules of the project reachable from the given ones through imports, anywhere in their code; sorted."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen or name.startswith(OUTSIDE) or _file(name) is None:
            continue
        seen.add(name)
        waiting += _imports(_tree(name))
    return tuple(sorted(seen))


@functools.cache
def _file(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin and name.split(".")[0] == PACKAGE else None


def _tree(name: str) -> ast.Module:
    path = _file(name)
    assert path is not None
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith(PACKAGE + ".")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}  # a submodule, or a name: `_file` tells
    return found


def _normal(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree, include_attributes=False)


@functools.cache
def _module_hash(name: str) -> str:
    return hashlib.sha256(_normal(_tree(name)).encode()).hexdigest()


@functools.cache
def _arithmetic() -> str:
    return ";".join(f"{name}=={version(name)}" for name in NUMERICAL)
