"""The feed over the real yfinance, whose HTTP is answered from data/fixtures."""

from __future__ import annotations

import builtins
import json
from dataclasses import dataclass, field

import pandas as pd
import pytest
from network_recorded import FIXTURES

from etf_pipeline.errors import SettingsError, SourceUnreachable
from etf_pipeline.providers.yahoo import NotDelivered, Window, YFinance, parse_bars
from etf_pipeline.settings import Settings, load_settings, ticker_list

START, END = pd.Timestamp("2024-01-08"), pd.Timestamp("2024-01-12")
WINDOW = Window("SPY", "XNYS", "USD", START, END, whole=True, refresh=True)


class Answer:
    """As much of an HTTP response as yfinance looks at."""

    status_code = 200

    def __init__(self, name):
        self.text = (FIXTURES / "yahoo" / name).read_text()

    def json(self):
        return json.loads(self.text)

    def raise_for_status(self):
        pass


@dataclass
class Recorded:
    """The feed, what Yahoo will answer (a file of data/fixtures, or an error), and what it was asked."""

    feed: YFinance
    answer: str | Exception = "chart_SPY.json"
    zone: str = "chart_SPY.json"
    asked: list = field(default_factory=list)


@pytest.fixture
def yahoo(monkeypatch, tmp_path):
    """yfinance without a socket: it first asks for one day to learn the time zone, then for the bars."""
    yfinance = pytest.importorskip("yfinance", reason="the extra 'yahoo' is not installed")
    recorded = Recorded(YFinance(tmp_path / "yfinance"))

    def get(self, url, params=None, timeout=30):
        if (params or {}).get("range") == "1d":
            return Answer(recorded.zone)
        recorded.asked.append((url, params))
        if isinstance(recorded.answer, Exception):
            raise recorded.answer
        return Answer(recorded.answer)

    monkeypatch.setattr(yfinance.data.YfData, "get", get)
    monkeypatch.setattr(yfinance.data.YfData, "cache_get", get)
    before = yfinance.config.debug.hide_exceptions
    yield recorded
    yfinance.config.debug.hide_exceptions = before


def test_a_chart_becomes_split_adjusted_bars_with_their_dividend_and_split(yahoo):
    frame = yahoo.feed.download("SPY", START, END)
    prices, actions, rejects = parse_bars(frame, WINDOW)
    assert list(prices["session"].dt.strftime("%m-%d")) == ["01-08", "01-09", "01-10", "01-11", "01-12"]
    assert list(prices["close"]) == [50.0, 50.5, 51.0, 51.5, 52.0]  # Close, not Adj Close
    assert list(prices["volume"]) == [1000, 1100, 1200, 2500, 2600]
    assert set(prices["adjustment"]) == {"split"}
    assert [(a.kind, f"{a.ex_date:%m-%d}", a.value) for a in actions.itertuples()] == [
        ("dividend", "01-09", 0.25),
        ("split", "01-11", 2.0),
    ]
    assert rejects.empty


def test_the_window_reaches_yahoo_as_instants_of_the_exchange(yahoo):
    yahoo.feed.download("SPY", START, END)
    url, params = yahoo.asked[-1]
    assert url.endswith("/v8/finance/chart/SPY")
    assert pd.Timestamp(params["period1"], unit="s", tz="UTC").tz_convert("America/New_York") == START.tz_localize(
        "America/New_York"
    )
    assert pd.Timestamp(params["period2"], unit="s", tz="UTC").tz_convert("America/New_York") == pd.Timestamp(
        "2024-01-13", tz="America/New_York"
    )
    assert "div" in params["events"]
    assert "splits" in params["events"]


def test_a_symbol_that_yahoo_does_not_know_is_not_asked_again(yahoo):
    yahoo.answer = "chart_unknown.json"
    with pytest.raises(NotDelivered, match=r"needs to know 'SPY'.*symbol may be delisted"):
        yahoo.feed.download("SPY", START, END)
    yahoo.zone = "chart_unknown.json"
    with pytest.raises(NotDelivered, match=r"needs to know 'NOSUCH'.*no timezone"):
        yahoo.feed.download("NOSUCH", START, END)


def test_a_rate_limit_and_a_broken_line_may_be_asked_again(yahoo):
    import yfinance

    for error, found in (
        (yfinance.exceptions.YFRateLimitError(), "a rate limit"),
        (ConnectionError("reset; crumb=s3cret"), "reset"),
    ):
        yahoo.answer = error
        with pytest.raises(SourceUnreachable, match=found) as raised:
            yahoo.feed.download("SPY", START, END)
        assert "s3cret" not in str(raised.value)


def test_without_the_package_the_error_names_the_extra(monkeypatch, tmp_path):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "yfinance":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsError, match=r"etf-pipeline\[yahoo\]"):
        YFinance(tmp_path).download("SPY", START, END)


def test_a_provider_without_tickers_says_where_they_go(tmp_path):
    from etf_pipeline.providers import PROVIDERS

    with pytest.raises(SettingsError, match="ETF_TICKERS"):
        PROVIDERS["yahoo"](Settings(home=tmp_path, provider="yahoo"))


def test_tickers_come_from_a_list_or_a_file_each_once(tmp_path):
    file = tmp_path / "funds.txt"
    file.write_text("# core\nspy, tlt\nVAS.AX  # Sydney\n\nSPY\n")
    assert ticker_list(str(file)) == ("SPY", "TLT", "VAS.AX")
    assert load_settings({"ETF_PROVIDER": "yahoo", "ETF_TICKERS": "spy tlt"}).tickers == ("SPY", "TLT")
    with pytest.raises(SettingsError, match=r"'none.txt' is none"):
        ticker_list(str(tmp_path / "none.txt"))
