"""Runs: what has run, how two runs differ, what the data look like, and which versions a run shows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from etf_pipeline.dashboard import queries
from etf_pipeline.dashboard.look import Look, finished_runs, run_name
from etf_pipeline.dashboard.parts import Chosen, ask, code, pick, shown, table
from etf_pipeline.dashboard.views.why import version_row
from etf_pipeline.reporting.formats import words
from etf_pipeline.schemas import TABLES
from etf_pipeline.warehouse import Run


def render(chosen: Chosen) -> None:
    """The page."""
    st.title("Runs")
    runs = sorted(chosen.look.warehouse.runs(), key=lambda run: run.started_at, reverse=True)
    st.dataframe(pd.DataFrame([_run_row(run) for run in runs]), hide_index=True, alt="Runs, the newest first")
    _comparison(chosen)
    st.header("Data quality")
    table(ask(chosen, queries.QUALITY), "No rule objected to any row.", name="Findings by rule")
    with st.expander("Newest findings"):
        table(ask(chosen, queries.QUALITY_NEWEST), "None.", name="Newest findings")
    with st.expander("Restatements"):
        table(ask(chosen, queries.RESTATEMENTS), "The source has changed no value since it was first seen.", name="Restatements")
    _provenance(chosen)


def _run_row(run: Run) -> dict[str, Any]:
    finished = run.finished_at
    return {
        "Run": run.run_id,
        "Status": run.status,
        "Started (UTC)": f"{run.started_at:%Y-%m-%d %H:%M:%S}",
        "Took": f"{(finished - run.started_at).total_seconds():,.0f} s" if finished else "",
        "Source": str(run.labels.get("label", "")),
        "Note": run.note,
    }


def _comparison(chosen: Chosen) -> None:
    st.header("Compare with another run")
    others = [run for run in finished_runs(chosen.look.warehouse) if run.run_id != chosen.look.run_id]
    if not others:
        st.caption("Only one run has succeeded yet.")
        return
    other = pick("Compare with", others, "other", run_name)
    st.caption(f"*Here* is run {chosen.look.run_id[:8]}, *there* is run {other.run_id[:8]}.")
    there = Chosen(Look(chosen.look.warehouse, other.run_id), chosen.strategy)
    _difference("Weights", chosen, there, queries.RUN_WEIGHTS, ["strategy", "ticker"], "No weight differs.")
    _difference("Performance", chosen, there, queries.RUN_PERFORMANCE, ["strategy", "cost_basis"], "No measure differs.")
    st.subheader("Tables")
    changed = table_changes(chosen.look, there.look)
    if changed.empty:
        st.caption("Every table holds the same values in both runs.")
    else:
        st.dataframe(changed, hide_index=True, alt="Tables whose values differ between the runs")


def _difference(title: str, here: Chosen, there: Chosen, sql: str, key: list[str], nothing: str) -> None:
    st.subheader(title)
    answers = ask(here, sql), ask(there, sql)
    if not all(shown(answer) for answer in answers):
        return
    rows = differences(answers[0].frame, answers[1].frame, key)
    if rows.empty:
        st.caption(nothing)
    else:
        st.dataframe(rows, hide_index=True, alt=f"{title} that differ between the runs")
    with st.expander("SQL, in both runs"):
        code(answers[0])


def differences(here: pd.DataFrame, there: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Numbers that are not the same in two answers, one row per key and column; unknown equals unknown.

    Parameters
    ----------
    here, there : DataFrame
        Rows with the columns of `key` and some numbers.

    Returns
    -------
    DataFrame
        `key`, ``column``, ``here``, ``there``, ``difference``; a row that one side lacks has an unknown there.

    Examples
    --------
    >>> here = pd.DataFrame({"ticker": ["A", "B"], "weight": [0.5, 0.5]})
    >>> differences(here, here.assign(weight=[0.5, 0.25]), ["ticker"]).to_dict("records")
    [{'ticker': 'B', 'column': 'weight', 'here': 0.5, 'there': 0.25, 'difference': 0.25}]
    """
    numbers = [name for name in here.select_dtypes("number").columns if name in there.columns]
    long = [rows.melt(key, numbers, "column", side) for rows, side in ((here, "here"), (there, "there"))]
    both = long[0].merge(long[1], on=[*key, "column"], how="outer")
    differ = (both["here"] != both["there"]) & ~(both["here"].isna() & both["there"].isna())
    return both[differ].assign(difference=both["here"] - both["there"]).reset_index(drop=True)


def table_changes(here: Look, there: Look) -> pd.DataFrame:
    """Tables whose content hash is not the same in two runs, in the order of the rooms."""
    ours, theirs = ({one.table_name: one for one in look.versions()} for look in (here, there))
    rows = [
        {
            "Table": name,
            "Rows here": ours[name].rows if name in ours else None,
            "Rows there": theirs[name].rows if name in theirs else None,
            "Code": "same" if _code(ours, name) == _code(theirs, name) else "other",
        }
        for name in sorted({*ours, *theirs})
        if _content(ours, name) != _content(theirs, name)
    ]
    return pd.DataFrame(rows)


def _content(versions: dict[str, Any], name: str) -> str:
    return versions[name].content_hash if name in versions else ""


def _code(versions: dict[str, Any], name: str) -> str:
    return versions[name].code_version if name in versions else ""


def _provenance(chosen: Chosen) -> None:
    st.header("Provenance")
    versions = chosen.look.versions()
    name = pick("Table", [one.table_name for one in versions], "table")
    if name in TABLES:
        st.caption(f"{TABLES[name].description} Causality: {TABLES[name].causality}.")
    version = next(one for one in versions if one.table_name == name)
    tree = chosen.look.warehouse.lineage(version.schema_name, name, at=chosen.look.run_id)
    below = [
        {
            "Table": ".".join(node.name),
            "Commit": node.commit_id,
            "Rows": node.rows,
            "Code": node.code_version,
            "Content": node.content_hash[:12],
            "Run": node.run_id[:8],
        }
        for node in tree.walk()
    ]
    st.caption(f"{words(name)} and the {len(below) - 1} versions it was made from, the nearest first.")
    st.dataframe(pd.DataFrame(below), hide_index=True, alt=f"Versions that {name} was made from")
    if tree.settings:
        with st.expander("Settings"):
            st.json(dict(tree.settings))
    with st.expander("Every table of this run"):
        st.dataframe(pd.DataFrame([version_row(one) for one in versions]), hide_index=True, alt="Every table of this run")
