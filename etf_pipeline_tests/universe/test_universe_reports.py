"""Marts and reports of the universe by hand."""

from __future__ import annotations

import pandas as pd
import pyarrow as arrow

from etf_pipeline.recipes import run_sql
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.sql_models import load_models
from etf_pipeline_tests.universe.universe_lives import DAYS, action, bars, lives, rows

JANUARY, FEBRUARY, MARCH = pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-28"])


def made(name: str, **inputs: arrow.Table) -> arrow.Table:
    table = TABLES[name].conform(run_sql(load_models()[name].sql, inputs))
    TABLES[name].check(table)
    return table


def lifecycle_of_two() -> arrow.Table:
    told = action("OLD", "liquidation", "2020-06-30", "2020-05-29T20:00Z", value=24.5, value_known_at="2020-06-30T21:00Z")
    market = pd.concat([bars("SPY", DAYS), bars("OLD", DAYS[DAYS <= "2020-06-30"])])
    return TABLES["lifecycle"].to_arrow(lives(market, rows("stg_actions", told)))


def test_each_row_of_the_lifecycle_is_the_newest_until_the_next() -> None:
    out = from_arrow(made("dim_lifecycle", lifecycle=lifecycle_of_two()))
    old = out[out["ticker"] == "OLD"].reset_index(drop=True)
    assert old["known_to"].iloc[:-1].tolist() == old["known_from"].iloc[1:].tolist()
    assert out.groupby("ticker")["is_current"].sum().tolist() == [1, 1]
    assert out.loc[out["is_current"], "known_to"].isna().all()


def test_the_list_of_ended_funds_holds_their_newest_state_and_no_fund_that_goes_on() -> None:
    etf = pd.DataFrame({"ticker": ["OLD", "SPY"], "name": ["Old Fund", "Spider"], "asset_class": "equity"})
    dim = made("dim_lifecycle", lifecycle=lifecycle_of_two())
    out = from_arrow(made("rpt_lifecycle", dim_lifecycle=dim, dim_etf=arrow.Table.from_pandas(etf, preserve_index=False)))
    assert out[["ticker", "name", "fate", "liquidation_value"]].values.tolist() == [["OLD", "Old Fund", "closure", 24.5]]


def turnover(frame: pd.DataFrame) -> pd.DataFrame:
    days = pd.DataFrame({"session": [JANUARY, FEBRUARY, MARCH], "is_main": True, "is_month_end": True})
    tables = {"universe_membership": frame, "raw_sessions": days}
    return from_arrow(
        made("rpt_universe_turnover", **{n: arrow.Table.from_pandas(f, preserve_index=False) for n, f in tables.items()})
    )


def test_turnover_counts_who_came_and_went_and_why() -> None:
    # A stays; B enters when seasoned; C leaves for want of volume; D has no bar any more; E comes without having been there
    reasons = {
        JANUARY: {"A": "member", "B": "not_seasoned", "C": "member", "D": "member"},
        FEBRUARY: {"A": "member", "B": "member", "C": "illiquid_shares", "E": "member"},
    }
    listed = [(day, ticker, reason) for day, those in reasons.items() for ticker, reason in those.items()]
    frame = pd.DataFrame(listed, columns=["session", "ticker", "reason"]).assign(member=lambda f: f["reason"] == "member")
    out = turnover(frame).set_index(["session", "reason"])
    assert out.loc[(JANUARY, "all"), ["members", "entered", "left", "share"]].tolist() == [3, 3, 0, 1.0]
    assert out.loc[(FEBRUARY, "all"), ["members", "entered", "left"]].tolist() == [3, 2, 2]
    assert out.loc[(FEBRUARY, "all"), "share"] == 4 / 6
    february = out.loc[FEBRUARY]
    assert february.loc[["not_seasoned", "illiquid_shares"], ["entered", "left"]].values.tolist() == [[1, 0], [0, 1]]
    assert february.loc["no_bar", ["entered", "left"]].tolist() == [1, 1]
    assert february.drop(index="all")[["entered", "left"]].sum().tolist() == [2, 2]


def test_a_month_without_a_member_has_no_share() -> None:
    out = turnover(pd.DataFrame({"session": [JANUARY], "ticker": "A", "reason": "stale", "member": False}))
    assert out["members"].tolist() == [0]
    assert out["share"].isna().all()
