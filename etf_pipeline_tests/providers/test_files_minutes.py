"""Minute bars to daily ones, on the calendar of their exchange."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest

from etf_pipeline import calendars
from etf_pipeline.providers.files import FileEntry, FilesProvider, UnreadableFile
from etf_pipeline.providers.files.cells import Cells
from etf_pipeline.providers.files.minutes import parse_minute_bars
from etf_pipeline.providers.files.rejects import join_rejects
from etf_pipeline.providers.files.tabular import Lines
from etf_pipeline.schemas import TABLES

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
COLUMNS = {**{c: c for c in ("ticker", "open", "high", "low", "close", "volume")}, "session": "ts"}
ASX = FileEntry("prices", "m.parquet", COLUMNS, format="minutes", currency="AUD", exchange="XASX", suffix=".AX")
LAYOUT = """
prices:
  - file: minute_bars_2019_2020.parquet
    format: minutes
    need: required
    currency: AUD
    exchange: XASX
    suffix: .AX
    columns: {session: ts}
"""

DAY = "2019-12-18"  # Sydney, UTC+11: 10:00 to 16:00 is 23:00 the evening before to 05:00


def minute(clock: str, first: float, top: float, bottom: float, last: float, volume: float, ticker: str = "VAS.AX"):
    ts = pd.Timestamp(f"{DAY} {clock}", tz="Australia/Sydney").tz_convert("UTC")
    return {"ticker": ticker, "ts": ts, "open": first, "high": top, "low": bottom, "close": last, "volume": volume}


WHOLE = [
    minute("10:00", 84.0, 84.2, 83.9, 84.1, 100),
    minute("12:30", 84.1, 84.9, 84.1, 84.5, 50),
    minute("15:59", 84.5, 84.6, 83.5, 83.7, 30),
]


def daily(*rows, entry=ASX):
    frame = pd.DataFrame(rows)
    table = arrow.Table.from_pandas(frame, preserve_index=False)
    return parse_minute_bars(Lines("m.parquet", table, frame.index.to_numpy(), join_rejects([])), entry)


def test_a_day_is_its_first_highest_lowest_and_last_minute_and_the_sum_of_shares():
    prices, rejects = daily(*WHOLE[::-1])
    assert rejects.empty
    (bar,) = prices.to_dict("records")
    assert [bar[c] for c in ("open", "high", "low", "close", "volume")] == [84.0, 84.9, 83.5, 83.7, 180]
    assert (bar["session"], bar["currency"], bar["exchange"]) == (pd.Timestamp(DAY), "AUD", "XASX")
    assert bar["source_row"] == 0


def test_exact_repeats_count_once_contradictions_not_at_all_and_blank_minutes_are_counted():
    torn = [minute("11:00", 99.0, 99.0, 99.0, 99.0, 5), minute("11:00", 1.0, 1.0, 1.0, 1.0, 5)]
    nan = float("nan")
    prices, rejects = daily(*WHOLE, WHOLE[1], *torn, minute("11:30", nan, nan, nan, nan, nan))
    assert prices[["high", "low", "volume"]].values.tolist() == [[84.9, 83.5, 180]]
    assert sorted(rejects.loc[rejects["rule"] == "duplicate_key", "source_row"]) == [3, 4, 5]
    assert rejects.loc[rejects["rule"] == "missing_value", "found"].tolist() == ["1 minutes without a price"]


def test_minutes_outside_the_session_and_sessions_in_part_make_no_bar():
    prices, rejects = daily(*WHOLE, minute("09:30", 1, 1, 1, 1, 1), minute("16:20", 1, 1, 1, 1, 1))
    assert prices["low"].tolist() == [83.5]
    assert rejects["found"].tolist() == ["2 minutes outside the sessions"]
    prices, rejects = daily(*WHOLE[:2])
    assert prices.empty
    assert rejects["found"].tolist() == ["2 minutes of 1 sessions that it has in part"]


def test_a_thin_fund_has_a_bar_where_the_exchange_was_seen_open_to_close():
    prices, _ = daily(*WHOLE, minute("13:00", 7.0, 7.0, 7.0, 7.0, 1, ticker="IHK.AX"))
    assert set(prices["ticker"]) == {"VAS.AX", "IHK.AX"}


def test_tickers_of_another_exchange_belong_to_another_entry():
    prices, rejects = daily(*WHOLE, minute("12:00", 7.0, 7.0, 7.0, 7.0, 1, ticker="SPY"))
    assert set(prices["ticker"]) == {"VAS.AX"}
    assert rejects.empty


def test_an_exchange_without_a_calendar_is_named():
    with pytest.raises(UnreadableFile, match="XNOWHERE"):
        daily(*WHOLE, entry=FileEntry("prices", "m", COLUMNS, format="minutes", exchange="XNOWHERE"))


@pytest.mark.reference
@pytest.mark.skipif(not (DATA / "minute_bars_2019_2020.parquet").exists(), reason="no reference data in ../shared/data")
def test_the_asx_funds_of_the_minute_file_have_a_bar_per_session(tmp_path):
    for name in ("minute_bars_2019_2020.parquet", "vix_daily.csv"):
        (tmp_path / name).symlink_to(DATA / name)
    (tmp_path / "layout.yaml").write_text(LAYOUT)
    market = FilesProvider(tmp_path).fetch()
    table = TABLES["raw_prices"]
    table.check(table.to_arrow(market.prices))
    prices = market.prices
    assert prices["ticker"].nunique() == 29
    assert set(prices[["currency", "exchange", "adjustment"]].itertuples(index=False, name=None)) == {("AUD", "XASX", "raw")}
    sessions = calendars.sessions("XASX", "2019-12-17", "2020-01-13")
    assert sorted(prices["session"].unique()) == list(sessions)  # the half-days of 24 and 31 December among them
    found = market.rejects.loc[market.rejects["source"] == "minute_bars_2019_2020.parquet", "found"]
    assert found.tolist() == ["4 minutes without a price; 13 minutes of 1 sessions that it has in part"]
    assert (prices[["open", "close"]].max(axis=1) <= prices["high"]).all()
    assert (prices[["open", "close"]].min(axis=1) >= prices["low"]).all()


def test_a_null_in_a_typed_column_is_unknown_as_nan_is():
    column = arrow.array([1.5, None, 3.0])
    lines = Lines("x.parquet", arrow.table({"price": column, "count": arrow.array([1, None, 3])}), np.arange(3), join_rejects([]))
    cells = Cells(lines)
    np.testing.assert_array_equal(cells.numbers("price"), [1.5, np.nan, 3.0])
    np.testing.assert_array_equal(cells.numbers("count"), [1.0, np.nan, 3.0])
    assert cells.readable.all()
