"""Jobs: what a person or the clock starts."""

import dagster as dg

from etf_pipeline.orchestration.materialise import RECOMPUTE_TAG

EVERYTHING = dg.AssetSelection.all()
RAW = dg.AssetSelection.groups("raw")
DATA = dg.AssetSelection.groups("raw", "staging", "quality", "marts", "universe")

nightly = dg.define_asset_job(
    "nightly",
    EVERYTHING,
    description="Everything, from the provider to the report. What did not change is kept, not computed again.",
)
research = dg.define_asset_job(
    "research", EVERYTHING - RAW, description="Everything after ingestion: try parameters on the data that are there."
)
ingest = dg.define_asset_job("ingest", DATA, description="Fetch, stage, judge and screen the data; no estimates.")
backfill = dg.define_asset_job(
    "backfill",
    EVERYTHING,
    tags={RECOMPUTE_TAG: "true"},
    description="Everything, computed anew over the whole history. Equal results keep their content hash.",
)

JOBS = [nightly, research, ingest, backfill]
