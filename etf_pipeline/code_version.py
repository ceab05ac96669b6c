"""A version for a piece of code that changes when, and only when, what it computes may change.

It hashes the syntax trees, without comments, docstrings and layout, of a function, of what it uses from its own file, and of
every module of the project that these reach through imports, with the installed versions of the packages that do arithmetic.
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
NUMERICAL = (
    *("numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "numba", "llvmlite", "duckdb", "arch", "cvxpy", "clarabel"),
    *("statsmodels", "riskfolio-lib", "exchange-calendars"),
)
OUTSIDE = tuple(f"{PACKAGE}.{name}" for name in ("orchestration", "reporting", "errors", "recipes", "warehouse", "kernel_cache"))
"""These compute no table's rows: they carry, show and keep them."""

STORING = f"{PACKAGE}.schemas.contract"
"""How frames become stored rows: types, order, unknown values."""


def code_version(function: Callable[..., Any], *also: str) -> str:
    """Version of a function, of everything in the project that it imports, and of the modules named in `also`.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    used = _used(function)
    modules = closure(tuple(sorted(_imports(used) | {STORING, *also})))
    parts = [_normal(used), *(f"{name}:{_module_hash(name)}" for name in modules), _arithmetic()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def engine_version(text: str) -> str:
    """Version of a query: its text, the engine that runs it, and how the answer is stored."""
    return hashlib.sha256(f"{text};duckdb=={version('duckdb')};{_module_hash(STORING)}".encode()).hexdigest()[:16]


def _used(function: Callable[..., Any]) -> ast.Module:
    """The function without its decorators, after those statements of its file that bind a name it uses, directly or through
    one of them: constants, helpers and imports at the head of the file."""
    body = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef)
    body[0].decorator_list = []  # they say what becomes of the answer, not what it is
    module = inspect.getmodule(function)
    waiting = [s for s in ast.parse(inspect.getsource(module)).body if _binds(s) != {function.__name__}] if module else []
    while found := [s for s in waiting if _binds(s) & _names(body)]:
        waiting = [s for s in waiting if s not in found]
        body = [_only(s, _names(body)) for s in found] + body
    return ast.Module(body, [])


def _binds(statement: ast.stmt) -> set[str]:
    """Names that a statement of a file gives a meaning."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _names(statements: list[ast.stmt]) -> set[str]:
    return {node.id for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _only(statement: ast.stmt, names: set[str]) -> ast.stmt:
    """An import reduced to the names that are used; any other statement whole."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        statement.names = [alias for alias in statement.names if (alias.asname or alias.name.split(".")[0]) in names]
    return statement


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
