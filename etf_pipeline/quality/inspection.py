"""One look at the whole input: every finding, and the rows that no later stage may see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.quality.bars import Bars
from etf_pipeline.quality.effects import Effects
from etf_pipeline.quality.events import odd_actions
from etf_pipeline.quality.findings import EVERYTHING, finding_rows, join_rows, rule_rows
from etf_pipeline.quality.moves import judge_moves, judge_sources
from etf_pipeline.quality.oddities import list_odd_bars
from etf_pipeline.quality.parameters import QualityParameters
from etf_pipeline.quality.refusals import Judgement, judge_rows
from etf_pipeline.quality.rules import refuses
from etf_pipeline.quality.thin_sessions import odd_sessions

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
        Rows of `quarantine`: bars and actions refused (datasets `stg_prices` and `stg_actions`) and lines that could not be
        read (their raw table).
    rules : DataFrame
        Rows of `quality_rules`: the rules under these settings.
    """

    findings: pd.DataFrame
    quarantine: pd.DataFrame
    rules: pd.DataFrame


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
        Every bar and action is either in `quarantine` (once, with the first rule that it broke) or fit for use.

    Raises
    ------
    DataError
        If there are no bars at all.

    Notes
    -----
    Causal: the verdict on a bar rests on bars up to its session and on actions known at its close; an action is judged at the
    first usable bar from its ex-date on, and a finding bears the session at whose close it was made. A move beyond the limits
    is refused until an action explains it, and so is every later bar at the new level: a missed split fails loudly instead of
    becoming a return. A ticker without a reference row is a warning, not an error: the dead funds have none, and refusing them
    would bring survivorship bias in by the back door.

    Memory: windows reach back 252 returns of a fund that traded, 63 volumes, 20 sessions of an exchange, 6 closes and 5 days of
    ex-dates. Without a bound in time, but a few numbers per fund, are: the last accepted close and the last refused one with what
    took effect since, the last twelve dividends, the last bar that traded, the source that spoke last with where each other
    source stood to it, and the first bar (its currency, and that it was the first).
    """
    if prices.empty:
        raise DataError("quality.inspect needs at least one bar; stg_prices is empty. See what the provider delivered.")
    parameters = parameters or QualityParameters()
    bars = Bars.of(prices)
    verdict = Judgement(parameters, np.zeros(len(bars), dtype=np.uint8))
    judge_rows(bars, verdict, reference, parameters, known_until)
    effects = Effects.of(bars, actions, parameters)
    judge_sources(bars, effects, verdict, parameters)
    settled = judge_moves(bars, effects, verdict, parameters)
    list_odd_bars(bars, verdict, actions, reference, parameters)
    sessions = odd_sessions(bars, verdict, parameters)
    refused, listed = _findings(bars, verdict)
    events, unread = odd_actions(bars, effects, settled, verdict), _unread(rejects, prices, parameters)
    findings = join_rows("quality_findings", [refused, *listed, *sessions, events, unread])
    lost = unread.assign(session=pd.DatetimeIndex(rejects["session"]))
    return Inspection(findings, _quarantine([refused, events, lost], parameters), rule_rows(parameters))


def accepted_bars(prices: pd.DataFrame, quarantine: pd.DataFrame) -> pd.DataFrame:
    """The bars that are not in quarantine, in their order."""
    out = quarantine.loc[quarantine["dataset"] == PRICES, ["source", "source_row"]]
    refused = pd.MultiIndex.from_frame(out)
    return prices[~pd.MultiIndex.from_frame(prices[["source", "source_row"]]).isin(refused)]


def _findings(bars: Bars, verdict: Judgement) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Findings about the bars refused, and by rule about those that were let through."""
    rows, rules, found = verdict.refused()
    listed = [finding_rows(PRICES, bars.rows(at), rule, texts, verdict.parameters) for rule, at, texts in verdict.listed]
    return finding_rows(PRICES, bars.rows(rows), rules, found, verdict.parameters), listed


def _unread(rejects: pd.DataFrame, prices: pd.DataFrame, parameters: QualityParameters) -> pd.DataFrame:
    """Findings from rejects; one that names no session was found at the fetch and bears the newest session of all."""
    session = rejects["session"].fillna(prices["session"].max())
    rows = rejects.assign(session=session.astype("datetime64[ns]"), ticker=rejects["ticker"].fillna(EVERYTHING))
    made = finding_rows("", rows, list(rejects["rule"]), list(rejects["found"]), parameters, list(rejects["remedy"]))
    return made.assign(dataset=rejects["dataset"].to_numpy(dtype=object))


def _quarantine(parts: list[pd.DataFrame], parameters: QualityParameters) -> pd.DataFrame:
    names = {rule for part in parts for rule in part["rule"].unique()}
    out = [name for name in names if refuses(name, parameters)]
    return join_rows("quarantine", [part.loc[part["rule"].isin(out), QUARANTINE_COLUMNS] for part in parts])
