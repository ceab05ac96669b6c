"""Frames of `quality_findings` and `quarantine`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.rules import RULES, refuses, severity
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import from_arrow

EVERYTHING = "*"
"""Ticker of a finding about a whole source."""


def finding_rows(
    dataset: str,
    rows: pd.DataFrame,
    rule: str | Sequence[str],
    found: Sequence[str],
    parameters: QualityParameters,
    remedy: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Rows of `quality_findings` about rows that carry ticker, session, source and source_row.

    Parameters
    ----------
    rule : str or sequence of str
        One for all, or one per row. A rule that `RULES` does not know, from a provider of its own, is an error.
    parameters : QualityParameters
        Among them which rules refuse.
    remedy : sequence of str, optional
        Where the rows bring their own.
    """
    names = [rule] * len(rows) if isinstance(rule, str) else list(rule)
    levels = {name: severity(name, parameters) for name in set(names)}
    return pd.DataFrame(
        {
            "dataset": dataset,
            "ticker": rows["ticker"].to_numpy(dtype=object),
            "session": pd.DatetimeIndex(rows["session"]),
            "rule": np.array(names, dtype=object),
            "severity": np.array([levels[r] for r in names], dtype=object),
            "found": np.array(found, dtype=object),
            "remedy": np.array([RULES[r].remedy for r in names] if remedy is None else remedy, dtype=object),
            "source": rows["source"].to_numpy(dtype=object),
            "source_row": rows["source_row"].to_numpy(dtype=np.int64),
        }
    )


def rule_rows(parameters: QualityParameters) -> pd.DataFrame:
    """Rows of `quality_rules`: what each rule looks for and what breaking it leads to under the settings."""
    limits = parameters.limits
    return pd.DataFrame(
        {
            "rule": list(RULES),
            "description": [rule.description for rule in RULES.values()],
            "severity": [severity(name, parameters) for name in RULES],
            "refuses": [refuses(name, parameters) for name in RULES],
            "blocks_above": [limits.get(name, np.nan) for name in RULES],
            "remedy": [rule.remedy for rule in RULES.values()],
        }
    )


def join_rows(table: str, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of a table from several frames, sorted by its key; empty if they all are."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return from_arrow(TABLES[table].arrow_schema.empty_table())
    return pd.concat(filled, ignore_index=True).sort_values(list(TABLES[table].key), kind="stable").reset_index(drop=True)
