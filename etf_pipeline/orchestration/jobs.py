"""Jobs: what a person or the clock starts."""

import dagster as dg

from etf_pipeline.orchestration.materialise import RECOMPUTE_TAG

LAB = dg.AssetSelection.assets(
    *("lab_windows", "lab_metrics", "lab_tests", "lab_paths", "lab_bias"),
    *("feature_importance", "search_trials", "search_windows", "search_results"),
).downstream()
"""Studies that take minutes and change no decision of a night, with the reports on them."""

EVERYTHING = dg.AssetSelection.all() - LAB
RAW = dg.AssetSelection.groups("raw")
DATA = dg.AssetSelection.groups("raw", "staging", "quality", "marts", "universe")

nightly = dg.define_asset_job(
    "nightly",
    EVERYTHING,
    description="Everything but the lab, from the provider to the report. What did not change is kept, not computed again.",
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
lab = dg.define_asset_job(
    "lab", LAB, description="The forecasting lab on the tables that are there: models, importance of features, settings."
)

JOBS = [nightly, research, ingest, backfill, lab]
