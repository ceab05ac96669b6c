"""Tables between the warehouse and the recipes: contracts on every read and write, and nothing computed twice.

A step's memo key hashes the content of its inputs, its code version and its parameters. Where the visible outputs carry the
same key, the step only records that they still hold.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as arrow

from etf_pipeline.orchestration.increments import Extension, as_stored, extension, quiet, since_day, spliced, windows
from etf_pipeline.recipes import BEFORE, PREVIOUS, PROVENANCE, PROVENANCE_SCHEMA, Recipe
from etf_pipeline.schemas import TABLES
from etf_pipeline.secrets import WAREHOUSE_KEY, secret
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Staged, Version, Warehouse


@dataclass(frozen=True)
class Outcome:
    """What a step left.

    Attributes
    ----------
    versions : dict of str to Version
        By table.
    tables : dict of str to Arrow table
        What was made; empty when the step was reused or extended.
    reused : bool
        Whether nothing had to be computed.
    since : date or None
        First day of the rows that were computed, where the others stand as they were.
    """

    versions: dict[str, Version]
    tables: dict[str, arrow.Table]
    reused: bool
    since: date | None = None


class TableStore:
    """The warehouse, seen through the contracts."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    @classmethod
    def for_settings(cls, settings: Settings) -> TableStore:
        """The store in the home that the settings name."""
        return cls(Warehouse(settings.warehouse, key=secret(WAREHOUSE_KEY)))

    def open_run(self, run_id: str, labels: Mapping[str, Any] | None = None) -> None:
        """Begin a run, or go on with it; without labels it inherits those of the prices that it stands on.

        Labels that are given hold whichever step comes first: one that reads no prices may open the run before they are there.
        """
        if any(run.run_id == run_id for run in self.warehouse.runs()):
            if labels is not None:
                self.warehouse.label_run(run_id, labels)
            return
        if labels is None:
            prices = self.warehouse.head("raw", "raw_prices")
            made_by = {run.run_id: run.labels for run in self.warehouse.runs()}
            labels = made_by.get(prices.run_id, {}) if prices else {}
        self.warehouse.begin_run(run_id, labels)

    def head(self, name: str, run_id: str | None = None) -> Version | None:
        """The version of a table that a run sees."""
        return self.warehouse.head(TABLES[name].room, name, run_id)

    def read_for(self, reads: Mapping[str, tuple[str, ...]], names: Iterable[str], run_id: str) -> dict[str, arrow.Table]:
        """Tables as a query reads them: only the columns that it names. They were checked whole when they were written."""
        found = {}
        for name in names:
            columns = reads.get(name)
            room = TABLES[name].room
            found[name] = self.warehouse.read(room, name, run_id=run_id, columns=columns) if columns else self.read(name, run_id)
        return found

    def read(self, name: str, run_id: str | None = None, *, at: int | str | None = None) -> arrow.Table:
        """Rows of a table in the order of its key, checked against its contract.

        Raises
        ------
        NotMaterialised
            If nothing made the table yet.
        ContractError
            If what is stored breaks today's contract.
        """
        contract = TABLES[name]
        table = self.warehouse.read(contract.room, name, run_id=run_id, at=at)
        contract.check(table)
        return contract.in_key_order(table) if contract.chunk else table

    def write(
        self,
        run_id: str,
        step: str,
        tables: Mapping[str, arrow.Table],
        *,
        inputs: Iterable[str] = (),
        code_version: str = "",
        parameters: Any = None,
        memo_key: str | None = None,
        schema_change: bool = False,
        extends: Extension | None = None,
    ) -> dict[str, Version]:
        """Check, stage and commit the tables of one step, all or none; tables cut by date may extend a version from a day on."""
        for name, table in tables.items():
            if table.num_rows or extends is None or not TABLES[name].chunk:  # no new rows are no new table
                TABLES[name].check(table)
        staged = [self._staged(name, table, extends) for name, table in tables.items()]
        commit = self.warehouse.commit(
            run_id,
            step,
            staged,
            inputs=self._input_commits(inputs, run_id),
            code_version=code_version,
            settings=settings_of(parameters),
            memo_key=memo_key,
            schema_change=schema_change,
            note=f"extends commit {next(iter(extends.onto.values())).commit_id} since {extends.since}" if extends else "",
        )
        return {version.table_name: version for version in commit.versions}

    def _staged(self, name: str, table: arrow.Table, extends: Extension | None) -> Staged:
        contract = TABLES[name]
        if extends is None or name not in extends.onto or not contract.chunk:
            return self.warehouse.stage(contract.room, name, table, chunk=contract.chunk)
        return self.warehouse.stage(
            contract.room, name, table, chunk=contract.chunk, onto=extends.onto[name], since=extends.since
        )

    def materialise(
        self, recipe: Recipe, run_id: str, parameters: Any = None, *, recompute: bool = False, schema_change: bool = False
    ) -> Outcome:
        """Make a recipe's tables in a run, or find that what is there is still right.

        Parameters
        ----------
        recipe : Recipe
            Computation.
        run_id : str
            Run that it belongs to.
        parameters : dataclass, optional
            Research parameters; the room's defaults where absent.
        recompute : bool, default False
            Compute even when nothing changed.
        schema_change : bool, default False
            Accept that the columns differ from those stored.
        """
        if parameters is None and recipe.parameters is not None:
            parameters = recipe.parameters()
        memo_key = self.memo_key(recipe, run_id, parameters)
        inputs = self._input_commits((*recipe.inputs, *recipe.beside), run_id)
        if not recompute:
            names = [(TABLES[name].room, name) for name in recipe.outputs]
            commit = self.warehouse.reuse(run_id, recipe.name, names, memo_key, inputs=inputs)
            if commit is not None:
                return Outcome({version.table_name: version for version in commit.versions}, {}, reused=True)
        if not schema_change:
            for name in recipe.outputs:
                self.warehouse.require_schema(run_id, TABLES[name].room, name, TABLES[name].arrow_schema)
        step = None if recompute else self._extension(recipe, run_id, parameters)
        step, made = self._carried(recipe, run_id, parameters, step) if step else (None, None)
        if made is None:
            given = self.read_for(recipe.reads, recipe.inputs, run_id)
            if recipe.looks_back and self.head(recipe.outputs[0], run_id):
                given[PREVIOUS] = self.read(recipe.outputs[0], run_id)
            given |= {name: self.read(name, run_id) for name in recipe.beside if self.head(name, run_id)}
            if recipe.sees_settings:
                given[PROVENANCE] = self.provenance(recipe, run_id)
            step, made = None, recipe.run(given, parameters, self.warehouse.cache)
        versions = self.write(
            run_id,
            recipe.name,
            made,
            inputs=(*recipe.inputs, *recipe.beside),
            code_version=recipe.version,
            parameters=parameters,
            memo_key=memo_key,
            schema_change=schema_change,
            extends=step,
        )
        return Outcome(versions, {}, False, step.since) if step else Outcome(versions, made, reused=False)

    def _extension(self, recipe: Recipe, run_id: str, parameters: Any) -> Extension | None:
        onto, now = (
            {name: version for name in names if (version := self.head(name, run_id))} for names in (recipe.outputs, recipe.inputs)
        )
        return extension(self.warehouse, recipe, onto, now, settings_of(parameters))

    def _carried(
        self, recipe: Recipe, run_id: str, parameters: Any, step: Extension
    ) -> tuple[Extension | None, dict[str, arrow.Table] | None]:
        """The extension that was taken and its rows; (None, None) where everything must be computed."""
        still = quiet(self.warehouse, step)
        if still is not None:
            made = self._extended(recipe, run_id, parameters, still, may_be_empty=True)
            if made is not None and not any(table.num_rows for name, table in made.items() if TABLES[name].chunk):
                return still, made
            if made is None or step.since == still.since:
                return (still, made) if made is not None else (None, None)
        made = self._extended(recipe, run_id, parameters, step)
        return (step, made) if made is not None else (None, None)

    def _extended(
        self, recipe: Recipe, run_id: str, parameters: Any, step: Extension, *, may_be_empty: bool = False
    ) -> dict[str, arrow.Table] | None:
        """Rows of the outputs from the extension's day on, tables that are not cut by date whole; None where there are none."""
        assert recipe.increment is not None
        now = {name: version for name in recipe.inputs if (version := self.head(name, run_id))}
        given = windows(self.warehouse, recipe, now, step, parameters)
        made = recipe.run(given, parameters, self.warehouse.cache)
        if recipe.increment.deepened and recipe.increment.deepened(given, made, step.since):
            given = self.read_for(recipe.reads, recipe.inputs, run_id) | {BEFORE: given[BEFORE]}
            made = recipe.run(given, parameters, self.warehouse.cache)
        if recipe.increment.contested and recipe.increment.contested(given, made, step.since):
            return None
        for name, table in made.items():
            if TABLES[name].chunk:
                made[name] = since_day(name, table, step.since)
                if not made[name].num_rows and not may_be_empty:
                    return None
            else:
                stored = self.warehouse.read_version(step.onto[name])
                if recipe.increment.trial and not as_stored(name, recipe.increment, stored, table, step.since):
                    return None
                made[name] = spliced(name, recipe.increment, stored, table, step.since)
        return made

    def memo_key(self, recipe: Recipe, run_id: str, parameters: Any) -> str:
        """Hash of everything that a recipe's outputs are a function of."""
        parts = {
            "inputs": {name: self.warehouse.content_hash(TABLES[name].room, name, run_id=run_id) for name in recipe.inputs},
            "outputs": {name: [TABLES[name].arrow_schema.to_string(), *TABLES[name].key] for name in recipe.outputs},
            "code": recipe.version,
            "parameters": settings_of(parameters),
        }
        if recipe.beside:
            heads = {name: self.head(name, run_id) for name in recipe.beside}
            parts["beside"] = {name: head.content_hash for name, head in heads.items() if head}
        if recipe.sees_settings:
            parts["provenance"] = self.provenance(recipe, run_id).drop_columns(["run_id", "started_at"]).to_pylist()
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    def provenance(self, recipe: Recipe, run_id: str, *, at: int | str | None = None) -> arrow.Table:
        """Settings and code of every step that a recipe's inputs rest on, as the run sees them or as they were at `at`."""
        begun = next(run.started_at for run in self.warehouse.runs() if run.run_id == run_id)
        rows = []
        for name in recipe.inputs:
            line = self.warehouse.lineage(TABLES[name].room, name, at, run_id=run_id if at is None else None)
            newest = {one.step_key: one for one in sorted(line.walk(), key=lambda one: one.commit_id) if one.settings}
            for step, one in sorted(newest.items()):
                told = json.dumps(one.settings, sort_keys=True)
                rows.append([name, step, told, one.code_version, run_id, begun])
        return arrow.Table.from_pylist(
            [dict(zip(PROVENANCE_SCHEMA.names, row, strict=True)) for row in rows], schema=PROVENANCE_SCHEMA
        )

    def _input_commits(self, names: Iterable[str], run_id: str) -> dict[tuple[str, str], int]:
        heads = {(TABLES[name].room, name): self.head(name, run_id) for name in names}
        return {name: version.commit_id for name, version in heads.items() if version is not None}


def settings_of(parameters: Any) -> dict[str, Any]:
    """A parameter dataclass as plain values, for JSON."""
    return dataclasses.asdict(parameters) if parameters is not None else {}
