"""What `etf explain` shows of a fund: the lifecycle that was known on the day, under its permanent name."""

from __future__ import annotations

import pandas as pd

from etf_pipeline.orchestration.explain import evidence, explained_rows, lineage_of
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.warehouse import Warehouse
from etf_pipeline_tests.conftest import Demo


def test_the_lifecycle_known_on_the_day_is_part_of_the_evidence_of_a_membership(demo: Demo) -> None:
    tables = TableStore(Warehouse(demo.home / "warehouse"))
    lineage = lineage_of(tables, "universe_membership")
    ended = explained_rows(tables, "rpt_lifecycle", []).iloc[0]
    days = pd.DatetimeIndex(tables.read("universe_membership")["session"].unique().to_pandas()).sort_values()
    before = days[days < ended["announced_at"].tz_localize(None)][-5]
    for day, told in ((ended["last_session"], True), (before, False)):
        row = explained_rows(tables, "universe_membership", [ended["ticker"], f"{day:%Y-%m-%d}"]).iloc[0]
        shown = evidence(tables, row, lineage)["lifecycle"]
        assert set(shown["ticker"]) == {ended["ticker"]}
        assert (shown["fate"] != "listed").any() == told
