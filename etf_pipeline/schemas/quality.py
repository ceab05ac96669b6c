"""Quality room: what is wrong with the input, which rows are refused and why."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Table, column, table

SEVERITIES = ["info", "warning", "error"]


@table(
    room="quality",
    key=("dataset", "ticker", "session", "rule", "source", "source_row"),
    causality="causal",
    allow_empty=True,
)
class QualityFindings(Table):
    """Everything odd about the input, whether or not it was refused, with the rule, what was found and what to do."""

    dataset: pl.String = column("Table of the finding", unit="identifier")
    ticker: pl.String = column("Ticker, or '*' for the whole source", unit="identifier")
    session: pl.Date = column("Session of the finding; the newest of all where none could be read", unit="date")
    rule: pl.String = column("Rule that was broken, as in `quality.RULES`", unit="identifier")
    severity: pl.String = column("`error` refuses the row", unit="category", isin=SEVERITIES)
    found: pl.String = column("What was found", unit="text")
    remedy: pl.String = column("What to do next", unit="text")
    source: pl.String = column("File or feed", unit="identifier")
    source_row: pl.Int64 = column("Row within the source, from 0; -1 for the whole source", unit="count")


@table(room="quality", key=("rule",), causality="summary")
class QualityRules(Table):
    """The rules and what breaking them leads to, under the settings of the run."""

    rule: pl.String = column("Rule, as in `quality_findings`", unit="identifier")
    description: pl.String = column("What it looks for", unit="text")
    severity: pl.String = column("How grave it is", unit="category", isin=SEVERITIES)
    refuses: pl.Boolean = column("A row that breaks it goes no further", unit="flag")
    blocks_above: pl.Float64 = column(
        "Share of the newest session's bars that may break it before the run stops; unknown: it never stops the run",
        unit="fraction",
        nullable=True,
        ge=0,
    )
    remedy: pl.String = column("What to do next", unit="text")


@table(room="quality", key=("dataset", "source", "source_row", "rule"), causality="causal", allow_empty=True)
class Quarantine(Table):
    """Rows that no later stage sees. Nothing is lost: the row stays in its raw table, and here stands why it was refused."""

    dataset: pl.String = column("Table of the row", unit="identifier")
    source: pl.String = column("File or feed", unit="identifier")
    source_row: pl.Int64 = column("Row within the source, from 0; -1 for the whole source", unit="count")
    ticker: pl.String = column("Ticker, or '*' where it could not be read", unit="identifier")
    session: pl.Date = column("Session, where it could be read", unit="date", nullable=True)
    rule: pl.String = column("First rule that the row broke", unit="identifier")
    found: pl.String = column("What was found", unit="text")
    remedy: pl.String = column("What to do next", unit="text")
