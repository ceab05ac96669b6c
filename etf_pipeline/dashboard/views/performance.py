"""Performance: growth before and after costs, falls, and where the return over a benchmark came from."""

from __future__ import annotations

import streamlit as st

from etf_pipeline.dashboard import charts, queries
from etf_pipeline.dashboard.parts import Chosen, ask, figure, pick, shown, table
from etf_pipeline.reporting.formats import day, percent, words


def render(chosen: Chosen) -> None:
    """The page."""
    st.title("Performance")
    _growth(chosen)
    st.header("Measures")
    table(ask(chosen, queries.PERFORMANCE), name="Measures of every strategy before and after costs")
    st.header(f"Worst falls of {words(chosen.strategy)}")
    table(ask(chosen, queries.DRAWDOWNS), "No falls on record.")
    _attribution(chosen)
    st.header("Costs by year")
    table(ask(chosen, queries.COSTS), "No trades on record.")


def _growth(chosen: Chosen) -> None:
    st.header("Growth of one")
    growth = ask(chosen, queries.GROWTH)
    if not shown(growth):
        return
    log = st.toggle("Logarithmic scale", value=True, key="log")
    one, bases = growth.frame["strategy"] == chosen.strategy, {"gross": "before costs", "net": "after costs"}
    names = growth.frame["strategy"].map(words) + ", " + growth.frame["cost_basis"].map(bases)
    named = growth.frame.assign(series=names)
    everybody = one | (named["cost_basis"] == "net")
    figure(
        growth,
        lambda _: charts.lines(named[everybody], "growth", "series", form=".2f", title="Growth of one", log=log),
        "Growth of one unit: the strategy before and after costs, the others after costs",
    )
    st.subheader("Below the highest so far")
    st.caption("The deepest of each month, after costs.")
    fallen = named[named["cost_basis"] == "net"].assign(below=lambda rows: -rows["drawdown"])
    st.altair_chart(
        charts.lines(fallen, "below", "strategy", form="%", title="Below the high"), alt="Drawdowns after costs", width="stretch"
    )


def _attribution(chosen: Chosen) -> None:
    st.header("Where the return over the benchmark came from")
    benchmarks = ask(chosen, queries.BENCHMARKS)
    if not shown(benchmarks, "Nothing to compare this strategy with."):
        return
    pairs = list(benchmarks.frame.itertuples(index=False))
    left, right = st.columns(2)
    with left:
        pair = pick("Benchmark", pairs, "benchmark", lambda one: f"{words(one.benchmark)}, by {one.kind}")
    against = {"benchmark": pair.benchmark, "kind": pair.kind}
    with right:
        span = pick("Years", list(ask(chosen, queries.SPANS, **against).frame["span"]), "span")
    answer = ask(chosen, queries.ATTRIBUTION, **against, span=span)
    if not shown(answer):
        return
    row = answer.frame.iloc[0]
    st.caption(
        f"{day(row['first_month'])} to {day(row['last_month'])}: {words(chosen.strategy)} {percent(row['portfolio_return'])}, "
        f"{words(pair.benchmark)} {percent(row['benchmark_return'])}; the effects add up to the difference."
    )
    lines = answer.frame["effect"].map(words) + ", " + answer.frame["line"].map(words)
    figure(
        answer,
        lambda rows: charts.bars(rows.assign(effect_line=lines), "annual", "effect_line", form=".1%", title="Per year"),
        "Effects per year, the largest first",
    )
