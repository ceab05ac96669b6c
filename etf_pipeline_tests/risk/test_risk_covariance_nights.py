"""A night makes the new month's end and nothing else, and what it leaves equals making everything at once, to the bit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest
from risk_samples import SESSIONS, garch_returns, returns_frame

import etf_pipeline.definitions  # noqa: F401  (registers every recipe)
from etf_pipeline import calendars
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.recipes import RECIPES
from etf_pipeline.risk import CovarianceParameters, StabilityParameters
from etf_pipeline.schemas import TABLES
from etf_pipeline.warehouse import Warehouse, content_hash

NIGHTS = ["2018-12-28", "2018-12-31", "2019-01-02", "2019-01-31", "2019-02-14", "2019-02-28", "2019-03-01"]
"""Ordinary nights, ends of months and of a year, and the first session of a year, whose end makes one chunk of the old one."""

STEPS = {
    "covariances": CovarianceParameters(window=250, estimator="vol_times_correlation"),
    "covariance_stability": StabilityParameters(window=250),
}


def filled(name: str, rows: pd.DataFrame) -> arrow.Table:
    """A table of which only some columns matter here, the rest filled as the contract allows."""
    kinds = {"string": "member", "bool": False, "int64": 1, "double": 1.0, "date32[day]": SESSIONS[0]}
    kinds["timestamp[us, tz=UTC]"] = pd.Timestamp("2015-01-01", tz="UTC")
    others = {f.name: None if f.nullable else kinds[str(f.type)] for f in TABLES[name].arrow_schema if f.name not in rows}
    frame = rows.assign(**others).astype(
        {k: "float64" for k, v in others.items() if v is None and "doub" in str(TABLES[name].arrow_schema.field(k).type)}
    )
    return TABLES[name].to_arrow(frame)


@pytest.fixture(scope="module")
def market() -> dict[str, arrow.Table]:
    common = garch_returns(len(SESSIONS), seed=90)
    funds = {f"F{k}": (common * (0.5 + 0.2 * k) + garch_returns(len(SESSIONS), seed=91 + k)) / 100 for k in range(5)}
    funds["LATE"] = (common - garch_returns(len(SESSIONS), seed=99))[-480:] / 100
    funds["GONE"] = funds["F0"] + garch_returns(len(SESSIONS), seed=98) / 100
    returns = returns_frame(funds)
    returns = returns[(returns["ticker"] != "GONE") | (returns["session"] < "2019-01-15")]
    returns = returns[(returns["ticker"] != "F2") | ~returns["session"].between("2018-05-01", "2018-05-10")]  # rests
    keys, rng = returns[["session", "ticker"]], np.random.default_rng(3)
    names = ("MKT_RF", "SMB", "HML", "RMW", "CMA", "MOM", "RF")
    factors = pd.DataFrame(
        [(day, name, 0.01 * rng.standard_normal()) for day in SESSIONS for name in names], columns=["session", "factor", "value"]
    )
    released = (factors["session"] + pd.offsets.MonthEnd(0) + pd.Timedelta(days=25)).dt.tz_localize("UTC")
    ends = pd.Series(SESSIONS).groupby(SESSIONS.to_period("M")).transform("max").eq(SESSIONS)
    opens, closes = calendars.opens("XNYS", SESSIONS), calendars.closes("XNYS", SESSIONS)
    sessions = pd.DataFrame(
        {"exchange": "XNYS", "session": SESSIONS, "opens_at": opens, "closes_at": closes, "is_month_end": ends, "is_main": True}
    )
    return {
        "fct_returns": filled("fct_returns", returns),
        "universe_membership": filled("universe_membership", keys.assign(member=True, reason="member", mean_traded_value=1.0)),
        "volatilities": filled("volatilities", keys.assign(volatility=rng.uniform(0.1, 0.3, len(keys)), source="ewma")),
        "raw_factors": filled("raw_factors", factors.assign(available_at=released)),
        "raw_sessions": TABLES["raw_sessions"].to_arrow(sessions),
    }


def until(market: dict[str, arrow.Table], night: str) -> dict[str, arrow.Table]:
    close = calendars.closes("XNYS", pd.DatetimeIndex([night])).iloc[0].to_pydatetime()
    found = {}
    for name, table in market.items():
        rows = table.to_pylist()
        day = date.fromisoformat(night)
        kept = [r["available_at"] <= close if name == "raw_factors" else r["session"] <= day for r in rows]
        found[name] = table.filter(arrow.array(kept))
    return found


def night_of(store: TableStore, run_id: str, tables: dict[str, arrow.Table]) -> dict[str, date | None]:
    """Store the inputs and make both tables; from which day on each was made."""
    store.open_run(run_id, {})
    for name, table in tables.items():
        store.write(run_id, name, {name: table})
    since = {name: store.materialise(RECIPES[name], run_id, parameters).since for name, parameters in STEPS.items()}
    store.warehouse.finish_run(run_id, succeeded=True)
    return since


def test_nights_equal_making_everything_and_make_only_the_newest_months(market, tmp_path: Path):
    nightly, at_once = TableStore(Warehouse(tmp_path / "nightly")), TableStore(Warehouse(tmp_path / "at once"))
    since = [night_of(nightly, f"night {i}", until(market, night)) for i, night in enumerate(NIGHTS)]
    night_of(at_once, "all", until(market, NIGHTS[-1]))
    for name in ("covariances", "covariance_health", "covariance_stability"):
        assert content_hash(nightly.read(name)) == content_hash(at_once.read(name)), name
        assert nightly.read(name).num_rows > 100 or name == "covariance_health"
    for i, night in enumerate(NIGHTS[1:], start=1):
        assert since[i]["covariances"] is not None
        assert since[i]["covariance_stability"] is not None
        back = pd.Timestamp(night) - pd.Timestamp(since[i]["covariances"])
        assert back <= pd.Timedelta(days=400 if night.startswith("2019-01") else 62), night
