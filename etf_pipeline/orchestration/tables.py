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
from typing import Any

import pyarrow as arrow

from etf_pipeline.recipes import Recipe
from etf_pipeline.schemas import TABLES
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Version, Warehouse


@dataclass(frozen=True)
class Outcome:
    """What a step left.

    Attributes
    ----------
    versions : dict of str to Version
        By table.
    tables : dict of str to Arrow table
        What was made; empty when the step was reused.
    reused : bool
        Whether nothing had to be computed.
    """

    versions: dict[str, Version]
    tables: dict[str, arrow.Table]
    reused: bool


class TableStore:
    """The warehouse, seen through the contracts."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    @classmethod
    def for_settings(cls, settings: Settings) -> TableStore:
        """The store in the home that the settings name."""
        return cls(Warehouse(settings.warehouse))

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
        if contract.chunk and table.num_rows:
            table = table.sort_by([(column, "ascending") for column in contract.key])
        return table

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
    ) -> dict[str, Version]:
        """Check, stage and commit the tables of one step, all or none."""
        for name, table in tables.items():
            TABLES[name].check(table)
        staged = [
            self.warehouse.stage(TABLES[name].room, name, table, chunk=TABLES[name].chunk) for name, table in tables.items()
        ]
        commit = self.warehouse.commit(
            run_id,
            step,
            staged,
            inputs=self._input_commits(inputs, run_id),
            code_version=code_version,
            settings=settings_of(parameters),
            memo_key=memo_key,
            schema_change=schema_change,
        )
        return {version.table_name: version for version in commit.versions}

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
        inputs = self._input_commits(recipe.inputs, run_id)
        if not recompute:
            names = [(TABLES[name].room, name) for name in recipe.outputs]
            commit = self.warehouse.reuse(run_id, recipe.name, names, memo_key, inputs=inputs)
            if commit is not None:
                return Outcome({version.table_name: version for version in commit.versions}, {}, reused=True)
        if not schema_change:
            for name in recipe.outputs:
                self.warehouse.require_schema(run_id, TABLES[name].room, name, TABLES[name].arrow_schema)
        given = {name: self.read(name, run_id) for name in recipe.inputs}
        tables = recipe.run(given, parameters, self.warehouse.cache)
        versions = self.write(
            run_id,
            recipe.name,
            tables,
            inputs=recipe.inputs,
            code_version=recipe.version,
            parameters=parameters,
            memo_key=memo_key,
            schema_change=schema_change,
        )
        return Outcome(versions, tables, reused=False)

    def memo_key(self, recipe: Recipe, run_id: str, parameters: Any) -> str:
        """Hash of everything that a recipe's outputs are a function of."""
        parts = {
            "inputs": {name: self.warehouse.content_hash(TABLES[name].room, name, run_id=run_id) for name in recipe.inputs},
            "outputs": {name: [TABLES[name].arrow_schema.to_string(), *TABLES[name].key] for name in recipe.outputs},
            "code": recipe.version,
            "parameters": settings_of(parameters),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    def _input_commits(self, names: Iterable[str], run_id: str) -> dict[tuple[str, str], int]:
        heads = {(TABLES[name].room, name): self.head(name, run_id) for name in names}
        return {name: version.commit_id for name, version in heads.items() if version is not None}


def settings_of(parameters: Any) -> dict[str, Any]:
    """A parameter dataclass as plain values, for JSON."""
    return dataclasses.asdict(parameters) if parameters is not None else {}
