"""Warehouse room: immutable Parquet files, one small SQLite registry, and a DuckDB catalog that anybody may open.

A *run* is a transaction over whole tables. Its steps *commit* versions, each an explicit list of files; only when the run has
succeeded do others see them, all at once. A run reads the state in which it began plus its own commits, so that neither a
failed run nor a run next door ever mixes in. Files are never rewritten: a version whose rows did not change points to the
files that are there, and `gc` drops what nobody needs.

The room knows neither Dagster nor any other room. `Warehouse` is the front; behind it `registry` holds the truth, `snapshot`
decides what is visible, `commits` writes, `files`, `chunks` and `content` turn Arrow into hashed files, `catalog` publishes,
`query` runs SQL, `lineage` explains, `retention` forgets, `doctor` verifies, and `cache` keeps expensive pieces. `vault` writes
files in clear or encrypted, `protection` remembers under which key, and `rekey` changes it.
"""

from etf_pipeline.warehouse.cache import Cache
from etf_pipeline.warehouse.content import content_hash
from etf_pipeline.warehouse.doctor import Report
from etf_pipeline.warehouse.lineage import Lineage
from etf_pipeline.warehouse.records import Commit, Run, Staged, StoredFile, TableName, Version
from etf_pipeline.warehouse.retention import Collected
from etf_pipeline.warehouse.store import Warehouse

__all__ = [
    "Cache",
    "Collected",
    "Commit",
    "Lineage",
    "Report",
    "Run",
    "Staged",
    "StoredFile",
    "TableName",
    "Version",
    "Warehouse",
    "content_hash",
]
