"""A macro value that is not out yet changes nothing of what a session knew: from the providers' rows to `fct_macro`."""

from __future__ import annotations

import pandas as pd
import pytest
from network_recorded import NOW, known_by, recorded_provider
from pandas.testing import assert_frame_equal

from etf_pipeline.orchestration.ingestion import session_table
from etf_pipeline.recipes import run_sql
from etf_pipeline.schemas import TABLES
from etf_pipeline.secrets import Secret
from etf_pipeline.sql_models import load_models

SESSIONS = ["2023-09-29", "2023-11-14", "2023-12-12", "2024-01-05", "2024-01-12"]
ABSURD = 1e12
KEY = Secret("FRED_API_KEY", "9999aaaa8888bbbb7777cccc6666dddd")


@pytest.fixture(scope="module", params=["newest values", "first releases"])
def market(request, tmp_path_factory):
    key = KEY if request.param == "first releases" else None
    return recorded_provider(tmp_path_factory.mktemp("spool"), key=key).fetch()


def made(name, **tables):
    model = load_models()[name]
    return TABLES[name].conform(run_sql(model.sql, {n: tables[n] for n in model.dependencies}))


def spy(market):
    return TABLES["raw_prices"].to_arrow(market.prices.query("ticker == 'SPY'"))


def fct_macro(market, macro):
    """The mart from raw rows, through the SQL that the warehouse runs."""
    bars = spy(market)
    sessions = TABLES["raw_sessions"].to_arrow(session_table(bars, "XNYS"))
    staged = made("stg_macro", raw_macro=TABLES["raw_macro"].to_arrow(macro))
    return made("fct_macro", raw_sessions=sessions, stg_macro=staged, fct_prices=bars).to_pandas(date_as_object=False)


def close_of(market, session):
    days = session_table(spy(market), "XNYS").query("is_main").set_index("session")
    return days.loc[pd.Timestamp(session), "closes_at"]


def until(table, session):
    return table[table["session"] <= pd.Timestamp(session)].reset_index(drop=True)


def poisoned(macro, close):
    """Every unreleased value absurd, and an absurd new value of every period, old and new, a second after the close."""
    spoilt = macro.assign(value=macro["value"].where(macro["available_at"] <= close, ABSURD))
    instant = close + pd.Timedelta(seconds=1)
    again = macro.drop_duplicates(["series", "period"]).assign(value=-ABSURD, available_at=instant, vintage="first")
    ahead = macro.drop_duplicates("series").assign(value=ABSURD, available_at=instant, period=pd.Timestamp("2024-06-01"))
    stranger = ahead.head(1).assign(series="UNKNOWN")
    every = pd.concat([spoilt, again, ahead, stranger], ignore_index=True)
    return every.drop_duplicates(["series", "period", "available_at"])


@pytest.mark.parametrize("session", SESSIONS)
def test_values_released_after_a_close_change_nothing_at_or_before_it(market, session):
    close = close_of(market, session)
    honest = until(fct_macro(market, market.macro), session)
    assert_frame_equal(until(fct_macro(market, poisoned(market.macro, close)), session), honest)
    unreleased = market.macro["available_at"] > close
    assert unreleased.any()
    known_series = market.macro.loc[~unreleased]
    assert_frame_equal(until(fct_macro(market, known_series), session), honest)


@pytest.mark.parametrize("session", SESSIONS[1:])
def test_the_same_poison_a_second_before_the_close_would_be_seen(market, session):
    close = close_of(market, session)
    released = poisoned(market.macro, close)
    released["available_at"] = released["available_at"].where(released["value"] != -ABSURD, close - pd.Timedelta(seconds=1))
    assert (until(fct_macro(market, released), session)["value"] == -ABSURD).any()


def test_a_later_fetch_moves_no_value_that_a_session_knew(market, tmp_path):
    with_key = "first" in set(market.macro.loc[market.macro["period"] < "2023-12-01"].query("series == 'CPIAUCSL'")["vintage"])
    tomorrow = NOW + pd.Timedelta(days=1)
    night = recorded_provider(tmp_path, now=tomorrow, key=KEY if with_key else None).fetch(known_by(market))
    both = pd.concat([market.macro, night.macro]).drop_duplicates(["series", "period", "available_at"], keep="last")
    assert_frame_equal(until(fct_macro(market, both), "2024-01-12"), until(fct_macro(market, market.macro), "2024-01-12"))
