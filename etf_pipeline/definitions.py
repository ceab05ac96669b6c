"""The front door: everything that Dagster serves, gathered from the orchestration layer."""

import dagster as dg

from etf_pipeline.orchestration.assets import (  # each file registers its room's recipes
    attribution,
    backtest,
    costs,
    features,
    forecasting,
    lab,
    macro,
    marts,
    portfolio,
    quality,
    raw,
    regimes,
    reports,
    risk,
    scoring,
    stress,
    universe,
    validation,
)
from etf_pipeline.orchestration.checks import causal_recipes, causality_check, sql_test
from etf_pipeline.orchestration.config import check_recipes
from etf_pipeline.orchestration.executors import executor
from etf_pipeline.orchestration.jobs import JOBS
from etf_pipeline.orchestration.materialise import asset_of
from etf_pipeline.orchestration.redacted import protect
from etf_pipeline.orchestration.resources import WarehouseIOManager, settings
from etf_pipeline.orchestration.schedules import SCHEDULES
from etf_pipeline.orchestration.sensors import SENSORS
from etf_pipeline.recipes import RECIPES, sql_recipe
from etf_pipeline.sql_models import load_models

protect()

ROOMS = (
    raw,
    quality,
    marts,
    universe,
    features,
    risk,
    regimes,
    macro,
    forecasting,
    lab,
    costs,
    scoring,
    portfolio,
    backtest,
    attribution,
    validation,
    stress,
    reports,
)

for model in load_models().values():
    if model.layer != "tests" and model.name not in RECIPES:
        sql_recipe(model)

check_recipes(settings().parameters, {recipe.name for recipe in RECIPES.values() if recipe.parameters})

defs = dg.Definitions(
    assets=[raw.fetch, *(asset_of(recipe) for recipe in RECIPES.values())],
    asset_checks=[
        *(sql_test(model) for model in load_models().values() if model.layer == "tests"),
        *(causality_check(recipe) for recipe in causal_recipes()),
    ],
    jobs=JOBS,
    schedules=SCHEDULES,
    sensors=SENSORS,
    resources={"io_manager": WarehouseIOManager()},
    executor=executor(settings().executor),
)
