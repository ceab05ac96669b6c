"""Section on the funds that ended: who they were, and how much better a backtest looks that leaves them out."""

from __future__ import annotations

import re

import pandas as pd

from etf_pipeline.reporting.formats import count, day, number, percent, shorten, text, words
from etf_pipeline.reporting.page import Column, Fact, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables

VERDICTS = {
    "biased": "leaving them out flatters",
    "no_difference": "no difference shown",
    "too_few_endings": "too few endings to estimate a gap",
    "too_short": "too short to judge",
}
"""The study's verdicts in words."""


def _verdict(value: object) -> str:
    return VERDICTS.get(str(value), words(value))


STUDIES = (
    Column("Universe", "screens", words, numeric=False),
    Column("Rule", "rule", words, numeric=False),
    Column("Funds", "n_funds", count),
    Column("Ended", "n_ended", count),
    Column("Held to their end", "n_held_to_end", count),
    Column("Growth a year, all", "cagr_full", percent),
    Column("Survivors", "cagr_survivors", percent),
    Column("Gap", "cagr_gap", lambda value: percent(value, 2, signed=True), under="interval"),
    Column("Sharpe gap", "sharpe_gap", lambda value: number(value, signed=True)),
    Column("Verdict", "verdict", _verdict, numeric=False),
)

ENDED = (
    Column("Ticker", "ticker", text, numeric=False, under="name"),
    Column("Last session", "last_session", day, numeric=False),
    Column("Announced", "announced_at", day, numeric=False),
    Column("How it ended", "fate", words, numeric=False),
    Column("Paid per share", "liquidation_value", lambda value: number(value, 4)),
    Column("Became", "successor", text, numeric=False),
    Column("Known from", "basis", words, numeric=False, under="told", wide=True),
)

ROWS = 12
"""Ended funds listed, the newest first."""
LONGEST = 160
"""Characters of the evidence that the page shows; `rpt_lifecycle` has all of it, with the addresses."""
ADDRESS = re.compile(r",? ?https?://[^\s;)]+")


def survival(tables: ReportTables) -> Section:
    """Funds that ended, and the gap between survivors and all funds with its interval."""
    studies = tables.rpt_survivorship[tables.rpt_survivorship["asset_class"] == "all"]
    ended = tables.rpt_lifecycle.sort_values(["last_session", "ticker"], ascending=[False, True])
    ended = ended.assign(told=[shorten(ADDRESS.sub("", evidence), LONGEST) for evidence in ended["evidence"]])
    grids = [grid(_with_interval(studies), STUDIES, "Survivors against all funds")] if len(studies) else []
    if len(ended):
        grids.append(grid(ended.head(ROWS), ENDED, f"Newest {min(ROWS, len(ended))} of {count(len(ended))} funds that ended"))
    return Section(
        key="survival",
        heading="Funds that ended",
        sentence=(
            f"{count(len(ended))} funds of the data have ended or announce their end. They are in the universe, the training of "
            "the models and the backtest until then; here is what leaving them out would have added on paper."
            if len(ended)
            else "No fund of the data has ended: a backtest on them says nothing about survivorship."
        ),
        sources=("rpt_survivorship", "rpt_lifecycle"),
        facts=_facts(studies),
        grids=tuple(grids),
    )


def _with_interval(studies: pd.DataFrame) -> pd.DataFrame:
    ends = zip(studies["cagr_gap_low"], studies["cagr_gap_high"], strict=True)
    return studies.assign(interval=[f"{percent(low, 2, signed=True)} to {percent(high, 2, signed=True)}" for low, high in ends])


def _facts(studies: pd.DataFrame) -> tuple[Fact, ...]:
    return tuple(
        Fact(
            f"{words(row['screens'])}, {words(row['rule'])}".capitalize(),
            percent(row["cagr_gap"], 2, signed=True),
            f"a year on paper; {_verdict(row['verdict'])}",
        )
        for _, row in studies.iterrows()
    )
