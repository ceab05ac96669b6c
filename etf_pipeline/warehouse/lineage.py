"""Lineage: which exact versions, code and settings a table was made from, down to the sources."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from etf_pipeline.warehouse.records import TableName, dotted
from etf_pipeline.warehouse.registry import Registry
from etf_pipeline.warehouse.snapshot import At, inputs_of, is_kept, required_head, resolve, version_of


@dataclass(frozen=True)
class Lineage:
    """One version and everything that it was made from.

    Attributes
    ----------
    kept : bool
        False once `gc` has dropped its rows; what it was, who made it, when and from what stays known.
    inputs : tuple of Lineage
        The versions that the commit read. A version that several readers share is one object.
    """

    schema_name: str
    table_name: str
    commit_id: int
    run_id: str
    step_key: str
    committed_at: datetime
    code_version: str
    settings: Mapping[str, Any] | None
    note: str
    labels: Mapping[str, Any]
    rows: int
    content_hash: str
    kept: bool
    inputs: tuple[Lineage, ...]

    @property
    def name(self) -> TableName:
        """Schema and table."""
        return self.schema_name, self.table_name

    def walk(self) -> Iterator[Lineage]:
        """This version and every one below it, each once, readers before what they read."""
        seen: set[tuple[TableName, int]] = set()
        waiting = [self]
        while waiting:
            node = waiting.pop(0)
            if (node.name, node.commit_id) not in seen:
                seen.add((node.name, node.commit_id))
                yield node
                waiting.extend(node.inputs)

    def render(self) -> str:
        """The tree as text, one version a line; a shared version is spelled out once."""
        return "\n".join(_lines(self, "", "", set()))


def lineage(registry: Registry, name: TableName, at: At | None = None, run_id: str | None = None) -> Lineage:
    """The tree of a visible version."""
    with registry.read() as db:
        version = required_head(db, resolve(db, run_id, at), name)
        return _node(db, name, version.commit_id, {})


def _node(db: sqlite3.Connection, name: TableName, commit_id: int, known: dict[tuple[TableName, int], Lineage]) -> Lineage:
    if (name, commit_id) in known:
        return known[name, commit_id]
    row = db.execute(
        "select c.*, r.labels from commits c join runs r using (run_id) where commit_id = ?", (commit_id,)
    ).fetchone()
    version = version_of(db, name, commit_id)
    assert version is not None  # a commit checks its inputs, and no version is ever deleted
    node = known[name, commit_id] = Lineage(
        schema_name=name[0],
        table_name=name[1],
        commit_id=commit_id,
        run_id=row["run_id"],
        step_key=row["step_key"],
        committed_at=datetime.fromisoformat(row["committed_at"]),
        code_version=row["code_version"],
        settings=json.loads(row["settings"]) if row["settings"] else None,
        note=row["note"],
        labels=json.loads(row["labels"]),
        rows=version.rows,
        content_hash=version.content_hash,
        kept=is_kept(db, version),
        inputs=tuple(_node(db, read, by, known) for read, by in inputs_of(db, commit_id).items()),
    )
    return node


def _lines(node: Lineage, first: str, rest: str, seen: set[tuple[TableName, int]]) -> Iterator[str]:
    again = (node.name, node.commit_id) in seen
    seen.add((node.name, node.commit_id))
    yield first + _line(node) + (" (its inputs are above)" if again and node.inputs else "")
    if not again:
        for i, child in enumerate(node.inputs):
            last = i == len(node.inputs) - 1
            yield from _lines(child, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   "), seen)


def _line(node: Lineage) -> str:
    what = f"{node.rows} rows, content {node.content_hash[:12]}{'' if node.kept else ' (dropped by gc)'}"
    parts = [f"{dotted(node.name)} @ commit {node.commit_id}: {what}", f"{node.committed_at:%Y-%m-%d %H:%M:%S} UTC"]
    parts += [f"run {node.run_id}", f"step {node.step_key}"]
    parts += [f"code {node.code_version}"] if node.code_version else []
    parts += [f"settings {json.dumps(node.settings, sort_keys=True)}"] if node.settings else []
    parts += [f"labels {json.dumps(node.labels, sort_keys=True)}"] if node.labels else []
    parts += [node.note] if node.note else []
    return "; ".join(parts)
