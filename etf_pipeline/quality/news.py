"""What may be judged from the last year of bars alone, and what only the whole history can judge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import cast

import polars as pl
import pyarrow as arrow

MEMORY = 300
"""Bars of a fund that its next verdicts look back on, but for what `contested` names: 252 returns that traded and some. [rows]"""

WALKED = ("price_jump", "missed_split", "split_in_doubt", "split_not_seen", "large_dividend", "special_dividend", "source_break")
"""Rules that hold a bar against the last accepted one, and an action against all before it, however long ago."""

LARGE = 0.10
"""Dividend over the close from which its place among the fund's dividends matters; below the limit of every rule. [fraction]"""


def contested(inputs: Mapping[str, arrow.Table], made: Mapping[str, arrow.Table], since: date) -> bool:
    """Whether verdicts from a day on rest on more than the bars given.

    Parameters
    ----------
    inputs : mapping of str to pyarrow.Table
        `stg_prices`, the last `MEMORY` bars of each fund and more, and `stg_actions`.
    made : mapping of str to pyarrow.Table
        `quality_findings` that came of them.
    since : date
        First day of the news.

    Returns
    -------
    bool
        True where a rule of `WALKED` begins to speak of a fund, or a new dividend is large.

    Notes
    -----
    The walk over a fund's bars carries the last accepted close, and where sources differ the level of each, without limit. If the
    verdicts before the news come out as they were stored, the walk stands where it stood; what it could still get wrong is named
    here, and is rare enough to be judged from the beginning. A fund whose bars have all been refused for longer than `MEMORY`
    cannot be told from its last bars: until somebody mends it, every night judges everything.
    """
    findings, prices, actions = (
        _frame(table) for table in (made["quality_findings"], inputs["stg_prices"], inputs["stg_actions"])
    )
    walked = findings.filter(pl.col("rule").is_in(WALKED))
    news, known = (walked.filter(when) for when in (pl.col("session") >= since, pl.col("session") < since))
    if news.join(known, on=["ticker", "rule"], how="anti").height:
        return True
    paid = actions.filter((pl.col("kind") == "dividend") & (pl.col("ex_date") >= since - timedelta(days=10)))
    lowest = prices.filter(pl.col("session") >= since - timedelta(days=30)).group_by("ticker").agg(pl.col("close").min())
    return bool(paid.join(lowest, on="ticker").filter(pl.col("value") > LARGE * pl.col("close")).height)


def _frame(table: arrow.Table) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(table))
