"""The twenty broken inputs: each ends in a finding, a quarantined row or a clear error, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
from files_market import KNOWN_UNTIL, SESSIONS, TICKERS, as_text, bars, fetch, staged, write

from etf_pipeline import quality
from etf_pipeline.errors import ProviderError
from etf_pipeline.schemas import TABLES

N = len(SESSIONS)
ROW = 3 * N + 120  # fund F03, mid-history
RUN = range(ROW, ROW + 5)
REST = range(ROW, 4 * N)  # the rest of F03


@dataclass(frozen=True)
class Refused:
    """Rows that must land in quarantine, and nothing else may."""

    rule: str
    rows: tuple[int, ...]
    found: str
    dataset: str = "stg_prices"


@dataclass(frozen=True)
class Listed:
    """A warning; no row may be refused."""

    rule: str
    rows: tuple[int, ...]
    found: str


@dataclass(frozen=True)
class Raises:
    """A ProviderError that names file, rule, what was found and the remedy."""

    rule: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Harmless:
    """No finding at all."""

    rows: tuple[int, ...] = field(default=())


def cell(name: str, value: str, row: int = ROW) -> Callable[[Path], None]:
    return edited(lambda t: t.__setitem__(name, t[name].where(t.index != row, value)))


def edited(change: Callable[[pd.DataFrame], pd.DataFrame | None]) -> Callable[[Path], None]:
    """Write the market after a change of its text, in place or returned."""

    def run(folder: Path) -> None:
        text = as_text(bars())
        changed = change(text)
        write(folder, text if changed is None else changed)

    return run


def numbers(change: Callable[[pd.DataFrame], pd.DataFrame | None]) -> Callable[[Path], None]:
    """Write the market after a change of its numbers."""

    def run(folder: Path) -> None:
        frame = bars()
        changed = change(frame)
        write(folder, as_text(frame if changed is None else changed))

    return run


def spoilt(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Write the market and then spoil the bytes of its price file."""

    def run(folder: Path) -> None:
        write(folder, as_text(bars()))
        path = folder / "bars.csv"
        path.write_bytes(change(path.read_bytes()))

    return run


def parquet(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame], cut: int | None = None) -> None:
    frame = bars()
    write(folder, as_text(frame))
    text = (folder / "layout.yaml").read_text()
    (folder / "layout.yaml").write_text(text.replace("bars.csv", "bars.parquet"))
    path = folder / "bars.parquet"
    change(frame).to_parquet(path)
    path.write_bytes(path.read_bytes()[:cut])


def scale(frame: pd.DataFrame, rows: range, factor: float) -> None:
    """Prices times a factor."""
    frame.loc[list(rows), ["open", "high", "low", "close"]] *= factor


def freeze(frame: pd.DataFrame) -> None:
    """Five closes of the same price without volume."""
    frame.loc[list(RUN), ["open", "high", "low", "close"]] = frame.loc[ROW, "close"]
    frame.loc[list(RUN), "volume"] = [1000.0, 0.0, 0.0, 0.0, 0.0]


def again(frame: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Repeat a row at the end, with its close times a factor."""
    extra = frame.loc[[ROW]].copy()
    extra[["high", "close"]] *= factor
    return pd.concat([frame, extra], ignore_index=True)


def later(frame: pd.DataFrame) -> pd.DataFrame:
    extra = frame.loc[[4 * N - 1]].assign(date=pd.Timestamp("2024-01-03"), dividend=0.0)
    return pd.concat([frame, extra], ignore_index=True)


def stranger(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame[frame["ticker"] == "F00"].assign(ticker="ZZZZ")], ignore_index=True)


END = 12 * N  # first row appended

CASES: dict[str, tuple[Callable[[Path], None], Refused | Listed | Raises | Harmless]] = {
    "missing column": (
        edited(lambda t: t.rename(columns={"close": "Close"})),
        Raises("missing_column", ("'bars.csv'", "column close", "may now be called 'Close'", "layout.yaml")),
    ),
    "text in a price": (cell("close", "n/a"), Refused("not_a_number", (ROW,), "close = 'n/a'", "raw_prices")),
    "negative price": (cell("low", "-3.5"), Refused("nonpositive_price", (ROW,), "low -3.5")),
    "zero price": (cell("close", "0"), Refused("nonpositive_price", (ROW,), "close 0")),
    "high below low": (
        edited(lambda t: _swap(t)),
        Refused("high_below_low", (ROW,), "high"),
    ),
    "contradicting duplicate": (numbers(lambda f: again(f, 1.01)), Refused("duplicate_key", (ROW, END), "contradicts")),
    "exact duplicate": (
        numbers(lambda f: again(f, 1.0)),
        Refused("duplicate_key", (END,), f"exact repeat of row {ROW} of bars.csv"),
    ),
    "unsorted": (numbers(lambda f: f.sample(frac=1, random_state=1)), Harmless()),
    "future date": (numbers(later), Refused("future_date", (END,), "session 2024-01-03")),
    "holiday date": (cell("date", "2023-07-04"), Refused("not_a_session", (ROW,), "Tuesday 2023-07-04, XNYS was closed")),
    "wrong timezone": (
        cell("date", "2023-06-25 19:00:00-05:00"),
        Refused("wrong_timezone", (ROW,), "date = 2023-06-25 19:00:00-05:00", "raw_prices"),
    ),
    "NaN close": (cell("close", "nan"), Refused("missing_price", (ROW,), "close nan")),
    "hundredfold price": (numbers(lambda f: scale(f, range(ROW, ROW + 1), 100.0)), Refused("price_jump", (ROW,), "times")),
    "missed split": (numbers(lambda f: scale(f, REST, 0.25)), Refused("missed_split", tuple(REST), "as a split of 4:1 would")),
    "missed split of two": (
        numbers(lambda f: scale(f, REST, 0.5)),
        Refused("missed_split", tuple(REST), "as a split of 2:1 would"),
    ),
    "stale run": (numbers(freeze), Listed("stale_run", (RUN[-1],), "5 closes at")),
    "empty file": (spoilt(lambda b: b""), Raises("empty_file", ("'bars.csv'", "0 bytes", "Export the file again"))),
    "header only": (spoilt(lambda b: b.split(b"\n")[0]), Raises("empty_file", ("'bars.csv'", "nothing below it"))),
    "truncated Parquet": (
        lambda folder: parquet(folder, lambda f: f, cut=-400),
        Raises("unreadable_file", ("'bars.parquet'", "truncated", "Copy or export")),
    ),
    "wrong encoding of a line": (
        spoilt(lambda b: _line(b, ROW, lambda line: line.replace(b"USD", b"\xe9UR"))),
        Refused("wrong_encoding", (ROW,), "byte 0xe9", "raw_prices"),
    ),
    "wrong encoding of the file": (
        spoilt(lambda b: b.decode().encode("utf-16")),
        Raises("wrong_encoding", ("'bars.csv'", "UTF-8", "Save the text")),
    ),
    "unknown ticker": (numbers(stranger), Listed("unknown_ticker", (END,), "no reference row")),
    "mixed currency": (cell("currency", "EUR"), Refused("currency_mismatch", (ROW,), "EUR, the fund trades in USD")),
    "changed schema": (
        lambda folder: parquet(folder, lambda f: f.assign(date=f["date"].astype("int64"))),
        Raises("changed_schema", ("'bars.parquet'", "int64 in column date", "former type")),
    ),
    "missing field": (
        spoilt(lambda b: _line(b, ROW, lambda line: line.rsplit(b",", 2)[0])),
        Refused("wrong_field_count", (ROW,), "7 fields instead of 9", "raw_prices"),
    ),
    "blank ticker": (cell("ticker", ""), Refused("missing_text", (ROW,), "ticker is blank", "raw_prices")),
    "no date at all": (cell("date", "2023-02-30"), Refused("not_a_date", (ROW,), "date = '2023-02-30'", "raw_prices")),
    "stray high": (cell("high", "5000"), Refused("wild_range", (ROW,), "high 5000")),
    "negative volume": (cell("volume", "-1"), Refused("negative_volume", (ROW,), "volume -1")),
}


def _swap(text: pd.DataFrame) -> None:
    text.loc[ROW, ["high", "low"]] = text.loc[ROW, ["low", "high"]].to_numpy()


def _line(content: bytes, row: int, change: Callable[[bytes], bytes]) -> bytes:
    lines = content.split(b"\n")
    lines[row + 1] = change(lines[row + 1])
    return b"\n".join(lines)


def inspected(folder: Path) -> tuple[pd.DataFrame, quality.Inspection]:
    prices, actions, funds, rejects = staged(fetch(folder))
    found = quality.inspect(prices, actions, funds, rejects, quality.QualityParameters(), KNOWN_UNTIL)
    for name, frame in (("quality_findings", found.findings), ("quarantine", found.quarantine)):
        TABLES[name].check(TABLES[name].to_arrow(frame))
    return prices, found


@pytest.mark.parametrize("case", CASES)
def test_a_broken_input_ends_where_the_table_says(case, tmp_path):
    spoil, expected = CASES[case]
    spoil(tmp_path)
    if isinstance(expected, Raises):
        with pytest.raises(ProviderError) as raised:
            fetch(tmp_path)
        missing = [w for w in (f"rule {expected.rule}", *expected.words) if w not in str(raised.value)]
        assert not missing, str(raised.value)
        return
    prices, found = inspected(tmp_path)
    lost, listed = found.quarantine, found.findings
    if isinstance(expected, Refused):
        assert sorted(lost["source_row"]) == sorted(expected.rows)
        assert set(lost["rule"]) == {expected.rule}
        assert set(lost["dataset"]) == {expected.dataset}
        assert set(lost["source"]) == {"bars.csv"}
        assert expected.found in lost["found"].iloc[0]
        assert (lost["remedy"].str.len() > 10).all()
        assert set(listed.loc[listed["severity"] == "error", "rule"]) == {expected.rule}
    else:
        assert lost.empty
    if isinstance(expected, Listed):
        mine = listed[listed["rule"] == expected.rule]
        assert tuple(mine["source_row"]) == expected.rows
        assert expected.found in mine["found"].iloc[0]
    if isinstance(expected, Harmless):
        assert listed.empty
    on_the_way = (lost["dataset"] == "raw_prices").sum()
    assert len(prices) + on_the_way == (folder_rows := len((tmp_path / "bars.csv").read_bytes().splitlines()) - 1), folder_rows


def test_the_unspoilt_market_has_no_finding_at_all(tmp_path):
    write(tmp_path, as_text(bars()))
    prices, found = inspected(tmp_path)
    assert found.findings.empty
    assert found.quarantine.empty
    assert len(prices) == len(TICKERS) * N


def test_an_action_that_explains_the_split_brings_every_row_back(tmp_path):
    frame = bars()
    scale(frame, REST, 0.25)
    frame.loc[list(REST), "dividend"] *= 0.25
    write(tmp_path, as_text(frame))
    columns = "ticker,ex_date,kind,value,pay_date,successor,announced"
    split = f"F03,{SESSIONS[120]:%Y-%m-%d},split,4,,,2023-06-01T20:00:00Z"
    (tmp_path / "actions.csv").write_text(f"{columns}\n{split}\n")
    _, found = inspected(tmp_path)
    assert found.findings.empty


def test_prices_in_another_zone_are_refused_one_by_one_and_the_error_names_the_first(tmp_path):
    # midnights of New York, written as UTC midnights of another zone: 19:00 the day before
    parquet(tmp_path, lambda f: f.assign(date=f["date"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")))
    with pytest.raises(ProviderError, match=r"'bars.parquet', wrong_timezone, date = 2023-01-02 19:00"):
        fetch(tmp_path)


def test_midnights_of_any_zone_are_the_days_they_show(tmp_path):
    parquet(tmp_path, lambda f: f.assign(date=f["date"].dt.tz_localize("America/New_York")))
    prices, found = inspected(tmp_path)
    assert found.findings.empty
    assert set(prices["session"]) == set(SESSIONS)


def test_days_shifted_by_a_zone_show_as_sundays(tmp_path):
    numbers(lambda f: f.assign(date=f["date"] - pd.Timedelta(days=1)))(tmp_path)
    _, found = inspected(tmp_path)
    assert set(found.quarantine["rule"]) == {"not_a_session"}
    assert (found.quarantine["found"].str.startswith("Sunday")).sum() >= 45 * len(TICKERS)


def test_a_truncated_file_that_is_not_required_becomes_a_reject_of_the_whole_file(tmp_path):
    write(tmp_path, as_text(bars()))
    layout = (tmp_path / "layout.yaml").read_text()
    (tmp_path / "layout.yaml").write_text(
        layout.replace("\nseries:", "\n  - {file: dead.parquet, adjustment: split_dividend}\nseries:", 1)
    )
    bars().assign(ticker=lambda f: "D" + f["ticker"]).to_parquet(tmp_path / "dead.parquet")
    content = (tmp_path / "dead.parquet").read_bytes()
    (tmp_path / "dead.parquet").write_bytes(content[: len(content) // 2])
    _, found = inspected(tmp_path)
    (row,) = found.quarantine.itertuples()
    assert (row.dataset, row.source, row.source_row, row.rule) == ("raw_prices", "dead.parquet", -1, "unreadable_file")


def test_an_expected_file_that_is_absent_is_a_warning_and_refuses_nothing(tmp_path):
    write(tmp_path, as_text(bars()))
    (tmp_path / "etf_reference.csv").unlink()
    _, found = inspected(tmp_path)
    assert found.quarantine.empty
    assert set(found.findings["rule"]) == {"missing_file", "unknown_ticker"}
