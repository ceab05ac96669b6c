"""The script that Streamlit runs: which run, which strategy, which page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from etf_pipeline.dashboard import queries
from etf_pipeline.dashboard.look import Look, finished_runs, newest_look, open_warehouse
from etf_pipeline.dashboard.pages import market, performance, risk, runs, today, why
from etf_pipeline.dashboard.parts import Chosen, ask, pick
from etf_pipeline.errors import EtfPipelineError
from etf_pipeline.reporting.formats import words
from etf_pipeline.settings import Settings, load_settings
from etf_pipeline.warehouse import Run, Warehouse

PAGES: dict[str, Callable[[Chosen], None]] = {
    "Today": today.render,
    "Performance": performance.render,
    "Why": why.render,
    "Market": market.render,
    "Risk": risk.render,
    "Runs": runs.render,
}


def main() -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title="ETF pipeline", layout="wide", initial_sidebar_state="auto")
    try:
        newest = newest_look(_warehouse(load_settings()))
    except EtfPipelineError as error:
        st.error(str(error))
        return
    with st.sidebar:
        chosen = choose(newest)
    pages = [
        st.Page(partial(show, render, chosen), title=title, url_path=title.lower(), default=title == "Today")
        for title, render in PAGES.items()
    ]
    st.navigation(pages, position="top").run()


@st.cache_resource(show_spinner=False)
def _warehouse(settings: Settings) -> Warehouse:
    return open_warehouse(settings)


def show(render: Callable[[Chosen], None], chosen: Chosen) -> None:
    """One page under its banner."""
    banner(chosen)
    try:
        render(chosen)
    except EtfPipelineError as error:
        st.error(str(error))


def choose(newest: Look) -> Chosen:
    """The run and the strategy that the person has picked; at first the newest run, and its most selective strategy."""
    done = finished_runs(newest.warehouse)
    run = pick("Run", done, "run", run_name, "Every page shows the tables as this run left them.")
    look = Look(newest.warehouse, run.run_id)
    strategies = ask(Chosen(look, ""), queries.STRATEGIES)
    strategy = "" if strategies.empty else pick("Strategy", list(strategies.frame["strategy"]), "strategy")
    if run.run_id != newest.run_id:
        st.caption("A past run: the newest finished later.")
    working = [one for one in newest.warehouse.runs() if one.status == "running"]
    if working:
        st.caption(f"{len(working)} run in progress; it shows up here when it has succeeded.")
    return Chosen(look, strategy)


def run_name(run: Run) -> str:
    """When a run finished, and the beginning of its name."""
    return f"{run.finished_at:%Y-%m-%d %H:%M:%S} UTC, {run.run_id[:8]}"


def banner(chosen: Chosen) -> None:
    """Say so if no real prices stand behind the numbers, and where the numbers come from."""
    source = ask(chosen, queries.SOURCE)
    if source.empty:
        return
    row = source.frame.iloc[0]
    if row["simulated"]:
        st.warning("**SIMULATED MARKET**: no real prices stand behind these numbers.")
    st.caption(f"{words(chosen.strategy)} · run {chosen.look.run_id[:8]} · {row['label']}")


if __name__ == "__main__":
    main()
