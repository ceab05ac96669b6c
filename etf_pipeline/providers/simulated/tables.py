"""The raw tables that the simulated provider delivers, cut from the hidden history."""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.calendars import closes, opens, sessions
from etf_pipeline.providers.release import NEW_YORK
from etf_pipeline.providers.simulated import history
from etf_pipeline.providers.simulated.actions import AFTER, SOURCE
from etf_pipeline.providers.simulated.cohort import SPECS
from etf_pipeline.providers.simulated.factors import US_FACTORS
from etf_pipeline.providers.simulated.funds import FundSpec
from etf_pipeline.providers.simulated.listings import Listings
from etf_pipeline.providers.simulated.names import tickers_of, traded_tickers
from etf_pipeline.providers.simulated.world import World

FRENCH = {"MKT_RF": "MKT", "SMB": "SMB", "HML": "HML", "RMW": "RMW", "CMA": "CMA", "MOM": "MOM"}
LIBRARY_LAG_DAYS = 25
"""Days from the end of a month to the factor library's update."""
OLD_INCEPTION = "2000-01-03"
"""First day of the funds that are older than the market's history."""


def price_table(listings: Listings) -> pd.DataFrame:
    """Rows of `raw_prices` for one exchange, by ticker and session, without `source_row`."""
    exchange = listings.exchange
    columns, rows = np.nonzero(listings.listed.T)
    fund = exchange.funds[0]
    frame = {
        "session": exchange.sessions[rows],
        "ticker": traded_tickers(exchange.funds, exchange.sessions)[columns, rows],
        **{name: getattr(listings, name)[rows, columns] for name in ("open", "high", "low", "close", "volume")},
        "currency": fund.currency,
        "exchange": fund.exchange,
        "adjustment": "raw",
        "source": SOURCE,
    }
    return pd.DataFrame(frame)


def aum_table(listings: Listings) -> pd.DataFrame:
    """Rows of `raw_aum`: each fund's first session and the last of every week, published at the next session's open."""
    exchange = listings.exchange
    days, fund = exchange.sessions, exchange.funds[0]
    calendar = sessions(fund.exchange, history.FIRST, AFTER)
    weekly = days.to_period("W") != calendar[1 : len(days) + 1].to_period("W")
    wanted = listings.listed & weekly[:, None]
    wanted[np.argmax(listings.listed, axis=0), np.arange(wanted.shape[1])] = True
    columns, rows = np.nonzero(wanted.T)
    frame = {
        "ticker": traded_tickers(exchange.funds, exchange.sessions)[columns, rows],
        "as_of": days[rows],
        "aum_value": np.round(listings.aum[rows, columns], 0),
        "available_at": opens(fund.exchange, calendar[rows + 1]),
    }
    return pd.DataFrame(frame)


def reference_table(listings: Listings) -> pd.DataFrame:
    """Rows of `raw_reference`, as of the last session; an earlier owner of a reused ticker stands under its permanent name."""
    days = listings.exchange.sessions
    rows = [row for j, fund in enumerate(listings.exchange.funds) for row in _reference_rows(listings, j, fund)]
    frame = pd.DataFrame(rows)
    frame["inception"] = pd.to_datetime(frame["inception"])
    frame["snapshot_at"] = closes(listings.exchange.funds[0].exchange, days[-1:])[0]
    return frame.assign(family="Simulated Funds", source=SOURCE)


def factor_table(world: World) -> pd.DataFrame:
    """Rows of `raw_factors`: the priced factors and RF, in the library weeks after the month."""
    days = world.paths.sessions
    returns = pd.DataFrame(world.paths.returns, index=days, columns=list(US_FACTORS))
    wide = pd.DataFrame({name: returns[factor] for name, factor in FRENCH.items()})
    bill = pd.Series(world.exchanges["XNYS"].bill, index=days)
    wide["RF"] = bill.groupby(days.to_period("M")).transform("mean").round(7)
    updated = days + pd.offsets.MonthEnd(0) + pd.Timedelta(days=LIBRARY_LAG_DAYS, hours=12)
    long = wide.rename_axis("session").reset_index().melt("session", var_name="factor", value_name="value")
    known = pd.Series(updated.tz_localize(NEW_YORK).tz_convert("UTC"))
    return long.assign(available_at=pd.concat([known] * wide.shape[1], ignore_index=True))


def _reference_rows(listings: Listings, j: int, fund: FundSpec) -> list[dict[str, object]]:
    index = SPECS[fund.index]
    names = [fund.ticker, *tickers_of(fund)[1:]]
    geared = "" if fund.leverage == 1 else f" {fund.leverage:+g}x"
    row = {
        "name": f"Simulated {index.title}{geared} Fund",
        "asset_class": index.asset_class,
        "category": index.category,
        "currency": fund.currency,
        "exchange": fund.exchange,
        "inception": fund.start or OLD_INCEPTION,
        "expense_ratio": fund.expense_ratio,
        "leverage": fund.leverage,
    }
    last = float(np.round(listings.aum[-1, j], 0))
    return [{"ticker": name, **row, "aum_value": last if name == names[-1] else np.nan} for name in names]
