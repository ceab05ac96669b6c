"""Risk: stress of the weights, who is hurt most, a linear explorer of shocks, and the smallest shocks that lose a given part."""

from __future__ import annotations

from typing import Any

import streamlit as st

from etf_pipeline.conventions import PERCENT
from etf_pipeline.dashboard import charts, queries
from etf_pipeline.dashboard.parts import Chosen, ask, code, described, figure, frame, metrics, pick, shown, table
from etf_pipeline.dashboard.views.today import decision
from etf_pipeline.reporting.formats import count, day, number, percent, words

WIDEST = 50
"""Shocks run from minus to plus this many percent."""


def render(chosen: Chosen) -> None:
    """The page."""
    st.title("Risk")
    _stress(chosen)
    _explorer(chosen)
    _reverse(chosen)
    st.header("Were the claimed losses kept?")
    st.caption("Daily value at risk and expected shortfall, as known at the close before, held against what came.")
    table(ask(chosen, queries.VAR_BACKTESTS), name="Backtests of the value at risk")


def _stress(chosen: Chosen) -> None:
    st.header("Stress of the newest weights")
    stress = ask(chosen, queries.STRESS)
    drawn = figure(
        stress,
        lambda rows: charts.bars(rows, "profit", "title", by="kind", form="%", title="Profit, negative is a loss"),
        "Profit or loss of the newest weights in every scenario, the worst first",
        open_rows=True,
    )
    if not drawn:
        return
    st.caption(
        "Replays buy and hold today's weights through a past window; coverage is the weight whose fund lived then, the rest "
        "moves by proxy. Simulations show minus the mean of the worst 5 %."
    )
    replays = stress.frame[stress.frame["worst_ticker"].notna()]
    if len(replays):
        titles = dict(zip(replays["scenario"], replays["title"], strict=True))
        scenario = pick("Who is hurt in", list(titles), "scenario", lambda one: titles[one])
        _scenario(chosen, scenario, titles[scenario])


def _scenario(chosen: Chosen, scenario: str, title: str) -> None:
    figure(
        ask(chosen, queries.SCENARIO, scenario=scenario),
        lambda rows: charts.bars(rows, "contribution", "ticker", by="basis", form=".1%", title="Part of the profit"),
        f"Contribution of each fund in {title}",
    )
    figure(
        ask(chosen, queries.SCENARIO_FACTORS, scenario=scenario),
        lambda rows: charts.bars(rows, "contribution", "factor", by="basis", form=".1%", title="Part of the profit"),
        f"Contribution of each factor in {title}",
    )


def _reverse(chosen: Chosen) -> None:
    st.header("Reverse stress")
    st.caption("The likeliest move of the factors that loses a given part of the portfolio.")
    losses = ask(chosen, queries.LOSSES)
    if not shown(losses):
        return
    loss = pick("Loss", list(losses.frame["loss"]), "loss", lambda one: percent(one, 0))
    answer = ask(chosen, queries.REVERSE, loss=loss)
    if shown(answer):
        row = answer.frame.iloc[0]
        metrics(
            [
                ("Distance", number(row["distance"]), described("distance", answer.tables)[0]),
                ("Chance", percent(row["probability"], 2), described("probability", answer.tables)[0]),
                ("Horizon", f"{count(row['horizon'])} sessions", described("horizon", answer.tables)[0]),
            ]
        )
    figure(
        answer,
        lambda rows: charts.bars(rows, "shock_sd", "factor", title="Move, in its own deviations"),
        f"Move of each factor that loses {percent(loss, 0)}",
        open_rows=True,
    )


def _explorer(chosen: Chosen) -> None:
    st.header("Explore shocks")
    st.caption(
        "Linear: weight times beta times shock, added over funds and factors. A shock is the return of a factor while the others "
        "stand still; a large one is beyond what a line can say. The bound adds "
        "the betas' standard errors as if all erred together."
    )
    session = decision(chosen)
    if session is None:
        return
    factors = ask(chosen, queries.FACTORS, session=session)
    if not shown(factors, "No betas to several factors were known on this date."):
        return
    names = list(factors.frame["factor"])
    shocks = _sliders(names)
    answer = ask(chosen, queries.SHOCKED, session=session, factors=names, shocks=shocks)
    if not shown(answer, "None of the funds has betas on this date."):
        return
    _outcome(chosen, answer.frame, session, factors.frame["session"].iloc[0])
    left, right = st.columns(2)
    for place, part in ((left, "factor"), (right, "fund")):
        with place:
            st.subheader(f"By {part}")
            rows = answer.frame[answer.frame["part"] == part]
            chart = charts.bars(rows, "profit", "name", form=".1%", title="Profit")
            st.altair_chart(chart, alt=f"Profit by {part} under the chosen shocks", width="stretch")
    with st.expander("Rows and SQL"):
        frame(answer, name="Profit by factor and fund under the chosen shocks")
        code(answer)


def _sliders(names: list[str]) -> list[float]:
    """One slider per factor, in percent; the shocks as fractions."""
    places = st.columns(min(3, len(names)))
    shocks = []
    for i, name in enumerate(names):
        with places[i % len(places)]:
            chosen = st.slider(
                f"{words(name)}, %", -WIDEST, WIDEST, _first(i), persist_state="session", key=f"shock_{name}", bind="query-params"
            )
        shocks.append(chosen * PERCENT)
    return shocks


def _first(place: int) -> int:
    """At first one factor falls, so that there is something to see."""
    return -10 if place == 0 else 0


def _outcome(chosen: Chosen, rows: Any, session: Any, known: Any) -> None:
    total = rows[rows["part"] == "total"].iloc[0]
    covered = ask(chosen, queries.COVERED, session=session).frame.iloc[0]
    metrics(
        [
            ("Profit", percent(total["profit"], 2, signed=True), "Of net asset value; negative is a loss"),
            ("Bound of its error", percent(total["error_bound"], 2), "If every beta were one standard error off, the bad way"),
            ("Weight with betas", percent(covered["covered"], 0), "The rest is taken not to move"),
            ("Betas as of", day(known), "Month's end"),
        ]
    )
