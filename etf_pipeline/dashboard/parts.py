"""What every page is built from: a question with its rows and its SQL, columns in their units, a line where rows are missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from etf_pipeline.dashboard.look import Answer, Look
from etf_pipeline.reporting.formats import words
from etf_pipeline.schemas import TABLES

WHOLE_UNITS = ("count", "sessions", "days", "shares", "year", "bytes")
CURRENCY_UNITS = ("USD", "base currency", "listing currency")
PERCENT_UNITS = ("fraction", "fraction per year", "fraction per month", "fraction per horizon", "fraction of net asset value")

_REPORTS = tuple(name for name in TABLES if name.startswith("rpt_"))


@dataclass(frozen=True)
class Chosen:
    """What the person looks at.

    Attributes
    ----------
    look : Look
        The run.
    strategy : str
        One of those in `target_weights`; empty where there is none.
    """

    look: Look
    strategy: str


def ask(chosen: Chosen, sql: str, **values: Any) -> Answer:
    """Answer a question about the chosen run and strategy; a run does not change, so an answer is kept for a while."""
    values = {"strategy": chosen.strategy, **values}
    return _kept(chosen.look, str(chosen.look.warehouse.home), chosen.look.run_id, sql, values)


@st.cache_data(ttl="10m", max_entries=400, show_spinner=False)
def _kept(_look: Look, home: str, run_id: str, sql: str, values: Mapping[str, Any]) -> Answer:
    return _look.ask(sql, **values)


def shown(answer: Answer, nothing: str = "") -> bool:
    """Whether there are rows; otherwise one line says why not."""
    if answer.missing:
        st.info(answer.missing)
    elif answer.empty:
        st.caption(nothing or f"No rows in {', '.join(answer.tables)} for this choice.")
    return not answer.empty


def table(answer: Answer, nothing: str = "", *, name: str = "", height: int | None = None) -> bool:
    """Rows with their SQL below."""
    if shown(answer, nothing):
        frame(answer, name=name, height=height)
    if not answer.missing:  # that there is nothing is an answer too
        with st.expander("SQL"):
            code(answer)
    return not answer.empty


def frame(answer: Answer, *, name: str = "", height: int | None = None) -> None:
    """Rows alone, every column in its unit."""
    st.dataframe(
        answer.frame,
        hide_index=True,
        column_config=column_settings(answer.frame, answer.tables),
        height=height or "auto",
        alt=name or f"Rows of {', '.join(answer.tables)}",
    )


def figure(
    answer: Answer,
    draw: Callable[[pd.DataFrame], alt.Chart | alt.LayerChart],
    told: str,
    nothing: str = "",
    *,
    open_rows: bool = False,
) -> bool:
    """A chart of the rows, and the rows with their SQL below.

    Parameters
    ----------
    draw : callable
        Makes the chart of the rows.
    told : str
        What the chart shows, for who does not see it.
    open_rows : bool, default False
        Whether the rows stand there without a click.
    """
    if shown(answer, nothing):
        st.altair_chart(draw(answer.frame), alt=told, width="stretch")
        if open_rows:
            table(answer, name=told)
        else:
            with st.expander("Rows and SQL"):
                frame(answer, name=told)
                code(answer)
    return not answer.empty


def code(answer: Answer) -> None:
    """The SQL of an answer, as `etf sql` takes it."""
    st.code(answer.sql, language="sql", wrap_lines=True)


def metrics(pairs: Sequence[tuple[str, str, str]]) -> None:
    """A line of figures, each with its name and what it means."""
    with st.container(horizontal=True):
        for label, value, meaning in pairs:
            st.metric(label, value, help=meaning or None, width="content", border=True)


def pick(label: str, options: Sequence[Any], key: str, name: Callable[[Any], str] = str, meaning: str = "") -> Any:
    """A choice that stands in the page's address too, so that what is on the screen can be sent to somebody."""
    names = {name(one): one for one in options}
    picked = st.selectbox(label, list(names), key=key, help=meaning or None, bind="query-params", persist_state="session")
    return names[picked] if picked in names else options[0]


def column_settings(rows: pd.DataFrame, tables: Sequence[str]) -> dict[str, Any]:
    """Label, meaning and format of every column, from the contracts of the tables that the rows came from."""
    return {str(name): _setting(str(name), rows[name], *described(str(name), tables)) for name in rows.columns}


def described(name: str, tables: Sequence[str]) -> tuple[str, str]:
    """What a column means and its unit: by the first of the tables that has it, else by the first report that does."""
    for one in (*tables, *_REPORTS):
        column = TABLES[one].columns.get(name) if one in TABLES else None
        if column is not None:
            return str(column.description), str((column.metadata or {}).get("unit", ""))
    return "", ""


def _setting(name: str, values: pd.Series, meaning: str, unit: str) -> Any:
    label, hint = words(name), f"{meaning} [{unit}]" if unit else meaning or None
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return st.column_config.DatetimeColumn(f"{label} (UTC)", help=hint, format="YYYY-MM-DD HH:mm", timezone="UTC")
    if pd.api.types.is_datetime64_dtype(values.dtype) or unit == "date":
        return st.column_config.DateColumn(label, help=hint, format="YYYY-MM-DD")
    if pd.api.types.is_bool_dtype(values.dtype):
        return st.column_config.CheckboxColumn(label, help=hint)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return st.column_config.NumberColumn(label, help=hint, format=_number_format(name, unit, values))
    return st.column_config.TextColumn(label, help=hint)


def _number_format(name: str, unit: str, values: pd.Series) -> str:
    if unit in PERCENT_UNITS:
        return "percent"
    if unit in WHOLE_UNITS or pd.api.types.is_integer_dtype(values.dtype):
        return "%d" if name in ("year", "source_row") else "%,d"
    largest = float(values.abs().max())
    if (values.dropna() % 1 == 0).all() or (unit in CURRENCY_UNITS and largest >= 10_000):
        return "%,.0f"
    return "%.4f" if largest < 0.1 else "%.3f" if largest < 100 else "%,.2f"
