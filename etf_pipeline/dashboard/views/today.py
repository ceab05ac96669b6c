"""Today: what to hold, what to trade, why each fund, and how far the record can be believed."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from etf_pipeline.dashboard import charts, queries
from etf_pipeline.dashboard.parts import Chosen, ask, figure, metrics, pick, shown, table
from etf_pipeline.reporting.formats import count, day, number, percent, words


def render(chosen: Chosen) -> None:
    """The page."""
    st.title(f"{words(chosen.strategy)} today")
    _verdict(chosen)
    session = decision(chosen)
    if session is None:
        return
    st.header("Weights and trades")
    _solution(chosen, session)
    weights = ask(chosen, queries.WEIGHTS, session=session)
    figure(weights, charts.weights, "Weight of every fund held, with the weight before as a tick", open_rows=True)
    st.header("Why each fund")
    st.caption(
        "Parts of the score in deviations; they add up to the score that ranks the fund. The optimiser then weighs expected "
        "return against covariance, so rank and weight need not agree. Page *Why* leads one weight back to its raw rows."
    )
    parts = ask(chosen, queries.SCORE_PARTS, session=session)
    figure(
        parts,
        lambda rows: charts.bars(rows, "value", "ticker", by="part", title="Part of the score"),
        "Parts of the score of every fund held, stacked, best rank first",
        "No scores on this date: this strategy does not rank.",
    )


def decision(chosen: Chosen) -> Any:
    """The date of decision that the person has picked, the newest at first; None if there is none."""
    sessions = ask(chosen, queries.SESSIONS)
    if not shown(sessions):
        return None
    dates = [stamp.date() for stamp in pd.to_datetime(sessions.frame["session"])]
    return pick("Date of decision", dates, "session", str, "Decided at this close, filled at the next open.")


def _verdict(chosen: Chosen) -> None:
    record = ask(chosen, queries.VERDICT)
    net = record.frame[record.frame["cost_basis"] == "net"] if not record.empty else record.frame
    if shown(record) and len(net):
        row = net.iloc[0]
        span = f"{day(row['start'])} to {day(row['end'])}, after costs"
        metrics(
            [
                ("Growth per year", percent(row["cagr"]), span),
                ("Volatility", percent(row["volatility"]), "Annual"),
                ("Sharpe", number(row["sharpe"]), "Over the bill rate"),
                ("95 % interval", f"{number(row['sharpe_low'])} to {number(row['sharpe_high'])}", "Of the Sharpe ratio"),
                ("Largest fall", percent(row["max_drawdown"]), "From a high of the net asset value"),
                ("Turnover per year", percent(row["turnover"], 0), "One-way"),
            ]
        )
    edge = ask(chosen, queries.EDGE)
    if edge.missing:
        st.info(edge.missing)
    if not edge.empty:
        for claim in edge.frame[edge.frame["claim"] == "edge"].to_dict("records"):
            st.markdown(f"**Is there an edge?** {words(claim['verdict'])}. {claim['why']}")
        with st.expander("What was tested, and how it came out"):
            table(edge)


def _solution(chosen: Chosen, session: Any) -> None:
    solution = ask(chosen, queries.SOLUTION, session=session)
    if not shown(solution, "This strategy is not optimised: no solver ran."):
        return
    row = solution.frame.iloc[0]
    metrics(
        [
            ("Funds held", count(row["n_held"]), f"Of {count(row['n_candidates'])} candidates"),
            ("Cash", percent(row["cash"]), "Weight left in cash"),
            ("Expected return", percent(row["expected_return"]), "Of the portfolio, per year"),
            ("Volatility", percent(row["volatility"]), "Expected, per year"),
            ("CVaR, one day", percent(row["cvar_1d"], 2), "Expected, positive is a loss"),
            ("Turnover", percent(row["turnover"]), "One-way, of this decision"),
        ]
    )
    st.caption(f"Solver: {row['status']}; {row['reason']}" if row["reason"] else f"Solver: {row['status']}")
