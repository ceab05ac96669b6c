"""Making a past run's tables again from its raw tables, and holding every one against what the run left, value by value."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import pyarrow as arrow

from etf_pipeline.errors import NotMaterialised
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.recipes import PREVIOUS, PROVENANCE, RECIPES, Recipe
from etf_pipeline.schemas import TABLES
from etf_pipeline.warehouse import Version
from etf_pipeline.warehouse.content import version_hash

SAME, DIFFERENT, OTHER_CODE = "same", "different", "other code"


@dataclass(frozen=True)
class Reproduced:
    """One table, made again.

    Attributes
    ----------
    verdict : str
        `same` where every value is; `different` where one is not; `other code` where today's code is not the run's.
    """

    table: str
    rows: int
    verdict: str
    stored_hash: str
    made_hash: str


def reproduce(tables: TableStore, at: int | str, tell: Callable[[Reproduced], None] = lambda one: None) -> list[Reproduced]:
    """Make every table of a past state again, from the raw tables it stood on, with the settings it was made with.

    Parameters
    ----------
    at : int or str
        A run, tag or commit.
    tell : callable, optional
        Called with each table as it is done.

    Returns
    -------
    list of Reproduced
        In the order of making. Nothing is written.

    Raises
    ------
    NotMaterialised
        If the state holds no raw tables, or `gc` has dropped one.

    Notes
    -----
    Everything is computed afresh: no cached window, no extension of an earlier night, no reuse. A recipe whose code has changed
    since is told as such; the run's own code (`code_version` in `_catalog.versions`) has to be checked out to judge it.
    """
    versions = {version.table_name: version for version in tables.warehouse.tables(at=at)}
    raw = [name for name, version in versions.items() if name in TABLES and TABLES[name].room == "raw"]
    if not raw:
        raise NotMaterialised(
            f"'{at}' holds no raw tables; there is nothing to start from. `etf versions raw_prices` lists runs."
        )
    held = {name: tables.warehouse.read_version(versions[name]) for name in raw}
    return [one for recipe in _in_order(set(versions)) for one in _made_again(tables, recipe, versions, held, tell)]


def _in_order(names: set[str]) -> Iterator[Recipe]:
    """Recipes whose outputs are among the names, inputs first."""
    wanted = {recipe.name: recipe for recipe in RECIPES.values() if set(recipe.outputs) <= names}
    maker = {table: name for name, recipe in wanted.items() for table in recipe.outputs}
    graph = {name: {maker[table] for table in recipe.inputs if table in maker} for name, recipe in wanted.items()}
    return (wanted[name] for name in TopologicalSorter(graph).static_order())


def _made_again(
    tables: TableStore,
    recipe: Recipe,
    versions: dict[str, Version],
    held: dict[str, arrow.Table],
    tell: Callable[[Reproduced], None],
) -> Iterator[Reproduced]:
    _, settings = tables.warehouse.origin_of(versions[recipe.outputs[0]])
    given = {name: held[name] for name in recipe.inputs}
    if recipe.looks_back and (earlier := _version_before(tables, versions[recipe.outputs[0]])):
        given[PREVIOUS] = tables.warehouse.read_version(earlier)
    given |= {name: tables.warehouse.read_version(versions[name]) for name in recipe.beside if name in versions}
    if recipe.sees_settings:
        stored = versions[recipe.outputs[0]]
        given[PROVENANCE] = tables.provenance(recipe, stored.run_id, at=stored.run_id)
    made = recipe.run(given, _parameters(recipe, settings), None)
    for name, table in made.items():
        held[name] = table
        stored, found = versions[name], version_hash(table, TABLES[name].chunk)
        verdict = SAME if found == stored.content_hash else DIFFERENT if stored.code_version == recipe.version else OTHER_CODE
        one = Reproduced(name, table.num_rows, verdict, stored.content_hash, found)
        tell(one)
        yield one


def _version_before(tables: TableStore, version: Version) -> Version | None:
    """What a record was when the run began."""
    older = [v for v in tables.warehouse.versions(version.table_name) if v.commit_id < version.commit_id]
    succeeded = {run.run_id for run in tables.warehouse.runs() if run.status == "succeeded"}
    return max((v for v in older if v.run_id in succeeded), key=lambda v: v.commit_id, default=None)


def _parameters(recipe: Recipe, settings: Any) -> Any:
    if recipe.parameters is None:
        return None
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in dict(settings or {}).items()}
    return recipe.parameters(**values)
