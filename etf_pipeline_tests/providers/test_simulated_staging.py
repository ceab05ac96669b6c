"""The project's staging SQL gives every row of the simulated market to the fund that the truth knows."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest
from simulated_by_hand import funds_of, market, named, truth

from etf_pipeline.recipes import run_sql
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.sql_models import load_models

MODELS = ("stg_ticker_history", "stg_prices", "stg_actions", "stg_aum", "stg_reference")
PROFILES = ["full", "demo"]


@functools.cache
def staged(profile: str) -> dict[str, pd.DataFrame]:
    """Staging tables, made by the SQL as it stands."""
    tables: dict[str, arrow.Table] = {}
    for part in ("prices", "actions", "aum", "reference", "ticker_history"):
        tables[f"raw_{part}"] = TABLES[f"raw_{part}"].to_arrow(getattr(market(profile), part))
    for name in MODELS:
        model = load_models()[name]
        tables[name] = TABLES[name].conform(run_sql(model.sql, {n: tables[n] for n in model.dependencies}))
    return {name: from_arrow(tables[name]) for name in MODELS}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_bar_goes_to_the_fund_that_traded(profile):
    raw, made = market(profile), staged(profile)["stg_prices"].set_index("source_row").sort_index()
    by_hand = named(raw.prices, raw.ticker_history, "session").set_index("source_row").sort_index()
    assert len(made) == len(by_hand)
    assert (made["ticker"] == by_hand["ticker"]).all()
    assert (made["traded_ticker"] == raw.prices.set_index("source_row")["ticker"].sort_index()).all()
    assert not made.duplicated(["ticker", "session"]).any()


@pytest.mark.parametrize("profile", PROFILES)
def test_staged_bars_and_actions_give_the_hidden_returns_by_fund_name(profile):
    made = staged(profile)
    bars = made["stg_prices"].sort_values(["ticker", "session"])
    at = pd.MultiIndex.from_frame(bars[["ticker", "session"]])
    events = made["stg_actions"].set_index(["ticker", "ex_date"])
    split, paid = (
        events.loc[events["kind"] == kind, "value"].reindex(at).fillna(neutral).to_numpy()
        for kind, neutral in (("split", 1.0), ("dividend", 0.0))
    )
    grown = (bars["close"] + paid) * split / bars.groupby("ticker")["close"].shift() - 1
    returns = pd.Series(grown.to_numpy(), index=at).unstack("ticker")
    for hidden in truth(profile).total_returns.values():
        mine = returns.reindex(index=hidden.index, columns=hidden.columns)
        first = hidden.index[0]  # the demo begins within the hidden history
        gap = (mine - hidden).drop(index=first).abs()
        assert (mine.isna() == hidden.isna()).drop(index=first).all(axis=None)
        assert gap.max(axis=None) < 1e-12


@pytest.mark.parametrize("profile", PROFILES)
def test_a_rename_is_no_action_and_every_ending_is_its_fund_s(profile):
    made, raw, ends = staged(profile)["stg_actions"], market(profile), truth(profile).endings
    assert (made["kind"] != "rename").all()
    assert len(made) == (raw.actions["kind"] != "rename").sum()
    told = made[made["kind"].isin(["liquidation", "merger"])].set_index("ticker").sort_index()
    known = ends.set_index("ticker").sort_index()
    assert list(told.index) == list(known.index)
    for column, true in (("ex_date", "last_session"), ("value", "value"), ("pay_date", "pay_date")):
        assert (told[column] == known[true]).all()
    assert (told["available_at"] == known["announced_at"]).all()
    assert told["successor"].fillna("").tolist() == known["successor"].fillna("").tolist()


@pytest.mark.parametrize("profile", PROFILES)
def test_assets_go_to_the_fund_of_their_day(profile):
    raw, made = market(profile), staged(profile)["stg_aum"]
    by_hand = raw.aum.assign(ticker=funds_of(raw.ticker_history, raw.aum["ticker"], raw.aum["as_of"]))
    keys = ["ticker", "as_of"]
    made, by_hand = (frame.sort_values(keys).reset_index(drop=True) for frame in (made, by_hand))
    assert (made[keys] == by_hand[keys]).all(axis=None)
    assert (made["aum_value"] == by_hand["aum_value"]).all()


@pytest.mark.parametrize("profile", PROFILES)
def test_every_fund_has_one_reference_row_of_its_own(profile):
    made = staged(profile)["stg_reference"].set_index("ticker").sort_index()
    funds = {f.ticker: f for f in truth(profile).funds}
    assert set(made.index) == set(funds)
    for ticker, row in made.iterrows():
        fund = funds[str(ticker)]
        assert row["expense_ratio"] == fund.expense_ratio
        assert row["leverage"] == fund.leverage
        if fund.start:
            assert row["inception"] == pd.Timestamp(fund.start)
        if fund.rename is not None:
            assert row["traded_ticker"] == fund.rename.ticker
    assets = truth(profile).survival["XNYS"].fates.set_index("ticker")["fate"] == "alive"
    assert (made.loc[assets.index, "aum_value"].notna() == assets).all()


def test_without_the_history_two_companies_would_be_one_fund():
    raw = market()
    first_year = raw.prices[(raw.prices["ticker"] == "ZCYA")]
    assert first_year["session"].diff().max() > pd.Timedelta(days=1_000)
    mine = staged("full")["stg_prices"]
    spans = mine[mine["traded_ticker"] == "ZCYA"].groupby("ticker")["session"].agg(["min", "max"])
    assert spans.index.tolist() == ["ZCYA", "ZCYA.1"]
    assert np.all(spans.loc["ZCYA.1", "max"] < spans.loc["ZCYA", "min"])
