"""Market: regime, macro and geopolitical state, volatilities, betas and factor exposures."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from etf_pipeline.dashboard import charts, queries
from etf_pipeline.dashboard.parts import Chosen, ask, figure, metrics, pick, shown, table
from etf_pipeline.reporting.formats import day, number, percent, words


def render(chosen: Chosen) -> None:
    """The page."""
    st.title("Market")
    _context(chosen)
    _regimes(chosen)
    _events(chosen)
    _risk(chosen)
    _exposures(chosen)


def _context(chosen: Chosen) -> None:
    context = ask(chosen, queries.CONTEXT)
    if not context.empty:
        row = context.frame.iloc[0]
        metrics(
            [
                ("Regime", words(row["regime"]), str(row["regime_reason"])),
                ("Stressed state", percent(row["stressed"]), "Filtered probability, hidden Markov model"),
                ("In 21 sessions", percent(row["stressed_21"]), "The same probability, forecast"),
                ("As of", day(row["session"]), "Newest session"),
            ]
        )
        st.caption(str(row["regime_reason"]))
    st.header("Macro and geopolitical state")
    figure(context, _deviations, "Each dimension's deviation from its own past", open_rows=True)
    dimensions = ask(chosen, queries.DIMENSIONS)
    if shown(dimensions):
        dimension = pick("History of", list(dimensions.frame["dimension"]), "dimension", words)
        history = ask(chosen, queries.MACRO_HISTORY, dimension=dimension)
        figure(history, lambda rows: charts.lines(rows, "z", title="Deviations"), f"History of {words(dimension)} in deviations")


def _deviations(rows: pd.DataFrame) -> alt.Chart:
    known = rows.assign(name=rows["dimension"].map(words)).dropna(subset=["z"])
    return charts.bars(known, "z", "name", title="Deviations from its own past")


def _regimes(chosen: Chosen) -> None:
    st.header("Regimes")
    path, spells = ask(chosen, queries.REGIME_PATH), ask(chosen, queries.SPELLS)
    if not path.empty and not spells.empty:
        told = "Index of the market over the spells of each regime"
        st.altair_chart(charts.regimes(path.frame, spells.frame), alt=told, width="stretch")
    figure(
        path,
        lambda rows: charts.lines(rows.dropna(subset=["stressed"]), "stressed", form="%", title="Probability of stress"),
        "Filtered probability of the stressed state at each month's end",
    )
    st.subheader("Spells")
    table(spells, height=300, name="Spells of each regime")


def _events(chosen: Chosen) -> None:
    st.header("What macro and geopolitics move in the newest ranks")
    table(ask(chosen, queries.TILTS), name="Places that macro and geopolitical state moved each fund", height=320)
    st.header("What past events moved in the ranks")
    events = ask(chosen, queries.EVENTS)
    if not shown(events, "No event lies within the data."):
        return
    titles = dict(zip(events.frame["event"], events.frame["title"], strict=True))
    event = pick("Event", list(titles), "event", lambda one: titles[one])
    table(ask(chosen, queries.REPLAY, event=event), name=f"Funds that {titles[event]} moved in the ranks", height=320)


def _risk(chosen: Chosen) -> None:
    st.header("Volatility")
    st.caption("The most traded fund of each asset class: forecasts over three horizons beside what was realised.")
    table(ask(chosen, queries.TERM), name="Volatility over three horizons")
    with st.expander("Every fund"):
        table(ask(chosen, queries.VOLATILITIES), name="Volatility of every fund", height=360)
    st.header("Betas to the market")
    table(ask(chosen, queries.BETAS), name="Betas of every fund", height=360)


def _exposures(chosen: Chosen) -> None:
    st.header(f"Factor exposures of {words(chosen.strategy)}")
    exposures = ask(chosen, queries.EXPOSURES)
    if not shown(exposures, "The factor library does not reach this portfolio."):
        return
    row = exposures.frame.iloc[0]
    st.caption(
        f"Loadings with twice their standard error; factors are known to {day(row['factor_session'])}, "
        f"{percent(row['coverage'], 0)} of the weight is covered."
    )
    figure(
        exposures,
        lambda rows: charts.intervals(
            rows[rows["benchmark"] == rows["benchmark"].min()], "loading", "error", "factor", title="Loading"
        ),
        "Loading of the portfolio on each factor with twice its standard error; largest "
        + number(exposures.frame["loading"].max()),
    )
