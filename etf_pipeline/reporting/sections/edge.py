"""The verdict: is there an edge, and why is the answer what it is? Every figure comes from `rpt_edge`."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.reporting.formats import count, number, percent, probability, text, words
from etf_pipeline.reporting.page import Column, Fact, Grid, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables

ANSWERS = {
    "edge": "Yes: the best record is better than luck alone would give after everything that was tried.",
    "no_edge": "No edge is proven: what was earned can be explained by luck and by holding the market.",
    "not_enough_data": "There are not enough data to say: no record of this length could prove an edge.",
}
"""Verdicts over all as an answer."""

SHORT = {"edge": "Edge", "no_edge": "No edge", "not_enough_data": "Too few data"}
TONES = {"edge": "good", "no_edge": "bad"}

VERDICT = Column("Verdict", "verdict", lambda v: SHORT.get(v, text(v)), numeric=False, tone=lambda v: TONES.get(v, ""))

RECORDS = (
    Column("Strategy", "subject", words, numeric=False),
    VERDICT,
    Column("Why", "why", text, numeric=False, wide=True),
)

CLAIMS = (
    Column("Claim", "statement", text, numeric=False, wide=True),
    VERDICT,
    Column("Figure", "estimate", lambda v: number(v, 3, signed=True)),
    Column("Chance by luck", "p_value", probability),
    Column("Once all tests count", "p_adjusted", probability),
    Column("Observations", "n_obs", count),
    Column("Worth, independent", "n_effective", lambda v: number(v, 0)),
)

LEAD = "ensemble"
"""The forecast that portfolios are built on; its members' claims are in the table."""


def edge(tables: ReportTables) -> Section:
    """The answer, the figures that decide it, each strategy's reasons, and each claim by itself."""
    rows = tables.rpt_edge
    whole = rows[rows["kind"] == "overall"].head(1)
    records = tables.ordered(rows[rows["claim"] == "skill"].rename(columns={"subject": "strategy"}))
    records = records.rename(columns={"strategy": "subject"})
    claims = rows[(rows["claim"] != "skill") & ((rows["kind"] == "strategy") | (rows["subject"] == LEAD))]
    claims = claims.assign(_first=claims["kind"] != "strategy").sort_values(["_first", "subject", "claim"], kind="stable")
    return Section(
        key="edge",
        heading="Is there an edge?",
        sentence=answer(whole),
        sources=("rpt_edge", "rpt_trials", "rpt_significance"),
        paragraphs=tuple(whole["why"]),
        facts=_facts(whole, records),
        grids=(
            *([grid(records, RECORDS, "Each strategy's record, and why it is judged so", folded=True)] if len(records) else []),
            *([_claims(claims)] if len(claims) else []),
        ),
        note=(
            "Trying many strategies makes the best of them look good by luck. The ledger counts every configuration that was "
            "ever tried here, and the best record must beat what the best of so many would show without any skill. A chance of "
            "under 0.050, once all tests count, is needed for a claim to stand. Forecasts that rank shares above bonds do well "
            "while shares do, so that a forecast has to rank funds within their asset class."
        ),
    )


def _claims(claims: pd.DataFrame) -> Grid:
    return grid(claims, CLAIMS, "What is claimed, one test each", by="subject", title=words, folded=True)


def answer(whole: pd.DataFrame) -> str:
    """The verdict over all as an answer, from its row of `rpt_edge`."""
    return ANSWERS[whole["verdict"].iloc[0]] if len(whole) else "No strategy was tried, so there is nothing to judge."


def _facts(whole: pd.DataFrame, records: pd.DataFrame) -> tuple[Fact, ...]:
    """The answer, and the figures of the record that stands best after deflation."""
    if whole.empty or records.empty:
        return ()
    best = records.sort_values("dsr", ascending=False, kind="stable").iloc[0]
    return (
        Fact("Verdict", SHORT[whole["verdict"].iloc[0]], f"best record: {words(best['subject'])}"),
        Fact("Not luck", percent(best["dsr"], 0), "confidence after deflation; 95 % is needed"),
        Fact("Things tried", count(best["n_trials"]), "models, strategies and settings in the ledger"),
        Fact("Length of the record", _years(best["n_obs"]), _needed(best["min_track_record"])),
        Fact("Choice disappoints", percent(best["pbo"], 0), "of the best record, afterwards; under 50 % is needed"),
    )


def _years(sessions: Any) -> str:
    return f"{number(float(sessions) / SESSIONS_PER_YEAR, 1)} years"


def _needed(sessions: Any) -> str:
    if pd.isna(sessions) or not math.isfinite(sessions):
        return "no length would prove a ratio that is not above zero"
    return f"{_years(sessions)} are needed to be above zero at 95 %"
