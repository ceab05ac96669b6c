"""The first screen: what the tables say, in sentences, including what they do not prove."""

from __future__ import annotations

from typing import Any

import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.reporting.formats import day, number, percent, probability, words
from etf_pipeline.reporting.page import Fact, Section
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.sections.edge import SHORT, answer

VERDICTS = {
    "improved": "improved them",
    "no_difference": "made no difference that chance could not explain",
    "worse": "made them worse",
}
"""Verdicts of `forecast_bias` as the end of a sentence."""


REMARKS = {
    "edge": "better than luck after all that was tried",
    "no_edge": "luck could explain the record",
    "not_enough_data": "no such record could prove one",
}


def summary(tables: ReportTables) -> Section:
    """What to hold, what it would have earned, what it could lose, and how far to believe it."""
    lead = tables.strategies[0]
    weights = tables.rpt_current_weights[tables.rpt_current_weights["strategy"] == lead]
    net = _net(tables, lead)
    state = tables.regimes.sort_values("session").iloc[-1]
    worst = tables.rpt_stress[tables.rpt_stress["strategy"] == lead].sort_values("place").head(1)
    whole = tables.rpt_edge[tables.rpt_edge["kind"] == "overall"].head(1)
    paragraphs = [_holding(lead, weights), _earned(lead, net), _beside(tables), _believe(tables)]
    return Section(
        key="summary",
        heading="In short",
        sentence=(
            f"{answer(whole)} What follows was decided at the close of {day(weights['session'].max())}; the leading strategy "
            f"here is {words(lead)}."
        ),
        sources=("rpt_edge", "rpt_current_weights", "rpt_performance", "regimes", "rpt_stress", "forecast_bias"),
        paragraphs=tuple(p for p in paragraphs if p),
        facts=(*_verdict(whole), _trade(weights), *_record(net), _state(state), *_worst(worst)),
    )


def _net(tables: ReportTables, strategy: str) -> pd.DataFrame:
    rows = tables.rpt_performance
    return rows[(rows["strategy"] == strategy) & (rows["cost_basis"] == "net")].head(1)


def _holding(lead: str, weights: pd.DataFrame) -> str:
    funds = weights[(weights["ticker"] != CASH) & (weights["weight"] > 0)].sort_values("weight", ascending=False, kind="stable")
    cash = weights.loc[weights["ticker"] == CASH, "weight"].sum()
    if funds.empty:
        return f"{words(lead)} holds cash only."
    largest = ", ".join(f"{row.ticker} ({percent(row.weight)})" for row in funds.head(3).itertuples())
    share = percent(cash) if cash > 0 else "nothing"
    return f"{words(lead)} holds {len(funds)} funds, the largest {largest}; {share} stays in cash."


def _earned(lead: str, net: pd.DataFrame) -> str:
    if net.empty:
        return ""
    row = net.iloc[0]
    reading = _reading(row["sharpe_low"], row["sharpe_high"])
    return (
        f"From {day(row['start'])} to {day(row['end'])} {words(lead)} would have earned {percent(row['cagr'])} a year "
        f"after costs, with a largest fall of {percent(row['max_drawdown'])}. Its Sharpe ratio is {number(row['sharpe'])} "
        f"(95 % interval {number(row['sharpe_low'])} to {number(row['sharpe_high'])}){reading}"
    )


def _reading(low: Any, high: Any) -> str:
    if pd.isna(low) or pd.isna(high):
        return "."
    if low > 0:
        return ": above zero, before allowing for how many configurations were tried."
    if high < 0:
        return ": below zero."
    return ": it includes zero, so luck alone could explain the result."


def _beside(tables: ReportTables) -> str:
    said = []
    for name in tables.books[1:]:
        row = _net(tables, name)
        if len(row):
            said.append(
                f"{words(name)} {percent(row['cagr'].iloc[0])} a year (largest fall {percent(row['max_drawdown'].iloc[0])})"
            )
    return f"Over the same time, after costs: {'; '.join(said)}." if said else ""


def _believe(tables: ReportTables) -> str:
    rows = tables.forecast_bias[tables.forecast_bias["asset_class"] == "all"]
    rows = rows[rows["model"] == "ensemble"] if (rows["model"] == "ensemble").any() else rows
    if rows.empty:
        return ""
    row = rows.iloc[0]
    verdict = VERDICTS.get(row["verdict"], f"has the verdict {words(row['verdict']).lower()}")
    test = f"p = {probability(row['dm_p_adjusted'])}, {words(row['model']).lower()}"
    return f"Correcting the forecasts for their bias {verdict} ({test})."


def _verdict(whole: pd.DataFrame) -> tuple[Fact, ...]:
    return tuple(Fact("Is there an edge?", SHORT[verdict], REMARKS[verdict]) for verdict in whole["verdict"])


def _trade(weights: pd.DataFrame) -> Fact:
    """How much of the portfolio the next session replaces."""
    trades = weights.loc[weights["ticker"] != CASH, "trade"]
    bought = trades[trades > 0].sum()
    return Fact("To buy next session", percent(bought), f"of the portfolio; {int((trades != 0).sum())} funds to trade")


def _record(net: pd.DataFrame) -> tuple[Fact, ...]:
    if net.empty:
        return ()
    row = net.iloc[0]
    interval = f"{number(row['sharpe_low'])} to {number(row['sharpe_high'])}"
    return (
        Fact("Growth a year", percent(row["cagr"]), f"after costs; Sharpe ratio {number(row['sharpe'])} ({interval})"),
        Fact("Largest fall", percent(row["max_drawdown"]), "from a high, after costs"),
    )


def _state(state: Any) -> Fact:
    return Fact("Market state", words(state["regime"]), f"for {state['days_in_state']} sessions")


def _worst(worst: pd.DataFrame) -> tuple[Fact, ...]:
    return tuple(Fact("Worst scenario", percent(row.profit, signed=True), str(row.title)) for row in worst.itertuples())
