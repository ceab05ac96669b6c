"""Section on what the estimates behind the page are worth: each was held against what came afterwards, whatever the answer."""

from __future__ import annotations

from typing import Any

import pandas as pd

from etf_pipeline.reporting.formats import count, number, percent, probability, text, words
from etf_pipeline.reporting.page import Column, Grid, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables

TONES = {
    "better": "good",
    "adaptive_better": "good",
    "skill": "good",
    "worse": "bad",
    "adaptive_worse": "bad",
    "wrong_way": "bad",
    "right side": "good",
    "wrong side": "bad",
}


def _verdict(label: str, field: str) -> Column:
    return Column(label, field, words, numeric=False, tone=lambda v: TONES.get(v, ""))


VOLATILITIES = (
    Column("Estimator", "estimator", words, numeric=False),
    Column("Funds", "funds", count),
    Column("Outcomes", "outcomes", count),
    Column("Loss, QLIKE", "qlike", lambda v: number(v, 3)),
    Column("Less than a year's deviation", "qlike_difference", lambda v: number(v, 3, signed=True)),
    Column("p-value", "dm_p", probability),
    _verdict("All funds", "verdict"),
    Column("Funds better", "better", lambda v: percent(v, 0)),
    Column("Funds worse", "worse", lambda v: percent(v, 0)),
    Column("Cannot be told", "no_difference", lambda v: percent(v, 0)),
    Column("Unbiased on", "unbiased", lambda v: percent(v, 0)),
)

COVARIANCES = (
    Column("Estimator", "estimator", words, numeric=False),
    Column("Months", "n_months", count),
    Column("Condition number", "median_condition_number", count),
    Column("Least-variance portfolio swung", "min_variance_volatility", lambda v: percent(v, 2)),
    Column("Against sample", "min_variance_change", lambda v: percent(v, signed=True)),
    _verdict("Verdict", "min_variance_verdict"),
    Column("Realised over promised", "median_realised_over_expected", number),
    _verdict("Balanced portfolio", "balanced_verdict"),
    _verdict("Likelihood", "log_likelihood_verdict"),
)

SCORINGS = (
    Column("Weighting", "subject", words, numeric=False),
    Column("Against", "against", words, numeric=False),
    Column("Rank correlation", "ic", lambda v: number(v, 3, signed=True)),
    Column("The other's", "ic_against", lambda v: number(v, 3, signed=True)),
    Column("Difference", "ic_difference", lambda v: number(v, 3, signed=True)),
    Column("Within classes", "ic_within_class_difference", lambda v: number(v, 3, signed=True)),
    Column("p, all rows", "ic_within_class_p_adjusted", probability),
    Column("Best fifth", "top_excess_difference", lambda v: percent(v, 2, signed=True)),
    Column("p, all rows", "top_excess_p_adjusted", probability),
    _verdict("Verdict", "verdict"),
    Column("Remark", "note", text, numeric=False, wide=True),
)

REPLAYS = (
    Column("Fund", "name", text, numeric=False, under="ticker"),
    Column("Economy, times", "macro_peak", number),
    Column("Politics, times", "geo_peak", number),
    Column("Rank before", "rank_before", lambda v: number(v, 0)),
    Column("At the peak", "rank_peak", lambda v: number(v, 0)),
    Column("Next 21 sessions", "return_following", lambda v: percent(v, signed=True)),
    _verdict("Side", "outcome"),
    Column("What moved it", "reason", text, numeric=False, wide=True),
)

SKILLS = (
    Column("Part", "part", words, numeric=False),
    Column("Mean rank correlation", "mean_ic", lambda v: number(v, 3, signed=True)),
    Column("Error, ±", "error", lambda v: number(v, 3)),
    Column("Sessions", "n", count),
    Column("Worth, independent", "n_effective", lambda v: number(v, 0)),
    _verdict("Verdict", "verdict"),
)

MACRO = {
    "skill": "funds that they favoured did better afterwards",
    "no_skill": "funds that they favoured did no better afterwards than chance allows",
    "wrong_way": "funds that they favoured did worse afterwards",
    "insufficient": "the record is too short to tell",
}

FUNDS = 12
"""Funds listed per event: those whose adjustment moved most."""


def worth(tables: ReportTables) -> Section:
    """How volatility, covariance, score and macro estimates fared against what followed."""
    paragraphs = (_volatility(tables), _covariance(tables), _scoring(tables), *_macro(tables))
    return Section(
        key="worth",
        heading="What these estimates are worth",
        sentence="Each was held against what came afterwards, corrected for many tests; 'no difference' is a valid answer.",
        sources=(
            "rpt_volatility_evaluation",
            "rpt_covariance_stability",
            "rpt_scoring",
            "macro_skill",
            "rpt_macro_replay",
        ),
        paragraphs=tuple(p for p in paragraphs if p),
        grids=_grids(tables),
        note=(
            "QLIKE punishes too low a volatility more than too high a one. Unbiased on: share of funds on which a forecast "
            "that is right on average at every level is not rejected at 5 %. Side: whether what was favoured beat the median."
        ),
    )


def _split(rows: pd.DataFrame, field: str, better: str, worse: str, name: str) -> str:
    """Which rows were better, which worse, and how many cannot be told, none of them left out."""
    up, down = (rows.loc[rows[field] == verdict, name].map(words).tolist() for verdict in (better, worse))
    rest = len(rows) - len(up) - len(down)
    parts = [f"better: {', '.join(up)}" if up else "none better", f"worse: {', '.join(down)}" if down else "none worse"]
    return f"{parts[0]}; {parts[1]}; not told apart: {rest} of {len(rows)}"


def _volatility(tables: ReportTables) -> str:
    rows = tables.rpt_volatility_evaluation.sort_values("estimator")
    rows = rows[rows["dm_p"].notna()]
    if rows.empty:
        return ""
    split = _split(rows, "verdict", "better", "worse", "estimator")
    alone = rows["no_difference"].min()
    return (
        f"Volatility, over {count(rows['outcomes'].max())} outcomes of {count(rows['funds'].max())} funds, beside the deviation "
        f"of the last year: {split}. Fund by fund, after correction, at least {percent(alone, 0)} of funds cannot tell."
    )


def _covariance(tables: ReportTables) -> str:
    rows = tables.rpt_covariance_stability.sort_values("estimator")
    rows = rows[rows["min_variance_verdict"] != "reference"]
    if rows.empty:
        return ""
    split = _split(rows, "min_variance_verdict", "better", "worse", "estimator")
    return f"Covariance, by the portfolio of least variance in the month after, beside the sample covariance: {split}."


def _scoring(tables: ReportTables) -> str:
    rows = tables.rpt_scoring.sort_values(["subject", "against"])
    judged = rows[~rows["verdict"].isin(["not_judged", "insufficient"])]
    if rows.empty:
        return ""
    if judged.empty:
        return "Weights of the score that adapt to the market state: the record is too short to tell."
    named = judged.assign(pair=[f"{words(r.subject).lower()} over {words(r.against).lower()}" for r in judged.itertuples()])
    split = _split(named, "verdict", "adaptive_better", "adaptive_worse", "pair")
    left = len(rows) - len(judged)
    return f"Weights of the score that adapt to the market state, beside others: {split}" + (
        f"; {left} not judged." if left else "."
    )


def _macro(tables: ReportTables) -> tuple[str, ...]:
    skill = tables.macro_skill
    said = [
        f"Macro and geopolitical adjustments, over {count(row['n'])} months' ends: {MACRO[row['verdict']]}"
        f"{'' if row['claim_allowed'] else ', and no claim may rest on it, since inputs are final revisions'}."
        for _, row in skill[(skill["scope"] == "all") & (skill["part"] == "both")].iterrows()
    ]
    for title, part in tables.rpt_macro_replay.sort_values(["before", "event"]).groupby("title", sort=False):
        sides = part["outcome"].value_counts()
        right, wrong = int(sides.get("right side", 0)), int(sides.get("wrong side", 0))
        ended = f"{right} funds ended on the side that the adjustments favoured and {wrong} on the other"
        said.append(f"{title}: {ended}; one event proves nothing.")
    return tuple(said)


def _grids(tables: ReportTables) -> tuple[Grid, ...]:
    replays = tables.rpt_macro_replay.sort_values(["before", "event", "rank_peak", "ticker"])
    replays = replays[replays["place_by_move"] <= FUNDS]
    scopes = tables.macro_skill.assign(_whole=lambda f: f["scope"] != "all").sort_values(["_whole", "scope", "part"])
    asked: tuple[tuple[pd.DataFrame, tuple[Column, ...], str, str], ...] = (
        (tables.rpt_volatility_evaluation.sort_values("qlike"), VOLATILITIES, "Volatility estimators over 21 sessions", ""),
        (tables.rpt_covariance_stability.sort_values("min_variance_volatility"), COVARIANCES, "Covariance estimators", ""),
        (tables.rpt_scoring.sort_values(["subject", "against"]), SCORINGS, "Weightings of the score", ""),
        (scopes, SKILLS, "Skill of macro and geopolitical adjustments", "scope"),
        (replays, REPLAYS, f"Two crises: the {FUNDS} funds whose adjustment moved most", "title"),
    )
    return tuple(
        grid(rows, columns, caption, by=by, title=_scope, folded=True) for rows, columns, caption, by in asked if len(rows)
    )


def _scope(name: Any) -> str:
    return "All months' ends" if name == "all" else words(name)
