"""Prices as traded: distributions and splits taken out of total returns, then open, high, low and volume around the close.

Closes are not rounded to ticks, so that ``(close * split + dividend * split) / previous close - 1`` is the hidden total
return to the last bits. Opens share the session's move with the overnight; extremes are those of a Brownian bridge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import PERCENT, SESSIONS_PER_YEAR
from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated.factors import RATES
from etf_pipeline.providers.simulated.funds import FundSpec
from etf_pipeline.providers.simulated.world import Exchange

OVERNIGHT_SHARE = 0.36
"""Share of a session's variance that falls before the open: 0.6 in volatility, as in US funds since 2005."""
FLOW_NOISE, VOLUME_NOISE = 0.006, 0.35
YIELDS = {"stock": 0.019, "reit": 0.038}


@dataclass(frozen=True)
class Listings:
    """Bars of one exchange, wide: NaN where a fund is not listed.

    Attributes
    ----------
    exchange : Exchange
    listed : ndarray of shape (n, m)
    split, dividend : ndarray of shape (n, m)
        New shares per old (1 where none), and cash per new share, at each session's open.
    open, high, low, close, volume, aum : ndarray of shape (n, m)
        Listing currency, shares, and USD.
    """

    exchange: Exchange
    listed: npt.NDArray[np.bool_]
    split: Floats
    dividend: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    aum: Floats


def first_last(fund: FundSpec, days: pd.DatetimeIndex) -> tuple[int, int]:
    """Positions of a fund's first and last session."""
    first = int(days.searchsorted(pd.Timestamp(fund.start))) if fund.start else 0
    if fund.ending is None:
        return first, len(days) - 1
    return first, last_position(fund.ending.last, days)


def last_position(day: str, days: pd.DatetimeIndex) -> int:
    """Position of the last session on or before a day."""
    return int(days.searchsorted(pd.Timestamp(day), side="right")) - 1


def with_fates(listings: Listings, funds: tuple[FundSpec, ...]) -> Listings:
    """The same bars, each fund's cut at the ending that it has in `funds`."""
    exchange = replace(listings.exchange, funds=funds)
    listed = _listed(exchange)
    split, dividend = np.where(listed, listings.split, 1.0), np.where(listed, listings.dividend, 0.0)
    whole = (listings.open, listings.high, listings.low, listings.close, listings.volume, listings.aum)
    return Listings(exchange, listed, split, dividend, *(_masked(a, listed) for a in whole))


def list_funds(
    exchange: Exchange, ten_year: Floats, bills: Floats, bar_rng: np.random.Generator, flow_rng: np.random.Generator
) -> Listings:
    """Turn hidden total returns into traded bars and assets.

    Parameters
    ----------
    exchange : Exchange
    ten_year, bills : ndarray of shape (n,)
        Yields that bond distributions follow. [percent]
    """
    listed = _listed(exchange)
    split = _splits(exchange)
    paid = _distributions(exchange, ten_year, bills) * listed
    close, dividend = _closes(exchange, listed, split, paid)
    opened, high, low = _ranges(exchange, close, split, dividend, bar_rng)
    aum = _assets(exchange, listed, paid, flow_rng)
    value = _traded_value(exchange, aum, bar_rng) / _dollars(exchange)
    volume = np.maximum(np.round(value / close), 1.0)
    return Listings(exchange, listed, split, dividend, *(_masked(a, listed) for a in (opened, high, low, close, volume, aum)))


def _masked(values: Floats, listed: npt.NDArray[np.bool_]) -> Floats:
    return np.where(listed, values, np.nan)


def _dollars(exchange: Exchange) -> Floats:
    """USD per unit of the listing currency, by session."""
    return exchange.aud[:, None] if exchange.funds[0].currency == "AUD" else np.ones((len(exchange.sessions), 1))


def _listed(exchange: Exchange) -> npt.NDArray[np.bool_]:
    listed = np.zeros(exchange.returns.shape, dtype=bool)
    for j, fund in enumerate(exchange.funds):
        first, last = first_last(fund, exchange.sessions)
        listed[first : last + 1, j] = True
    return listed


def _splits(exchange: Exchange) -> Floats:
    split = np.ones(exchange.returns.shape)
    for j, fund in enumerate(exchange.funds):
        for day, ratio in fund.splits:
            split[exchange.sessions.searchsorted(pd.Timestamp(day)), j] = ratio
    return split


def _distributions(exchange: Exchange, ten_year: Floats, bills: Floats) -> Floats:
    """Share of the price that goes ex at each session's open."""
    out = np.zeros(exchange.returns.shape)
    level = np.concatenate([[ten_year[0]], ten_year[:-1]]) * PERCENT, np.concatenate([[bills[0]], bills[:-1]]) * PERCENT
    for j, fund in enumerate(exchange.funds):
        if fund.yield_kind:
            rows = _ex_rows(exchange.sessions, fund.payments)
            out[rows, j] = _yield(fund, exchange.loadings[j], *level)[rows] / fund.payments
    return out


def _yield(fund: FundSpec, loadings: Floats, ten_year: Floats, bills: Floats) -> Floats:
    """Annual distribution yield by session: fixed for equity, the curve at the fund's duration for bonds."""
    if fund.yield_kind in YIELDS:
        return np.full(len(bills), YIELDS[fund.yield_kind])
    weight = min(float(loadings[RATES]) / 8, 1.0)
    spread = 0.03 if fund.yield_kind == "high_yield" else 0.002
    return np.maximum(weight * ten_year + (1 - weight) * bills + spread - fund.expense_ratio, 0.0)


def _ex_rows(days: pd.DatetimeIndex, payments: int) -> npt.NDArray[np.intp]:
    """Monthly: the first session of the month. Otherwise the first session from the 18th of the last month of the period."""
    months = pd.period_range(days[0], days[-1], freq="M")
    if payments == 12:
        wanted = pd.DatetimeIndex([m.start_time for m in months[1:]])
    else:
        step = 12 // payments
        wanted = pd.DatetimeIndex([m.start_time + pd.Timedelta(days=17) for m in months if m.month % step == 0])
    rows = days.searchsorted(wanted)
    return np.asarray(rows[rows < len(days)], dtype=np.intp)


def _closes(exchange: Exchange, listed: npt.NDArray[np.bool_], split: Floats, paid: Floats) -> tuple[Floats, Floats]:
    """Raw closes from total returns: what a distribution pays leaves the price, a split divides it."""
    n, m = listed.shape
    close, dividend = np.full((n, m), np.nan), np.zeros((n, m))
    price = np.array([f.price for f in exchange.funds])
    running = np.zeros(m, dtype=bool)
    for t in range(n):
        grown = np.where(running, price * (1 + exchange.returns[t]) / split[t], price)
        dividend[t] = np.where(running, np.round(grown * paid[t], 4), 0.0)
        price = np.where(listed[t], grown - dividend[t], price)
        running = listed[t]
        close[t] = price
    return close, dividend


def _ranges(
    exchange: Exchange, close: Floats, split: Floats, dividend: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Open, high and low: the open takes its part of the session's move, extremes are a Brownian bridge's."""
    shape = close.shape
    sigma, move = exchange.sigma, np.log1p(exchange.returns)
    overnight = OVERNIGHT_SHARE * move + np.sqrt(OVERNIGHT_SHARE * (1 - OVERNIGHT_SHARE)) * sigma * rng.standard_normal(shape)
    before = np.vstack([close[:1], close[:-1]])
    opened = before * np.exp(overnight) / split - dividend
    first = ~np.isfinite(opened) | (opened <= 0)
    opened = np.where(first, close, opened)
    span = 2 * (1 - OVERNIGHT_SHARE) * sigma**2
    a, b = np.log(opened), np.log(close)
    up, down = (np.sqrt((b - a) ** 2 - span * np.log1p(-rng.random(shape))) for _ in range(2))
    return opened, np.exp((a + b + up) / 2), np.exp((a + b - down) / 2)


def _assets(exchange: Exchange, listed: npt.NDArray[np.bool_], paid: Floats, rng: np.random.Generator) -> Floats:
    """Assets in USD at each close: returns less distributions, plus flows that follow the fund's trend."""
    start = np.log([f.aum * 1e6 for f in exchange.funds])
    flow = _inflow(exchange) + FLOW_NOISE * rng.standard_normal(listed.shape)
    price = np.log1p(exchange.returns) - paid + np.vstack([np.zeros((1, 1)), np.diff(np.log(_dollars(exchange)), axis=0)])
    steps = np.where(listed, price + flow, 0.0)
    first = np.argmax(listed, axis=0)
    steps[first, np.arange(len(first))] = 0.0
    return np.asarray(np.exp(start + np.cumsum(steps, axis=0)), dtype=np.float64)


def _inflow(exchange: Exchange) -> Floats:
    """Net inflow of each session: the fund's trend and, where its buyers chase returns, the past year's over the bill. [log]"""
    growth = np.array([f.growth for f in exchange.funds]) / SESSIONS_PER_YEAR
    chase = np.array([f.chase for f in exchange.funds])
    if not chase.any():
        return growth
    logs = np.cumsum(np.log1p(exchange.returns) - np.log1p(exchange.bill)[:, None], axis=0)
    before = np.vstack([np.zeros((SESSIONS_PER_YEAR, logs.shape[1])), logs])[: len(logs)]
    known = np.vstack([np.zeros((1, logs.shape[1])), (logs - before)[:-1]])
    return np.asarray(growth + chase * known / SESSIONS_PER_YEAR, dtype=np.float64)


def _traded_value(exchange: Exchange, aum: Floats, rng: np.random.Generator) -> Floats:
    """Traded value in USD: a share of assets, more when the fund is volatile or has just moved."""
    turnover = np.array([f.turnover for f in exchange.funds])
    noise = VOLUME_NOISE * rng.standard_normal(aum.shape)
    persistent = np.empty_like(noise)
    last = np.zeros(aum.shape[1])
    for t in range(len(noise)):
        last = 0.8 * last + 0.6 * noise[t]
        persistent[t] = last
    usual = np.exp(np.log(exchange.sigma).mean(axis=0))
    moved = np.abs(exchange.returns) / exchange.sigma
    activity = (exchange.sigma / usual) ** 0.5 * (0.7 + 0.4 * np.minimum(moved, 6.0))
    return np.asarray(turnover * aum * activity * np.exp(persistent - VOLUME_NOISE**2 / 2), dtype=np.float64)
