"""One look at the whole input: every finding, and the rows that no later stage may see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.quality.bars import Bars
from etf_pipeline.quality.events import odd_actions
from etf_pipeline.quality.findings import EVERYTHING, finding_rows, join_rows
from etf_pipeline.quality.oddities import odd_bars
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.refusals import Judgement, judge

PRICES = "stg_prices"
QUARANTINE_COLUMNS = ["dataset", "source", "source_row", "ticker", "session", "rule", "found", "remedy"]


@dataclass(frozen=True)
class Inspection:
    """What was wrong.

    Attributes
    ----------
    findings : DataFrame
        Rows of `quality_findings`: everything odd, refused or not.
    quarantine : DataFrame
        Rows of `quarantine`: bars refused (dataset `stg_prices`) and lines that could not be read (their raw table).
    """

    findings: pd.DataFrame
    quarantine: pd.DataFrame


def inspect(
    prices: pd.DataFrame,
    actions: pd.DataFrame,
    reference: pd.DataFrame,
    rejects: pd.DataFrame,
    parameters: QualityParameters | None = None,
    known_until: pd.Timestamp | None = None,
) -> Inspection:
    """Judge every bar and action.

    Parameters
    ----------
    prices, actions, reference, rejects : DataFrame
        Rows of `stg_prices`, `stg_actions`, `stg_reference` and `raw_rejects`, in any order.
    parameters : QualityParameters, optional
        Thresholds.
    known_until : Timestamp, optional
        Instant of the fetch (UTC where naive): a session that closes later is in the future.

    Returns
    -------
    Inspection
        Every bar is either in `quarantine` (once, with the first rule that it broke) or fit for use.

    Raises
    ------
    DataError
        If there are no bars at all.

    Notes
    -----
    Causal: the verdict on a bar rests on bars up to its session and on actions known at its close. A move beyond the limits
    is refused until an action explains it, and so is every later bar at the new level: a missed split fails loudly instead of
    becoming a return. A ticker without a reference row is a warning, not an error: the dead funds have none, and refusing them
    would bring survivorship bias in by the back door.
    """
    if prices.empty:
        raise DataError("quality.inspect needs at least one bar; stg_prices is empty. See what the provider delivered.")
    parameters = parameters or QualityParameters()
    bars = Bars.of(prices)
    verdict = judge(bars, actions, reference, parameters, known_until)
    refused = _refused(bars, verdict)
    unread = _unread(rejects, prices)
    odd = [
        finding_rows(PRICES, bars.frame[broken], rule, [describe(int(i)) for i in np.flatnonzero(broken)])
        for rule, broken, describe in odd_bars(bars, verdict, actions, reference, parameters)
    ]
    findings = join_rows("quality_findings", [refused, unread, *odd, *odd_actions(actions, bars, verdict, parameters)])
    return Inspection(findings, _quarantine(refused, unread, rejects))


def accepted_bars(prices: pd.DataFrame, quarantine: pd.DataFrame) -> pd.DataFrame:
    """The bars that are not in quarantine, in their order."""
    out = quarantine.loc[quarantine["dataset"] == PRICES, ["source", "source_row"]]
    refused = pd.MultiIndex.from_frame(out)
    return prices[~pd.MultiIndex.from_frame(prices[["source", "source_row"]]).isin(refused)]


def _refused(bars: Bars, verdict: Judgement) -> pd.DataFrame:
    out = ~verdict.accepted
    return finding_rows(PRICES, bars.frame[out], list(verdict.rule[out]), list(verdict.found[out]))


def _unread(rejects: pd.DataFrame, prices: pd.DataFrame) -> pd.DataFrame:
    """Findings from rejects; one that names no session was found at the fetch and bears the newest session of all."""
    session = rejects["session"].fillna(prices["session"].max())
    rows = rejects.assign(session=session.astype("datetime64[ns]"), ticker=rejects["ticker"].fillna(EVERYTHING))
    made = finding_rows("", rows, list(rejects["rule"]), list(rejects["found"]), list(rejects["remedy"]))
    return made.assign(dataset=rejects["dataset"].to_numpy(dtype=object))


def _quarantine(refused: pd.DataFrame, unread: pd.DataFrame, rejects: pd.DataFrame) -> pd.DataFrame:
    lost = unread.assign(session=pd.DatetimeIndex(rejects["session"]))
    parts = [part.loc[part["severity"] == "error", QUARANTINE_COLUMNS] for part in (refused, lost)]
    return join_rows("quarantine", parts)
