"""The provider over a recorded network: nights, absences, crashes, splits, and the tables that come of it."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest
from network_recorded import (
    NOW,
    TICKERS,
    RecordedWeb,
    RecordedYahoo,
    Timer,
    gone,
    known_by,
    recorded_provider,
)

from etf_pipeline.calendars import sessions
from etf_pipeline.errors import ProviderError, SourceUnreachable
from etf_pipeline.orchestration.ingestion import ingest, known_from, stored_versions
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.providers.network import Reply
from etf_pipeline.providers.yahoo.provider import utc_now
from etf_pipeline.providers.yahoo.windows import is_refresh_day
from etf_pipeline.quality.rules import RULES
from etf_pipeline.schemas import TABLES
from etf_pipeline.secrets import Secret
from etf_pipeline.settings import Settings
from etf_pipeline.warehouse import Warehouse

TOMORROW = pd.Timestamp("2024-01-17 23:00", tz="UTC")
MANY = tuple(f"F{i:02d}" for i in range(20))
DOWN = SourceUnreachable("Yahoo needs to answer; found a rate limit. Run again later.")


class Nights:
    """A warehouse that is filled night by night, as the asset does it."""

    def __init__(self, home):
        self.settings = Settings(home=home, provider="yahoo", tickers=TICKERS)
        self.store = TableStore(Warehouse(home / "warehouse"))

    def known(self):
        return known_from(self.store, stored_versions(self.store, self.settings))

    def night(self, provider, *, finish=True):
        run = f"run-{provider.now():%Y%m%d}"
        stored = stored_versions(self.store, self.settings)
        market = provider.fetch(known_from(self.store, stored))
        self.store.open_run(run, {"provider": "yahoo"})
        made = ingest(self.store, stored, market, self.settings, provider.now().to_pydatetime())
        self.store.write(run, "fetch", made.tables, extends=made.extends)
        if finish:
            self.store.warehouse.finish_run(run, succeeded=True)
        return market

    def read(self, name):
        return pl.from_arrow(self.store.read(name))


def closes(bars, ticker):
    return bars.filter(pl.col("ticker") == ticker).sort("session")["close"].to_list()


def test_a_night_asks_for_new_sessions_and_an_overlap_and_not_what_funds_are(tmp_path):
    first = recorded_provider(tmp_path).fetch()
    yahoo, web = RecordedYahoo(), RecordedWeb()
    known = known_by(first)
    night = recorded_provider(tmp_path, yahoo=yahoo, web=web, now=TOMORROW).fetch(known)
    assert not night.whole
    assert {t: s for t, s, _ in yahoo.asked if s != "info"} == {
        "SPY": "2024-01-02",
        "TLT": "2024-01-02",
        "VAS.AX": "2024-01-03",
        "^VIX": "2024-01-02",
        "^IRX": "2024-01-02",
        "AUDUSD=X": "2023-12-29",
    }
    assert [t for t, s, _ in yahoo.asked if s == "info"] == [t for t in TICKERS if is_refresh_day(t, TOMORROW)]
    assert night.prices.groupby("ticker").size().to_dict() == dict.fromkeys(TICKERS, 11)
    assert night.prices["session"].max() == pd.Timestamp("2024-01-17")
    assert set(night.macro.loc[night.macro["series"] == "CPIAUCSL", "period"]) == set()
    assert night.rejects[night.rejects["rule"] != "missing_value"].empty


def test_nights_leave_what_one_fetch_of_all_leaves(tmp_path):
    nightly, at_once = Nights(tmp_path / "a"), Nights(tmp_path / "b")
    for now in (NOW, TOMORROW):
        nightly.night(recorded_provider(tmp_path / "a", now=now))
    at_once.night(recorded_provider(tmp_path / "b", now=TOMORROW))
    for name in ("raw_prices", "raw_actions", "raw_sessions", "raw_factors"):
        assert nightly.read(name).equals(at_once.read(name)), name
    assert nightly.read("raw_corrections").is_empty()
    assert set(nightly.read("raw_reference")["ticker"]) == set(TICKERS)


def test_a_gap_is_healed_once_yahoo_has_the_day(tmp_path):
    home = Nights(tmp_path)
    home.night(recorded_provider(tmp_path, yahoo=RecordedYahoo(missing={"SPY": {"2023-12-13"}})))
    assert list(home.known().gaps.itertuples(index=False, name=None)) == [("SPY", pd.Timestamp("2023-12-13"))]
    home.night(recorded_provider(tmp_path, now=TOMORROW))
    assert home.known().gaps.empty
    assert home.read("raw_corrections")["field"].to_list() == ["row"]  # an addition to history, and logged


def test_a_split_since_the_last_fetch_brings_the_whole_fund_again(tmp_path):
    home = Nights(tmp_path)
    home.night(recorded_provider(tmp_path))
    before = closes(home.read("raw_prices"), "SPY")
    yahoo = RecordedYahoo(splits={"SPY": ("2024-01-17", 2.0)})
    home.night(recorded_provider(tmp_path, yahoo=yahoo, now=TOMORROW))
    assert [s for t, s, _ in yahoo.asked if t == "SPY" and s != "info"] == ["2024-01-02", "1990-01-01"]
    assert closes(home.read("raw_prices"), "SPY")[:-1] == pytest.approx([c / 2 for c in before])
    corrections = home.read("raw_corrections")
    assert set(corrections["ticker"]) == {"SPY"}
    assert corrections.filter(pl.col("field") == "close").height == len(before)


def test_a_fund_that_does_not_come_is_a_reject_and_the_others_go_on(tmp_path):
    yahoo = RecordedYahoo(faults={"F03": [gone("F03")]})
    market = recorded_provider(tmp_path, (*MANY, "VUSA.L"), yahoo=yahoo).fetch()
    assert set(market.prices["ticker"]) == set(MANY) - {"F03"}
    lost = market.rejects.set_index("source")
    assert lost.loc["yahoo/F03", ["rule", "ticker", "source_row"]].tolist() == ["not_delivered", "F03", -1]
    assert lost.loc["yahoo/VUSA.L", "rule"] == "unknown_exchange"
    assert RULES["not_delivered"].severity == "warning"
    assert "1 not delivered" in market.label
    assert len(yahoo.asked) == len(set(yahoo.asked))  # what Yahoo does not know is asked for once


def test_a_fund_without_any_bar_is_not_delivered(tmp_path):
    market = recorded_provider(tmp_path, (*TICKERS, "GONE")).fetch()
    assert market.rejects.set_index("ticker").loc["GONE", "rule"] == "not_delivered"


def test_a_silent_moment_costs_a_wait_and_no_fund(tmp_path):
    timer = Timer()
    yahoo = RecordedYahoo(faults={"TLT": [DOWN, DOWN]})
    market = recorded_provider(tmp_path, yahoo=yahoo, timer=timer).fetch()
    assert set(market.prices["ticker"]) == set(TICKERS)
    assert [t for t, s, _ in yahoo.asked if t == "TLT" and s != "info"] == ["TLT"] * 3


def test_too_many_absent_funds_stop_the_fetch(tmp_path):
    strangers = {t: [gone(t)] for t in MANY[:5]}
    with pytest.raises(ProviderError, match="needs most of 20 tickers; 5 did not come") as raised:
        recorded_provider(tmp_path, MANY, yahoo=RecordedYahoo(faults=strangers)).fetch()
    assert not isinstance(raised.value, SourceUnreachable)  # asking again would not help


def test_a_source_that_is_down_is_given_up_early_and_may_be_asked_again(tmp_path):
    yahoo = RecordedYahoo(faults={t: [DOWN] * 4 for t in MANY[2:]})
    with pytest.raises(SourceUnreachable, match="What came is kept"):
        recorded_provider(tmp_path, tuple(MANY) * 1, yahoo=yahoo).fetch()
    assert len({t for t, _, _ in yahoo.asked}) < len(MANY)


def test_a_retry_of_the_same_day_resumes_where_the_crash_was(tmp_path):
    yahoo = RecordedYahoo(faults={"VAS.AX": [MemoryError("the machine died")]})
    with pytest.raises(MemoryError):
        recorded_provider(tmp_path, yahoo=yahoo).fetch()
    yahoo.asked.clear()
    market = recorded_provider(tmp_path, yahoo=yahoo).fetch()
    assert {t for t, _, _ in yahoo.asked} & set(TICKERS) == {"VAS.AX"}
    whole = recorded_provider(tmp_path / "other").fetch()
    pd.testing.assert_frame_equal(market.prices, whole.prices)
    pd.testing.assert_frame_equal(market.reference, whole.reference)
    assert not list(tmp_path.glob("2024-*"))


def test_the_next_close_is_asked_for_even_on_the_day_of_a_crash(tmp_path):
    yahoo = RecordedYahoo(faults={"VAS.AX": [MemoryError()]})
    morning = pd.Timestamp("2024-01-16 12:00", tz="UTC")
    with pytest.raises(MemoryError):
        recorded_provider(tmp_path, yahoo=yahoo, now=morning).fetch()
    market = recorded_provider(tmp_path, yahoo=yahoo, now=NOW).fetch()
    assert market.prices.groupby("ticker")["session"].max()["SPY"] == pd.Timestamp("2024-01-16")


def test_requests_keep_the_pace(tmp_path):
    timer = Timer()
    recorded_provider(tmp_path, MANY, timer=timer).fetch()
    # 20 funds asked twice and 3 indices at 1/s after 5 at once; 16 files at 1/s after 2, of whose waits the first have passed
    assert timer.clock() == pytest.approx(43 - 5 + 16 - 2, abs=3)


def test_publishers_that_do_not_answer_are_rejects_and_the_rest_of_their_series_is_not_asked(tmp_path):
    web = RecordedWeb(
        {"fred.stlouisfed.org": [Reply(503, {}, b"")] * 100, "mba.tuck.dartmouth.edu": [Reply(404, {}, b"moved")] * 2}
    )
    market = recorded_provider(tmp_path, web=web).fetch()
    lost = market.rejects[market.rejects["rule"] == "not_delivered"]
    assert {s.split("/")[0] for s in lost["source"]} == {"fred", "fama_french"}
    assert len([r for r in web.asked if r.host == "fred.stlouisfed.org"]) == 4
    assert set(market.macro["series"]) == {"VIX", "TBILL13W", "AUDUSD", "GPR"}
    assert market.factors.empty
    TABLES["raw_rejects"].check(TABLES["raw_rejects"].to_arrow(market.rejects))


def test_a_web_page_instead_of_a_series_is_a_reject_and_is_asked_for_again(tmp_path):
    web = RecordedWeb({"DGS10": [Reply(200, {}, b"<html>\n<p>maintenance</p>\n")]})
    market = recorded_provider(tmp_path, web=web).fetch()
    assert "fred/DGS10" in set(market.rejects["source"])
    assert "DGS10" not in set(market.macro["series"])
    assert "DGS10" in set(recorded_provider(tmp_path, web=web).fetch().macro["series"])


def test_a_new_fund_of_which_yahoo_tells_nothing_gets_a_row_that_infers_nothing(tmp_path):
    yahoo = RecordedYahoo(faults={"info TLT": [gone("TLT")]})
    first = recorded_provider(tmp_path, yahoo=yahoo).fetch()
    row = first.reference.set_index("ticker").loc["TLT"]
    assert (row["asset_class"], row["currency"]) == ("unknown", "USD")
    day = next(NOW + pd.Timedelta(days=d) for d in range(1, 31) if is_refresh_day("TLT", NOW + pd.Timedelta(days=d)))
    yahoo.faults["info TLT"] = [gone("TLT")]
    later = recorded_provider(tmp_path, yahoo=yahoo, now=day).fetch(known_by(first))
    assert "TLT" not in set(later.reference["ticker"])  # what was known of it is not replaced by nothing


def test_a_key_opens_first_releases_and_shows_nowhere(tmp_path):
    key = Secret("FRED_API_KEY", "9999aaaa8888bbbb7777cccc6666dddd")
    web = RecordedWeb({"api.stlouisfed.org": [Reply(400, {}, f"bad api_key={key.reveal()}".encode())]})
    provider = recorded_provider(tmp_path, web=web, key=key)
    market = provider.fetch()
    assert "first" in set(market.macro.loc[market.macro["series"] == "CPIAUCSL", "vintage"])
    texts = [str(provider), market.label, market.rejects.to_string(), market.macro.to_string()]
    kept = [p.read_bytes().decode("latin-1") + p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert not [t for t in texts + kept if key.reveal() in t]
    assert "not_delivered" in set(market.rejects["rule"])  # the refused series says so


def test_a_fetch_without_any_fund_or_macro_series_fails(tmp_path):
    with pytest.raises(ProviderError, match="at least one fund"):
        recorded_provider(tmp_path, ("VUSA.L",)).fetch()
    silent = RecordedYahoo(faults={t: [gone(t)] for t in ("^VIX", "^IRX", "AUDUSD=X")})
    web = RecordedWeb({h: [Reply(404, {}, b"")] * 20 for h in ("fred.stlouisfed.org", "www.matteoiacoviello.com")})
    with pytest.raises(SourceUnreachable, match="macro series"):
        recorded_provider(tmp_path / "other", yahoo=silent, web=web).fetch()


def test_sessions_of_a_night_still_reach_back_to_the_first_bar(tmp_path):
    home = Nights(tmp_path)
    for now in (NOW, TOMORROW):
        home.night(recorded_provider(tmp_path, now=now))
    held = home.read("raw_sessions").filter(pl.col("exchange") == "XNYS")["session"].to_list()
    assert held == list(sessions("XNYS", "2023-06-01", "2024-01-31").date)


def test_from_its_rows_the_marts_are_made(tmp_path):
    import etf_pipeline.definitions  # noqa: F401  registers every recipe
    from etf_pipeline.recipes import RECIPES

    home = Nights(tmp_path)
    home.night(recorded_provider(tmp_path), finish=False)
    for name in ("stg_ticker_history", "stg_prices", "stg_macro"):
        home.store.materialise(RECIPES[name], "run-20240116")
    home.store.warehouse.finish_run("run-20240116", succeeded=True)
    assert home.read("stg_prices").height == home.read("raw_prices").height
    assert set(home.read("stg_macro")["series"]) >= {"VIX", "GPR", "CPIAUCSL"}


@pytest.mark.parametrize(("error", "again"), [(DOWN, True), (gone("SPY"), False)])
def test_only_a_source_that_did_not_answer_is_asked_again_by_the_run(tmp_path, monkeypatch, error, again):
    import dagster as dg

    from etf_pipeline.orchestration.assets import raw

    class Failing:
        def fetch(self, known):
            raise error

    monkeypatch.setitem(raw.PROVIDERS, "yahoo", lambda settings: Failing())
    with pytest.raises(dg.Failure) as raised:
        raw._fetched(Settings(home=tmp_path, provider="yahoo"), None)
    assert raised.value.allow_retries is again


def test_the_clock_of_the_machine_will_do(tmp_path):
    yahoo = RecordedYahoo()
    recorded_provider(tmp_path, yahoo=yahoo, now=utc_now()).fetch()
    assert {end for _, _, end in yahoo.asked if end} <= {f"{utc_now() - pd.Timedelta(days=d):%Y-%m-%d}" for d in range(15)}
