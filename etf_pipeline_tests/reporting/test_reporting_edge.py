"""The verdict stands first in the report, in words, and takes its figures from `rpt_edge` alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from reporting_frames import REPORTED

from etf_pipeline.reporting import ReportTables, render
from etf_pipeline.reporting.formats import NBSP, SPACE
from etf_pipeline.reporting.page import Section
from etf_pipeline.reporting.sections.edge import ANSWERS, SHORT, edge
from etf_pipeline.schemas import TABLES, from_arrow


@pytest.fixture(scope="module")
def tables() -> ReportTables:
    return ReportTables(**{name: from_arrow(TABLES[name].to_arrow(make())) for name, make in REPORTED.items()})


def plain(text: str) -> str:
    return text.replace(NBSP, " ").replace(SPACE, " ")


def judged(tables: ReportTables, **changes: object) -> Section:
    return edge(dataclasses.replace(tables, rpt_edge=tables.rpt_edge.assign(**changes)))


def test_the_verdict_is_the_first_thing_that_a_reader_sees(tables):
    html = render(tables)
    shown = html[html.index("<main>") :]
    assert shown.index(ANSWERS["no_edge"]) < shown.index('class="facts"')
    assert shown.index(SHORT["no_edge"]) < shown.index("<table>")


@pytest.mark.parametrize("verdict", ANSWERS)
def test_each_verdict_has_its_answer(tables, verdict):
    section = judged(tables, verdict=verdict)
    assert (section.sentence, section.facts[0].value) == (ANSWERS[verdict], SHORT[verdict])


def test_the_figures_are_those_of_the_best_record_after_deflation(tables):
    facts = {fact.label: fact for fact in edge(tables).facts}
    assert plain(facts["Not luck"].value) == "31 %"
    assert facts["Things tried"].value == "14"
    assert facts["Length of the record"].value == "4.1 years"
    assert facts["Length of the record"].remark.startswith("10.0 years are needed")
    assert plain(facts["Choice disappoints"].value) == "40 %"


def test_a_record_that_no_length_would_prove_says_so(tables):
    section = judged(tables, min_track_record=np.nan)
    assert "no length" in {fact.label: fact for fact in section.facts}["Length of the record"].remark


def test_every_strategy_gives_its_reasons_and_only_the_ensemble_speaks_for_the_forecasts(tables):
    records, claims = edge(tables).grids
    names = [row[0].text for group in records.groups for row in group.rows]
    assert names == ["Max Sharpe", "Risk parity"]
    assert all("95 % is needed" in row[2].text for group in records.groups for row in group.rows)
    assert [group.title for group in claims.groups] == ["Max Sharpe", "Ensemble"]
    cells = [cell.text for cell in claims.groups[1].rows[0]]
    assert cells[1:5] == ["No edge", "+0.043", "0.021", "0.080"]


def test_without_a_strategy_there_is_nothing_to_judge(tables):
    rows = tables.rpt_edge[tables.rpt_edge["kind"] == "forecast"]
    section = edge(dataclasses.replace(tables, rpt_edge=rows))
    assert "nothing to judge" in section.sentence
    assert (section.facts, len(section.grids)) == ((), 1)
