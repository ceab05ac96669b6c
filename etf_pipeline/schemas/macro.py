"""Macro room: the state of rates, credit, inflation, activity and geopolitics as released, and what it says about each fund."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table
from etf_pipeline.schemas.raw import VINTAGES

MACRO_DIMENSIONS = ["rates", "curve", "credit", "inflation", "labour", "conditions", "policy", "dollar", "geopolitics"]
ASSET_CLASSES = ["equity", "bond", "commodity", "real_estate", "currency", "alternative", "unknown"]
PROFILE_BASES = ["reference", "name", "returns", "nothing"]
FUND_MARKETS = ["domestic", "developed", "emerging", "frontier", "global", "unknown"]
DURATION_BUCKETS = ["ultrashort", "short", "intermediate", "long"]
SUBJECT_KINDS = ["class", "fund"]
SKILL_VERDICTS = ["skill", "no_skill", "wrong_way", "insufficient"]


@table(room="macro", key=("dimension", "session"), causality="causal", chunk="session")
class MacroState(Table):
    """How far each macro dimension stands from its own past, as it could be read at each close; unknown is not zero."""

    session: pl.Date = column("Session of the main exchange", unit="date")
    dimension: pl.String = column("Dimension, see `macro.DIMENSIONS`", unit="category", isin=MACRO_DIMENSIONS)
    value: pl.Float64 = column("Newest value of the dimension's first series", unit="as the series", nullable=True)
    z: pl.Float64 = column(
        "Mean z-score of the inputs' states on all releases up to then, clipped; positive: yields up, curve steep, spreads wide, "
        "inflation high, labour weak, conditions tight, policy tighter, dollar strong, risk high",
        unit="z-score",
        nullable=True,
    )
    z_change_21: pl.Float64 = column("Change of z over 21 sessions", unit="z-score", nullable=True)
    shock: pl.Float64 = column(
        "Change of the inputs' bases over 21 sessions, in the deviations that z divides by", unit="ratio", nullable=True
    )
    as_of: pl.Date = column("Oldest reference period among the known inputs", unit="date", nullable=True)
    released_at: Instant = column("Newest release among them", unit="UTC instant", nullable=True)
    vintage: pl.String = column(
        "`latest` if any known input is only a final revision", unit="category", nullable=True, isin=VINTAGES
    )
    meaning: pl.String = column("What the state says, in words", unit="text")


@table(room="macro", key=("ticker", "session"), causality="causal", chunk="session")
class FundMonths(Table):
    """Return of each fund over each calendar month, over cash, at its exchange's last session of the month."""

    session: pl.Date = column("Last session of the month on the fund's exchange", unit="date")
    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    excess_return: pl.Float64 = column(
        "Total return since the last session of the month before, less the bill; unknown without it",
        unit="fraction",
        nullable=True,
    )


@table(room="macro", key=("ticker", "session"), causality="causal", chunk="session")
class FundProfile(Table):
    """What each fund is and where its money lies, as known at each month's end, with what told so."""

    session: pl.Date = column("Last session of the month on the fund's exchange", unit="date")
    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    asset_class: pl.String = column("Asset class", unit="category", isin=ASSET_CLASSES)
    sub_class: pl.String = column("Sub-class, see `macro.classes.SUB_CLASSES`", unit="category")
    basis: pl.String = column("What told the class", unit="category", isin=PROFILE_BASES)
    confidence: pl.Float64 = column(
        "1 for references and names; for returns the probability that no other class is closer", unit="probability", nullable=True
    )
    country: pl.String = column("ISO 3166-1 code of where the money lies, `many` or `unknown`", unit="identifier")
    currency_exposure: pl.String = column("ISO 4217 code of what the holdings are worth in, or `many`", unit="identifier")
    market: pl.String = column("Development of that market", unit="category", isin=FUND_MARKETS)
    duration_bucket: pl.String = column(
        "Duration bucket of a bond fund by its words", unit="category", nullable=True, isin=DURATION_BUCKETS
    )
    duration: pl.Float64 = column("Duration that the bucket stands for", unit="years", nullable=True, gt=0)


@table(room="macro", key=("subject", "dimension", "session"), causality="causal", chunk="session", allow_empty=True)
class MacroSensitivities(Table):
    """How much each sub-class and fund answers to shocks of each dimension: prior, estimate, and both weighed by precision."""

    session: pl.Date = column("Last session of the year: months up to here are read", unit="date")
    subject: pl.String = column("Sub-class or fund", unit="identifier")
    kind: pl.String = column("Which of the two", unit="category", isin=SUBJECT_KINDS)
    dimension: pl.String = column("Dimension", unit="category", isin=MACRO_DIMENSIONS)
    prior: pl.Float64 = column(
        "What is expected before its own returns: the plan's for a sub-class, the sub-class's for a fund",
        unit="deviations of the monthly return per deviation of the shock",
        ge=-1,
        le=1,
    )
    estimate: pl.Float64 = column(
        "Slope of its returns on the shocks", unit="as the prior", nullable=True, ge=-1.000001, le=1.000001
    )
    error: pl.Float64 = column("HAC standard error of the slope", unit="as the prior", nullable=True, ge=0)
    weight: pl.Float64 = column("Weight of the estimate; the prior has the rest", unit="fraction", ge=0, le=1)
    shrunk: pl.Float64 = column("What counts", unit="as the prior", ge=-1.000001, le=1.000001)
    n: pl.Int64 = column("Months known", unit="count", ge=0)


@table(room="macro", key=("ticker", "session"), causality="causal", chunk="session")
class MacroAdjustments(Table):
    """Multipliers of each member by macro and geopolitical state, bounded, with the dates of what they rest on."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    macro_multiplier: pl.Float64 = column("Above 1 where the macro state favours the fund", unit="ratio", ge=0.5, le=1.5)
    geo_multiplier: pl.Float64 = column("Above 1 where the geopolitical state favours the fund", unit="ratio", ge=0.5, le=1.5)
    macro_as_of: pl.Date = column("Oldest reference period among the macro inputs", unit="date", nullable=True)
    geo_as_of: pl.Date = column("Reference period of the geopolitical input", unit="date", nullable=True)
    vintage: pl.String = column(
        "`latest` if any input is known only in its final revision: no claim of skill rests on the row",
        unit="category",
        isin=VINTAGES,
    )
    reason: pl.String = column("What moved the multipliers most, in words", unit="text")


@table(room="macro", key=("event", "ticker"), causality="summary", allow_empty=True)
class MacroReplays(Table):
    """Multipliers of each fund before, at the peak of and after an event, and what it returned after the peak."""

    event: pl.String = column("Event, see `macro.EVENTS`", unit="identifier")
    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    title: pl.String = column("Event in words", unit="text")
    before: pl.Date = column("First session of the event", unit="date")
    peak: pl.Date = column("Session on which adjustments had moved furthest from there", unit="date")
    after: pl.Date = column("Last session", unit="date")
    macro_before: pl.Float64 = column("Macro multiplier before", unit="ratio", nullable=True)
    geo_before: pl.Float64 = column("Geopolitical multiplier before", unit="ratio", nullable=True)
    macro_peak: pl.Float64 = column("Macro multiplier at the peak", unit="ratio")
    geo_peak: pl.Float64 = column("Geopolitical multiplier at the peak", unit="ratio")
    macro_after: pl.Float64 = column("Macro multiplier after", unit="ratio", nullable=True)
    geo_after: pl.Float64 = column("Geopolitical multiplier after", unit="ratio", nullable=True)
    rank_before: pl.Float64 = column("1 is the most favoured by both together; ties share", unit="rank", nullable=True)
    rank_peak: pl.Float64 = column("Rank at the peak", unit="rank")
    rank_after: pl.Float64 = column("Rank after", unit="rank", nullable=True)
    move: pl.Float64 = column("Change of the logarithm of their product from before to the peak", unit="log ratio", nullable=True)
    return_following: pl.Float64 = column("Return from the open after the peak over 21 sessions", unit="fraction", nullable=True)
    macro_as_of: pl.Date = column("Oldest reference period of the macro inputs at the peak", unit="date", nullable=True)
    geo_as_of: pl.Date = column("Reference period of the geopolitical input at the peak", unit="date", nullable=True)
    vintage: pl.String = column("`latest`: no claim of skill rests on it", unit="category", isin=VINTAGES)
    reason: pl.String = column("What moved the multipliers most at the peak", unit="text")
    settled: pl.Date = column("Last day that can change the row", unit="date")


@table(room="macro", key=("part", "session"), causality="realised", available="available_at", allow_empty=True)
class MacroRecord(Table):
    """Rank correlation of adjustments with the returns that followed, at months' ends and in the sessions of events."""

    session: pl.Date = column("Session at whose close the adjustments stood", unit="date")
    part: pl.String = column("Which multiplier: macro, geopolitics, or both", unit="category")
    ic: pl.Float64 = column("Spearman's across funds", unit="correlation", nullable=True, ge=-1.000001, le=1.000001)
    funds: pl.Int64 = column("Funds with an adjustment and a return", unit="count", ge=0)
    vintage: pl.String = column("`latest` if any adjustment rests on final revisions", unit="category", isin=VINTAGES)
    settled: pl.Date = column("Session until which returns were waited for", unit="date")
    available_at: Instant = column("Its close", unit="UTC instant")


@table(room="macro", key=("scope", "part"), causality="summary")
class MacroSkill(Table):
    """Whether funds that the adjustments favoured did better afterwards; `no_skill` is a valid answer."""

    scope: pl.String = column("`all` months' ends, or an event's sessions", unit="identifier")
    part: pl.String = column("Which multiplier: macro, geopolitics, or both", unit="category")
    mean_ic: pl.Float64 = column(
        "Mean rank correlation across funds with the following return", unit="correlation", nullable=True
    )
    error: pl.Float64 = column("HAC standard error of the mean", unit="correlation", nullable=True, ge=0)
    t: pl.Float64 = column("Mean over its error", unit="ratio", nullable=True)
    n: pl.Int64 = column("Sessions with a rank correlation", unit="count", ge=0)
    n_effective: pl.Float64 = column("The same, without overlap of returns", unit="count", ge=0)
    verdict: pl.String = column("At 5 %, by itself", unit="category", isin=SKILL_VERDICTS)
    vintage: pl.String = column("`latest` if any adjustment rests on final revisions", unit="category", isin=VINTAGES)
    claim_allowed: pl.Boolean = column("Whether the verdict may support a claim: not on final revisions", unit="flag")
