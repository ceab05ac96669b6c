"""Nothing looks ahead: every derived table, cut off or poisoned at several dates, keeps everything that was known by then."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc
import pytest

import etf_pipeline.definitions  # noqa: F401  registers every recipe
from etf_pipeline import causality
from etf_pipeline.orchestration.checks import causal_recipes
from etf_pipeline.orchestration.config import default_parameters
from etf_pipeline.recipes import RECIPES, Cache, Recipe, Tables
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.warehouse.cache import Cache as DiskCache
from etf_pipeline_tests.conftest import Demo

CUTS = {"truncate": ("2022-03-31", "2023-05-18"), "poison": ("2022-06-30",)}
CASES = [(mode, cut) for mode, cuts in CUTS.items() for cut in cuts]


def made_by(recipe: Recipe, demo: Demo) -> tuple[Tables, Tables, object]:
    parameters = default_parameters(recipe.parameters, recipe.name, "demo") if recipe.parameters else None
    return {n: demo.read(n) for n in recipe.inputs}, {n: demo.read(n) for n in recipe.outputs}, parameters


@pytest.mark.parametrize(("mode", "cut"), CASES)
@pytest.mark.parametrize("name", [recipe.name for recipe in causal_recipes()])
def test_what_was_known_does_not_change_when_the_future_does(name: str, mode: causality.Mode, cut: str, demo: Demo) -> None:
    recipe = RECIPES[name]
    inputs, made, parameters = made_by(recipe, demo)
    found = causality.verify(
        recipe,
        inputs,
        made,
        pd.Timestamp(cut),
        mode=mode,
        parameters=parameters,
        cache=DiskCache(demo.home / "warehouse" / "cache"),
    )
    assert not found


def test_every_derived_table_is_covered() -> None:
    covered = {name for recipe in causal_recipes() for name in recipe.outputs}
    derived = {name for name, contract in TABLES.items() if contract.causality in ("causal", "realised")}
    assert derived <= covered


def test_nothing_causal_is_fed_by_a_summary() -> None:
    for recipe in causal_recipes():
        summaries = [name for name in recipe.inputs if TABLES[name].causality == "summary"]
        assert not summaries, f"{recipe.name} is causal but reads {summaries}"


def test_the_proof_compares_something(demo: Demo) -> None:
    for recipe in causal_recipes():
        for name in recipe.outputs:
            contract = TABLES[name]
            if contract.causality in ("causal", "realised") and not contract.allow_empty and name != "garch_fits":
                rows = causality.known(contract, from_arrow(demo.read(name)), pd.Timestamp("2022-06-30"))
                assert 0 < rows.sum() < len(rows), name


def look_ahead(recipe: Recipe) -> Recipe:
    """The recipe with a fault planted: a trace of the reversal of the coming five sessions in that of the last five."""
    name, column = recipe.outputs[0], "reversal_5"

    def run(inputs: Tables, parameters: object, cache: Cache | None) -> dict[str, arrow.Table]:
        made = recipe.run(inputs, parameters, cache)
        frame = from_arrow(made[name])
        later = frame.groupby("ticker")[column].shift(-5)
        frame[column] = frame[column] + 1e-6 * later.fillna(0.0)
        return made | {name: TABLES[name].to_arrow(frame)}

    return replace(recipe, run=run)


@pytest.mark.parametrize("mode", ["truncate", "poison"])
def test_a_planted_look_ahead_in_a_feature_is_found(mode: causality.Mode, demo: Demo) -> None:
    recipe = look_ahead(RECIPES["features"])
    inputs, _, parameters = made_by(recipe, demo)
    made = recipe.run(inputs, parameters, None)
    found = causality.verify(recipe, inputs, made, pd.Timestamp("2022-06-30"), mode=mode, parameters=parameters)
    assert any("features.reversal_5" in text for text in found)


def test_poison_changes_the_future_and_only_the_future(demo: Demo) -> None:
    contract, cut = TABLES["fct_returns"], pd.Timestamp("2022-06-30")
    table = demo.read("fct_returns")
    poisoned = causality.poison(contract, table, cut)
    past = pc.less_equal(table["session"], arrow.scalar(cut.date(), arrow.date32()))
    assert poisoned.filter(past).equals(table.filter(past))
    assert not poisoned.filter(pc.invert(past)).equals(table.filter(pc.invert(past)))
