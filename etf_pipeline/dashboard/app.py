"""The script that Streamlit runs: which run, which strategy, which page.

All three stand in the query of the one address, and not in its path: Streamlit's own pages drop the query when one goes from one
to the next, and ask a folder of the page's name for files that only the root has.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from etf_pipeline.dashboard import queries
from etf_pipeline.dashboard.look import Look, finished_runs, newest_look, open_warehouse, run_name
from etf_pipeline.dashboard.parts import Chosen, ask, pick
from etf_pipeline.dashboard.views import market, performance, risk, runs, today, why
from etf_pipeline.errors import EtfPipelineError
from etf_pipeline.reporting.formats import words
from etf_pipeline.settings import Settings, load_settings
from etf_pipeline.warehouse import Warehouse

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
    page = st.segmented_control(
        "Page", list(PAGES), default="Today", key="page", required=True, label_visibility="collapsed", bind="query-params"
    )
    banner(chosen)
    try:
        PAGES[str(page)](chosen)
    except EtfPipelineError as error:
        st.error(str(error))


@st.cache_resource(show_spinner=False)
def _warehouse(settings: Settings) -> Warehouse:
    return open_warehouse(settings)


def choose(newest: Look) -> Chosen:
    """The run and the strategy that the person has picked; at first the newest run, and its most selective strategy."""
    done = finished_runs(newest.warehouse)
    run = pick("Run", done, "run", run_name, "When the run finished (UTC). Every page shows the tables as it left them.")
    look = Look(newest.warehouse, run.run_id)
    strategies = ask(Chosen(look, ""), queries.STRATEGIES)
    strategy = "" if strategies.empty else pick("Strategy", list(strategies.frame["strategy"]), "strategy")
    if run.run_id != newest.run_id:
        st.caption("A past run: the newest finished later.")
    working = [one for one in newest.warehouse.runs() if one.status == "running"]
    if working:
        st.caption(f"{len(working)} run in progress; it shows up here when it has succeeded.")
    return Chosen(look, strategy)


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
