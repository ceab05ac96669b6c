"""Sections on the market of the day: which state it is in, and what the economy and politics say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.reporting.bars import stacked_bars
from etf_pipeline.reporting.formats import day, number, percent, text, tick, words
from etf_pipeline.reporting.page import Column, Fact, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.svg import Chart, bands

VINTAGES = {"latest": "final revision", "first": "as first published"}
"""What `vintage` means to a reader."""

SPELLS = (
    Column("From", "start", day, numeric=False),
    Column("To", "end", lambda v: "today" if pd.isna(v) else day(v), numeric=False),
    Column("State", "regime", words, numeric=False),
    Column("Sessions", "sessions", lambda v: number(v, 0)),
    Column("Market in it", "market_return", lambda v: percent(v, signed=True)),
    Column("From when it was known", "return_when_known", lambda v: percent(v, signed=True)),
    Column("Largest fall", "max_drawdown", percent),
    Column("Mean VIX", "mean_vix", lambda v: number(v, 1)),
    Column("Mean stressed", "mean_stressed", lambda v: percent(v, 0)),
)

DIMENSIONS = (
    Column("Dimension", "dimension", words, numeric=False),
    Column("What it says", "meaning", text, numeric=False, wide=True),
    Column("Newest value", "value", lambda v: number(v, 0 if abs(v) >= 1000 else 2)),
    Column("From its past", "z", lambda v: number(v, 1, signed=True)),
    Column("Change, 21 sessions", "z_change_21", lambda v: number(v, 1, signed=True)),
    Column("For the time of", "as_of", day, numeric=False),
    Column("Released", "released_at", day, numeric=False),
    Column("Known as", "vintage", lambda v: VINTAGES.get(v, text(v)), numeric=False),
)

TILTS = (
    Column("Fund", "ticker", text, numeric=False, under="name"),
    Column("Rank", "rank", lambda v: number(v, 0)),
    Column("Without both", "rank_without", lambda v: number(v, 0)),
    Column("Places gained", "places_gained", lambda v: number(v, 0, signed=True), tone=lambda v: _tone(v)),
    Column("Economy, times", "macro_multiplier", number),
    Column("Politics, times", "geo_multiplier", number),
    Column("What moved them most", "reason", text, numeric=False, wide=True),
    Column("Oldest figure", "macro_as_of", day, numeric=False),
)

NEWEST = 8
"""Spells listed, the newest first."""
MOVED = 20
"""Funds listed, those whose rank moved most first."""
UNUSUAL = 1.0
"""Standard deviations from the past that the sentence mentions."""


def _tone(places: float) -> str:
    return "good" if places > 0 else "bad" if places < 0 else ""


def regimes(tables: ReportTables) -> Section:
    """Which market state holds, since when and why, with the probability of the hidden Markov model beside it."""
    rows = tables.regimes.sort_values("session").set_index("session")
    now = rows.iloc[-1]
    spells = tables.rpt_regimes.sort_values("start", ascending=False)
    chance = tables.regime_probabilities.sort_values("session").iloc[-1]
    return Section(
        key="regimes",
        heading="Market state",
        sentence=f"At the close of {day(rows.index[-1])} the market state is {words(now['regime']).lower()}: {now['reason']}.",
        sources=("regimes", "regime_probabilities", "rpt_regimes"),
        paragraphs=(_beside(chance),),
        facts=(
            Fact("State", words(now["regime"]), _since(spells, now["days_in_state"])),
            Fact("Stressed, by the model", percent(chance["stressed"], 0), f"{percent(chance['stressed_21'], 0)} in 21 sessions"),
            Fact("VIX", number(now["vix"], 1), "expected swings, index points"),
            Fact("Market over its mean", percent(now["distance_200"], signed=True), "200 sessions"),
        ),
        charts=(_history(rows, tables.regime_probabilities),),
        grids=(
            grid(
                spells.head(NEWEST),
                SPELLS,
                f"Newest {min(NEWEST, len(spells))} of {len(spells)} spells, and what the market did in them",
                folded=True,
            ),
        ),
        note=(
            "The rule is stated beforehand; the model learns two states from past returns alone and gives the chance that the "
            "wilder one holds. Neither is a forecast of returns: a state is known only at the close that starts it, and 'from "
            "when it was known' is what could have been earned."
        ),
    )


def _since(spells: pd.DataFrame, sessions: Any) -> str:
    return f"since {day(spells['start'].iloc[0])}, {number(sessions, 0)} sessions"


def _beside(chance: pd.Series[Any]) -> str:
    if pd.isna(chance["stressed"]):
        return "The hidden Markov model has too few returns yet to tell a stressed state from a calm one."
    return (
        f"Beside the rule, a hidden Markov model on the market's returns gives the stressed state a chance of "
        f"{percent(chance['stressed'], 0)} today and {percent(chance['stressed_21'], 0)} in 21 sessions."
    )


def _history(rows: pd.DataFrame, chances: pd.DataFrame) -> Chart:
    stressed = chances.set_index("session")["stressed"].sort_index()
    return bands(
        rows["regime"],
        rows["index_close"].where(rows["index_close"] > 0),
        tick,
        log=True,
        share=stressed,
        share_label="Chance of the stressed state",
        alt=(
            "The market's index, its states, and the chance of the stressed state, "
            f"{day(rows.index[0])} to {day(rows.index[-1])}."
        ),
        caption=(
            "Line: the market's total-return index, logarithmic. Bands: the state that held. Below: chance of the stressed state "
            "as each close knew it, never smoothed afterwards."
        ),
    )


def macro(tables: ReportTables) -> Section:
    """Each macro dimension in words, and what the multipliers moved in the ranks."""
    rows = tables.rpt_market_context.assign(_size=lambda f: -f["z"].abs().fillna(-1.0)).sort_values(["_size", "dimension"])
    tilts = tables.rpt_macro_tilts.assign(_size=lambda f: -f["places_gained"].abs()).sort_values(["_size", "rank"])
    grids = [grid(rows, DIMENSIONS, "Every dimension, the most unusual first", folded=True)]
    if len(tilts):
        shown = min(MOVED, len(tilts))
        grids.append(grid(tilts.head(MOVED), TILTS, f"What they moved in the ranks: {shown} of {len(tilts)} funds", folded=True))
    return Section(
        key="macro",
        heading="Economy and politics",
        sentence=_unusual(rows),
        sources=("rpt_market_context", "rpt_macro_tilts"),
        paragraphs=tuple(p for p in (_moved(tilts), _vintage(rows)) if p),
        charts=(_distances(rows),) if rows["z"].notna().any() else (),
        grids=tuple(grids),
        note=(
            "'From its past' counts standard deviations from the dimension's own history up to that session; one in three lies "
            "beyond one. Figures count from their release on, never from the time that they describe."
        ),
    )


def _unusual(rows: pd.DataFrame) -> str:
    far = rows[rows["z"].abs() >= UNUSUAL]
    if far.empty:
        return "No dimension of the economy or of politics lies far from its own past."
    said = "; ".join(f"{row.meaning} ({number(row.z, 1, signed=True)})" for row in far.itertuples())
    return f"Out of the ordinary, in standard deviations from its own past: {said}."


def _moved(tilts: pd.DataFrame) -> str:
    if tilts.empty:
        return ""
    moved = tilts[tilts["places_gained"] != 0]
    if moved.empty:
        return f"None of this moves the rank of any of {len(tilts)} funds today."
    return (
        f"It moves the rank of {len(moved)} of {len(tilts)} funds: {_most(moved, 1)}; {_most(moved, -1)}. Scores rank funds; "
        "the optimiser decides on forecasts and risk, so that a moved rank need not move a weight."
    )


def _most(moved: pd.DataFrame, way: int) -> str:
    side = moved[np.sign(moved["places_gained"]) == way].head(2)
    name = "raised most" if way > 0 else "lowered most"
    if side.empty:
        return f"none {name.split()[0]}"
    return f"{name} {', '.join(f'{r.ticker} ({number(r.places_gained, 0, signed=True)})' for r in side.itertuples())}"


def _vintage(rows: pd.DataFrame) -> str:
    revised = [words(d).lower() for d in rows.loc[rows["vintage"] == "latest", "dimension"]]
    if not revised:
        return ""
    return (
        f"Known only in their final revision: {', '.join(sorted(revised))}. No claim that these adjustments would have helped "
        "rests on them."
    )


def _distances(rows: pd.DataFrame) -> Chart:
    known = rows.dropna(subset=["z"])
    said = "; ".join(f"{words(row.dimension)} {number(row.z, 1, signed=True)}" for row in known.itertuples())
    frame = pd.DataFrame({"z": known["z"].to_numpy()}, index=[words(name) for name in known["dimension"]])
    return stacked_bars(
        frame,
        tick,
        sums=False,
        alt=f"Distance of each dimension from its own past in standard deviations: {said}.",
        caption="Distance of each dimension from its own past, standard deviations. What a side means is in the table below.",
    )
