"""Small worlds for the backtest: frames as the marts would hold them, written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.backtest import BacktestParameters, BacktestResult, run_backtest

SESSIONS = calendars.sessions("XNYS", "2024-01-02", "2024-06-28")

PLAIN = {
    "benchmarks": (), "balanced": (), "bill_series": "", "resamples": 0, "impact_coefficient": 0.0, "commission_rate": 0.0,
    "unknown_half_spread": 0.0,
}  # fmt: skip
"""Settings of a world in which nothing but the event under test happens."""


@dataclass
class World:
    """Bars per ticker as (open, close) per session, and what happens to them."""

    n: int = 8
    bars: dict[str, list[tuple[float, float] | None]] = field(default_factory=dict)
    dividends: dict[tuple[str, int], float] = field(default_factory=dict)
    splits: dict[tuple[str, int], float] = field(default_factory=dict)
    actions: list[dict[str, Any]] = field(default_factory=list)
    weights: list[tuple[int, str, float]] = field(default_factory=list)
    adjustment: str = "raw"
    bill: list[float] = field(default_factory=list)

    @property
    def sessions(self) -> pd.DatetimeIndex:
        return SESSIONS[: self.n]

    def flat(self, ticker: str, price: float, last: int | None = None) -> World:
        """A fund whose price never moves, up to session `last`."""
        end = self.n - 1 if last is None else last
        self.bars[ticker] = [(price, price) if t <= end else None for t in range(self.n)]
        return self

    def act(
        self,
        kind: str,
        ticker: str,
        session: int,
        value: float,
        *,
        pay: int | None = None,
        successor: str | None = None,
        known: int | None = None,
    ) -> World:
        """A corporate action, announced at the open of its ex-date; its value is known then, or at that of session `known`."""
        day = self.sessions[session]
        self.actions.append(
            {
                "ticker": ticker,
                "ex_date": day,
                "kind": kind,
                "value": value,
                "pay_date": pd.NaT if pay is None else self.sessions[pay],
                "successor": successor,
                "currency": "USD",
                "available_at": calendars.opens("XNYS", pd.DatetimeIndex([day]))[0],
                "value_known_at": calendars.opens("XNYS", pd.DatetimeIndex([day if known is None else self.sessions[known]]))[0],
                "source": "hand",
            }
        )
        return self

    def prices(self) -> pd.DataFrame:
        rows = [
            (self.sessions[t], ticker, *bar, self.dividends.get((ticker, t), 0.0), self.splits.get((ticker, t), 1.0))
            for ticker, bars in self.bars.items()
            for t, bar in enumerate(bars)
            if bar is not None
        ]
        frame = pd.DataFrame(rows, columns=["session", "ticker", "open", "close", "dividend", "split_ratio"])
        return frame.assign(currency="USD", exchange="XNYS", adjustment=self.adjustment)

    def macro(self) -> pd.DataFrame:
        return pd.DataFrame({"session": self.sessions[: len(self.bill)], "series": "TBILL13W", "value": self.bill})

    def run(self, **settings: Any) -> BacktestResult:
        prices = self.prices()
        weights = pd.DataFrame(self.weights, columns=["session", "ticker", "weight"])
        weights = weights.assign(session=self.sessions[weights["session"]], strategy="s")
        return run_backtest(
            weights, prices, returns_of(prices), actions_frame(self.actions), no_liquidity(), self.macro(),
            BacktestParameters(**{**PLAIN, **settings}),
        )  # fmt: skip


def actions_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    types = {
        "ticker": object, "ex_date": "datetime64[ns]", "kind": object, "value": float, "pay_date": "datetime64[ns]",
        "successor": object, "currency": object, "available_at": "datetime64[ns, UTC]",
        "value_known_at": "datetime64[ns, UTC]", "source": object,
    }  # fmt: skip
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def no_liquidity() -> pd.DataFrame:
    return pd.DataFrame(
        {"session": pd.DatetimeIndex([]), "ticker": [], "half_spread": [], "daily_volatility": [], "daily_value": []}
    )


def returns_of(prices: pd.DataFrame) -> pd.DataFrame:
    """`fct_returns` of the prices, by its definition."""
    frame = prices.sort_values(["ticker", "session"], ignore_index=True)
    before = frame.groupby("ticker")["close"].shift(1)
    move = (frame["close"] + frame["dividend"]) * frame["split_ratio"] / before
    open_move = (frame["open"] + frame["dividend"]) * frame["split_ratio"] / before
    index = move.fillna(1.0).groupby(frame["ticker"]).cumprod()
    index_open = index / move * open_move
    return frame[["session", "ticker"]].assign(
        total_return=move - 1.0,
        open_return=open_move - 1.0,
        index_close=index,
        index_open=index_open.fillna(frame["open"] / frame["close"]),
    )


def random_market(
    seed: int, n: int = 110, tickers: tuple[str, ...] = ("AAA", "AGG", "BBB", "CCC", "DDD", "SPY")
) -> dict[str, pd.DataFrame]:
    """A market with everything in it: gaps, splits, dividends, an ending of every kind, costs and a bill."""
    rng = np.random.default_rng(seed)
    days = SESSIONS[:n]
    rows = []
    for k, ticker in enumerate(tickers):
        close = 50 * np.exp(np.cumsum(rng.normal(3e-4, 0.012, n)))
        opening = close * np.exp(rng.normal(0, 0.004, n))
        last = n if ticker in ("AGG", "SPY") else {"AAA": 60, "BBB": 70, "CCC": 80}.get(ticker, n)
        for t in range(last):
            if ticker not in ("AGG", "SPY") and rng.random() < 0.02:
                continue
            dividend = 0.4 if (t + 7 * k) % 21 == 5 else 0.0
            split = 2.0 if (ticker, t) == ("DDD", 40) else 1.0
            scale = 0.5 if ticker == "DDD" and t >= 40 else 1.0
            rows.append((days[t], ticker, opening[t] * scale, close[t] * scale, dividend, split))
    prices = pd.DataFrame(rows, columns=["session", "ticker", "open", "close", "dividend", "split_ratio"])
    prices = prices.assign(currency="USD", exchange="XNYS", adjustment="raw")
    world = World(n=n)
    world.act("merger", "AAA", 59, 0.7, successor="DDD").act("liquidation", "BBB", 69, 41.0, pay=90)
    for ticker, t in (("DDD", 5), ("SPY", 26)):
        world.act("dividend", ticker, t, 0.4, pay=t + 4)
    decided = days[4::15]
    weights = []
    for session in decided:
        raw = rng.random(len(tickers)) * (rng.random(len(tickers)) < 0.8)
        total = max(raw.sum(), 1e-9) / rng.uniform(0.8, 1.0)
        weights += [
            (session, s, ticker, w / total) for ticker, w in zip(tickers, raw, strict=True) for s in ("equal_weight", "s")
        ]
    liquidity = prices[["session", "ticker"]].assign(half_spread=rng.uniform(1e-4, 2e-3, len(prices)))
    return {
        "target_weights": pd.DataFrame(weights, columns=["session", "strategy", "ticker", "weight"]),
        "prices": prices,
        "returns": returns_of(prices),
        "actions": actions_frame(world.actions),
        "liquidity": liquidity.assign(daily_volatility=0.01, daily_value=rng.uniform(1e6, 1e8, len(prices))),
        "macro": pd.DataFrame({"session": days, "series": "TBILL13W", "value": 5.0 + rng.normal(0, 0.1, n)}),
    }
