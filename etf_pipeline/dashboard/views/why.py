"""Why: one weight, led back step by step to the delivered rows, with the SQL of every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from etf_pipeline.dashboard import charts, queries
from etf_pipeline.dashboard.look import Answer
from etf_pipeline.dashboard.parts import Chosen, ask, described, figure, metrics, pick, shown, table
from etf_pipeline.dashboard.views.today import decision
from etf_pipeline.reporting.formats import number, percent, words

Step = tuple[str, str, str, str]
"""Title, what it says, question, and what an empty answer means."""

AFTER_WEIGHT: tuple[Step, ...] = (
    ("3. Score", "Parts that add up to the score; rank 1 is the best of the session.", queries.SCORE, "Not ranked on this date."),
    ("4. Forecast", "Total return over the horizon, corrected for bias that was measured out of fold.", queries.FORECAST, ""),
    ("5. Models behind it", "Each model's forecast, its weight, and what it had been trained on.", queries.MEMBERS, ""),
)
AFTER_FEATURES: tuple[Step, ...] = (
    ("7. Risk and liquidity", "Volatility and beta as known at the close.", queries.ESTIMATES, ""),
)
RAW: tuple[Step, ...] = (
    ("9. Raw rows", "As delivered: the source, and the row of it, of each price.", queries.RAW_ROWS, ""),
    ("10. Restatements", "Values that the source has changed since.", queries.CORRECTIONS, "Nothing was restated."),
    ("11. Findings", "What the quality rules said about the fund up to the date.", queries.FINDINGS, "No rule objected."),
)


def render(chosen: Chosen) -> None:
    """The page."""
    st.title("Why this weight")
    left, right = st.columns(2)
    with left:
        session = decision(chosen)
    if session is None:
        return
    funds = ask(chosen, queries.WEIGHTS, session=session)
    if not shown(funds):
        return
    with right:
        names = dict(zip(funds.frame["ticker"], funds.frame["name"], strict=True))
        ticker = pick("Fund", list(names), "ticker")
    st.markdown(f"**{ticker}** {names[ticker]}" if isinstance(names[ticker], str) else f"**{ticker}**")
    asked: Callable[[str], Answer] = lambda sql: ask(chosen, sql, session=session, ticker=ticker)  # noqa: E731
    _steps(asked, (("1. Net asset value", "The ledger on the date of decision.", queries.LEDGER_DAY, ""),))
    _weight(asked)
    _steps(asked, AFTER_WEIGHT)
    _features(asked)
    _steps(asked, AFTER_FEATURES)
    _prices(asked, ticker)
    _steps(asked, RAW)
    _provenance(chosen)


def _steps(asked: Callable[[str], Answer], steps: tuple[Step, ...]) -> None:
    for title, told, sql, nothing in steps:
        st.header(title)
        st.caption(told)
        table(asked(sql), nothing, name=title)


def _weight(asked: Callable[[str], Answer]) -> None:
    st.header("2. Weight")
    answer = asked(queries.WEIGHT)
    if not answer.empty:
        row = answer.frame.iloc[0]
        metrics(
            [
                ("Weight", percent(row["weight"]), described("weight", answer.tables)[0]),
                ("Before", percent(row["previous_weight"]), described("previous_weight", answer.tables)[0]),
                ("Expected return", percent(row["expected_return"]), described("expected_return", answer.tables)[0]),
                ("Volatility", percent(row["volatility"]), described("volatility", answer.tables)[0]),
                ("Share of the risk", percent(row["risk_contribution"]), described("risk_contribution", answer.tables)[0]),
            ]
        )
    table(answer, name="Target weight")
    with st.expander("Last trades of this fund"):
        table(asked(queries.TRADES), "It was not traded up to this date.", name="Trades")


def _features(asked: Callable[[str], Answer]) -> None:
    st.header("6. Features")
    st.caption("What the models saw; each as known at the close.")
    answer = asked(queries.FEATURES)
    if not answer.empty:
        told = [described(name, ("features",)) for name in answer.frame["feature"]]
        meanings = pd.DataFrame(told, columns=["meaning", "unit"], index=answer.frame.index)
        answer = Answer(answer.frame.join(meanings), answer.sql, answer.tables)
    table(answer, name="Features")


def _prices(asked: Callable[[str], Answer], ticker: str) -> None:
    st.header("8. Prices")
    st.caption("A year up to the date: total-return index, and below it the accepted bars.")
    answer = asked(queries.PRICES)
    figure(
        answer,
        lambda rows: charts.lines(rows, "index_close", title="Total-return index"),
        f"Total-return index of {ticker} over the year to the date of decision",
    )
    if not answer.empty:
        row = answer.frame.iloc[0]
        st.caption(f"Last close {number(row['close'])}, on {row['session']:%Y-%m-%d}.")


def _provenance(chosen: Chosen) -> None:
    st.header("12. Versions")
    st.caption(f"What made the tables above, in run {chosen.look.run_id}. `etf explain target_weights` prints the whole tree.")
    steps = (queries.WEIGHT, queries.SCORE, queries.FORECAST, queries.FEATURES, queries.PRICES, queries.RAW_ROWS)
    read = {name for sql in steps for name in ask(chosen, sql, session=None, ticker="").tables}
    rows = [version_row(one) for one in chosen.look.versions() if one.table_name in read]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Versions of the tables above")


def version_row(version: Any) -> dict[str, Any]:
    """A version as a row: which, from when, by which run and code, and the hash of its values."""
    return {
        "Table": version.table_name,
        "Room": words(version.schema_name),
        "Commit": version.commit_id,
        "When (UTC)": f"{version.committed_at:%Y-%m-%d %H:%M:%S}",
        "Rows": version.rows,
        "Content": version.content_hash[:12],
        "Code": version.code_version,
        "Run": version.run_id[:8],
    }
