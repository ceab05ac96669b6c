"""Contracts of every table: importing this package fills `TABLES`.

A table's columns, units and key are declared here, once. The check on write and on read, the column table in the Dagster
UI and the data dictionary all derive from them.
"""

from __future__ import annotations

from etf_pipeline.schemas import (  # each module registers its tables
    attribution,
    backtest,
    costs,
    features,
    forecasting,
    macro,
    marts,
    portfolio,
    quality,
    raw,
    regimes,
    reports,
    risk,
    scoring,
    staging,
    stress,
    universe,
    validation,
)
from etf_pipeline.schemas.contract import SQL_TYPES, TABLES, Contract, Table, column, from_arrow, table

ROOMS = (
    raw,
    staging,
    quality,
    marts,
    universe,
    features,
    risk,
    regimes,
    macro,
    forecasting,
    validation,
    costs,
    scoring,
    portfolio,
    backtest,
    attribution,
    stress,
    reports,
)

__all__ = ["ROOMS", "SQL_TYPES", "TABLES", "Contract", "Table", "column", "from_arrow", "table"]
