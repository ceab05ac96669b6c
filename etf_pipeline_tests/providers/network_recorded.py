"""A network that answers from memory: Yahoo's frames made by rule, everybody else's replies from data/fixtures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.providers import Known
from etf_pipeline.providers.macro_series import SERIES
from etf_pipeline.providers.network import Reply, Request, Retries, TokenBucket
from etf_pipeline.providers.yahoo import NotDelivered, YahooProvider

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "fixtures"
NOW = pd.Timestamp("2024-01-16 23:00", tz="UTC")  # a Tuesday evening in New York, Wednesday before the open in Sydney
TICKERS = ("SPY", "TLT", "VAS.AX")
FIRST = pd.Timestamp("2023-06-01")


@dataclass
class RecordedYahoo:
    """Yahoo by rule: a close that depends on ticker and day alone, times what was done to it since.

    Attributes
    ----------
    faults : dict of str to list of Exception
        What the next questions about a ticker meet.
    splits : dict of str to (day, ratio)
        A split, and all history before it divided.
    missing : dict of str to set of days
        Sessions that Yahoo leaves out.
    asked : list
        Every question.
    """

    faults: dict[str, list[Exception]] = field(default_factory=dict)
    splits: dict[str, tuple[str, float]] = field(default_factory=dict)
    missing: dict[str, set[str]] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def download(self, ticker: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        self.asked.append((ticker, f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}"))
        self._fail(ticker)
        if ticker == "GONE":
            return pd.DataFrame(columns=["Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits"])
        exchange, zone = ("XASX", "Australia/Sydney") if ticker.endswith(".AX") else ("XNYS", "America/New_York")
        days = calendars.sessions(exchange, max(start, FIRST), end)
        days = days[~days.isin(pd.DatetimeIndex(sorted(self.missing.get(ticker, ()))))]
        close = 50 + len(ticker) + 5 * np.sin((days - FIRST).days.to_numpy() / 9)
        split = np.zeros(len(days))
        if ticker in self.splits:
            day, ratio = self.splits[ticker]
            close = np.where(days < pd.Timestamp(day), close / ratio, close)
            split = np.where(days == pd.Timestamp(day), ratio, 0.0)
        frame = {
            "Open": close - 0.1,
            "High": close + 0.3,
            "Low": close - 0.4,
            "Close": close,
            "Adj Close": close * 0.9,
            "Volume": np.full(len(days), 100_000, dtype="int64"),
            "Dividends": np.where(days.day == 5, 0.2, 0.0),
            "Stock Splits": split,
        }
        return pd.DataFrame(frame, index=days.tz_localize(zone).rename("Date"))

    def info(self, ticker: str) -> dict[str, object]:
        self.asked.append((ticker, "info", ""))
        self._fail(f"info {ticker}")
        told = json.loads((FIXTURES / "yahoo" / "info_SPY.json").read_text())
        return told | {"symbol": ticker, "currency": "AUD" if ticker.endswith(".AX") else "USD"}

    def _fail(self, ticker: str) -> None:
        if self.faults.get(ticker):
            raise self.faults[ticker].pop(0)


@dataclass
class RecordedWeb:
    """FRED, Kenneth French and the authors of the geopolitical risk index.

    Attributes
    ----------
    replies : dict of str to list of (Reply or Exception)
        What the next requests meet whose address or series is this.
    asked : list of Request
        Every request.
    """

    replies: dict[str, list[Reply | Exception]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        name = request.params.get("id") or request.params.get("series_id") or request.url.rsplit("/", 1)[-1]
        for key in (name, request.host):
            if self.replies.get(key):
                planned = self.replies[key].pop(0)
                if isinstance(planned, Exception):
                    raise planned
                return planned
        return Reply(200, {}, self._body(name, request))

    def _body(self, name: str, request: Request) -> bytes:
        if request.host == "api.stlouisfed.org":
            return (FIXTURES / "fred" / "CPIAUCSL_releases.json").read_bytes()
        if request.host == "fred.stlouisfed.org":
            return graph(name, request.params.get("cosd", "2023-09-01"))
        folder = "gpr" if name.endswith(".dta") else "fama_french"
        return (FIXTURES / folder / name).read_bytes()


def graph(name: str, start: str) -> bytes:
    """A `fredgraph.csv` that answers its `cosd`."""
    rule = {"D": "B", "W": "W-SAT", "M": "MS"}[SERIES[name].frequency]
    last = NOW.tz_localize(None) - pd.Timedelta(days=SERIES[name].lag_days + (45 if rule == "MS" else 1))
    days = pd.date_range(start, last, freq=rule)
    lines = [f"{day:%Y-%m-%d},{1 + day.dayofyear / 100}" for day in days]
    return "\n".join([f"observation_date,{name}", *lines, ""]).encode()


@dataclass
class Timer:
    """A clock that only moves when somebody sleeps."""

    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def recorded_provider(
    folder: Path,
    tickers: tuple[str, ...] = TICKERS,
    *,
    yahoo: RecordedYahoo | None = None,
    web: RecordedWeb | None = None,
    now: pd.Timestamp = NOW,
    timer: Timer | None = None,
    key: object = None,
) -> YahooProvider:
    """The provider over the recorded network, with a clock that stands still."""
    timer = timer or Timer()
    return YahooProvider(
        tickers,
        folder,
        yahoo or RecordedYahoo(),
        web or RecordedWeb(),
        key,
        now=lambda: now,
        bucket=TokenBucket(1.0, burst=5, clock=timer.clock, sleep=timer.sleep),
        retries=Retries(sleep=timer.sleep, rng=np.random.default_rng(3)),
    )


def known_by(market, gaps: list[tuple[str, str]] = ()) -> Known:
    """What a later fetch is told of an earlier one."""
    spans = market.prices.groupby("ticker")["session"].agg(first_session="min", last_session="max").reset_index()
    missing = pd.DataFrame({"ticker": [t for t, _ in gaps], "session": pd.DatetimeIndex([d for _, d in gaps])})
    last = market.macro.groupby("series")["period"].max().rename("last_period").reset_index()
    return Known(spans, missing, last)


def gone(ticker: str) -> NotDelivered:
    return NotDelivered(f"Yahoo needs to know '{ticker}'; found: possibly delisted. Check the ticker.")
