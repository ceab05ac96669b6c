"""Section on the input: what was wrong with it, whether it gets better or worse, and what its sources rewrote."""

from __future__ import annotations

from typing import Any

import pandas as pd

from etf_pipeline.reporting.formats import count, day, flag, number, percent, text, tick, words
from etf_pipeline.reporting.page import Column, Fact, Grid, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.svg import Chart, stacked
from etf_pipeline.schemas.quality import SEVERITIES


def _tone(severity: str) -> str:
    return "bad" if severity == "error" else ""


RULES = (
    Column("Rule", "rule", words, numeric=False),
    Column("Severity", "severity", text, numeric=False, tone=_tone),
    Column("Findings", "findings", count, bar=True),
    Column("Rows refused", "refused", count),
    Column("Sessions", "sessions", count),
    Column("First", "first", day, numeric=False),
    Column("Last", "last", day, numeric=False),
    Column("Newest example", "example", text, numeric=False, wide=True),
)

NEWEST = (
    Column("Session", "session", day, numeric=False),
    Column("Ticker", "ticker", text, numeric=False),
    Column("Finding", "rule", words, numeric=False),
    Column("Severity", "severity", text, numeric=False, tone=_tone),
    Column("Refused", "refused", flag, numeric=False),
    Column("What was found", "found", text, numeric=False, under="remedy", wide=True),
)

RESTATED = (
    Column("Fetched", "known_at", day, numeric=False),
    Column("Ticker", "ticker", text, numeric=False),
    Column("Table", "dataset", words, numeric=False),
    Column("Columns", "fields", text, numeric=False),
    Column("Values changed", "changes", count, bar=True),
    Column("First session", "first_session", day, numeric=False),
    Column("Last session", "last_session", day, numeric=False),
    Column("Largest change", "largest_change", percent),
)

ROWS = 12
"""Findings and restatements listed, the newest first."""
DRAWN = 6
"""Rules that the chart tells apart, those with most findings; the others are one area."""


def data_quality(tables: ReportTables) -> Section:
    """What was wrong with the input, by rule and month, and what was restated."""
    rules = _by_rule(tables)
    total, refused = int(rules["findings"].sum()), int(rules["refused"].sum())
    grave = tables.rpt_quality_trend[tables.rpt_quality_trend["severity"] != "info"]
    newest, changes = tables.rpt_quality_newest.sort_values("place"), tables.rpt_restatements
    grids = [grid(rules, RULES, "Findings by rule")] if total else []
    if len(newest):
        grids.append(grid(newest.head(ROWS), NEWEST, f"Newest {min(ROWS, len(newest))} warnings and errors, and what to do"))
    if len(changes):
        grids.append(_restated(changes))
    return Section(
        key="quality",
        heading="What was wrong with the data",
        sentence=(
            f"{count(total)} findings about the input; {count(refused)} rows were refused and reached no later step. "
            "A refused row stays in its raw table, with the rule that it broke."
            if total
            else "No rule found anything to object to in the input."
        ),
        sources=("rpt_data_quality", "rpt_quality_trend", "rpt_quality_newest", "rpt_restatements"),
        facts=_facts(rules, grave, changes) if total or len(changes) else (),
        charts=(_trend(grave),) if len(grave) else (),
        grids=tuple(grids),
    )


def _by_rule(tables: ReportTables) -> pd.DataFrame:
    rows = tables.rpt_data_quality.sort_values("session")
    by_rule = rows.groupby("rule").agg(
        severity=("severity", _gravest),
        findings=("findings", "sum"),
        refused=("refused", "sum"),
        sessions=("session", "nunique"),
        first=("session", "min"),
        last=("session", "max"),
        example=("example", "last"),
    )
    return by_rule.reset_index().sort_values(["findings", "rule"], ascending=[False, True])


def _gravest(severities: pd.Series[Any]) -> str:
    return str(max(severities, key=SEVERITIES.index))


def _facts(rules: pd.DataFrame, grave: pd.DataFrame, changes: pd.DataFrame) -> tuple[Fact, ...]:
    last = grave[grave["month"] == grave["month"].max()]
    doubled = int(rules.loc[rules["severity"] == "info", "refused"].sum())
    return (
        Fact("Rows refused", count(int(rules["refused"].sum())), f"{count(doubled)} of them only since another source speaks"),
        Fact(
            "Newest month with findings",
            number(last["per_hundred_thousand"].sum(), 0) if len(last) else "none",
            "warnings and errors per 100,000 bars" + (f", {last['month'].iloc[0]:%B %Y}" if len(last) else ""),
        ),
        Fact("Values restated", count(int(changes["changes"].sum())), "by the source, after they were first stored"),
    )


def _trend(months: pd.DataFrame) -> Chart:
    wide = months.pivot(index="month", columns="rule", values="per_hundred_thousand").astype(float)
    every = pd.date_range(wide.index.min(), wide.index.max(), freq="MS")
    wide = wide.reindex(every).fillna(0.0)
    order = months.groupby("rule")["findings"].sum().sort_values(ascending=False, kind="stable").index
    shown = wide[list(order[:DRAWN])].copy()
    if len(order) > DRAWN:
        shown["other rules"] = wide[list(order[DRAWN:])].sum(axis=1)
    worst = shown.sum(axis=1)
    return stacked(
        shown,
        tick,
        alt=(
            f"Warnings and errors per 100,000 bars and month, by rule, {every[0]:%B %Y} to {every[-1]:%B %Y}; "
            f"most in {worst.idxmax():%B %Y}: {number(worst.max(), 0)}."
        ),
        caption="Warnings and errors per 100,000 bars of the month, by rule. A rising area means that the source gets worse.",
    )


def _restated(changes: pd.DataFrame) -> Grid:
    newest = changes.sort_values(["known_at", "changes", "dataset", "ticker"], ascending=[False, False, True, True])
    return grid(newest.head(ROWS), RESTATED, f"Newest {min(ROWS, len(newest))} restatements of {len(newest)}")
