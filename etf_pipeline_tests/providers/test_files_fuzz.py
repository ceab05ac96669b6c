"""Files spoilt at random: a line is a row or a reject, a file is read or refused by name, and nothing else ever happens."""

import io

import numpy as np
import pyarrow.parquet as pq
from files_market import as_text, bars
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.providers.files import FileEntry, UnreadableFile
from etf_pipeline.providers.files.bars import parse_bars
from etf_pipeline.providers.files.french import parse_french
from etf_pipeline.providers.files.layout import COLUMNS
from etf_pipeline.providers.files.tabular import read_lines

ENTRY = FileEntry(section="prices", file="bars.csv", columns={**COLUMNS["prices"], "dividend": "dividend"})
WANTED = [name for name in ENTRY.columns.values() if name]
SMALL = bars().iloc[:40]
CSV = as_text(SMALL).to_csv(index=False).encode()
HEADER = CSV.index(b"\n") + 1

bites = st.lists(
    st.tuples(st.integers(0, len(CSV) - 1), st.one_of(st.sampled_from(b'",\n\r;.- \x00\xff\xe9x9'), st.integers(0, 255))),
    max_size=12,
)


def parquet() -> bytes:
    out = io.BytesIO()
    SMALL.to_parquet(out)
    return out.getvalue()


PARQUET = parquet()


@settings(max_examples=120, deadline=None)
@given(bites=bites)
def test_every_line_below_the_header_is_a_bar_or_a_reject(bites):
    content = bytearray(CSV)
    for at, byte in bites:
        if at >= HEADER:
            content[at] = byte
    data = bytes(content)
    try:
        lines = read_lines(data, "bars.csv", "raw_prices", WANTED)
    except UnreadableFile as problem:
        assert problem.rule == "wrong_encoding"  # noqa: PT017 - most files are read
        assert b"\x00" in data
        return
    prices, _, rejects = parse_bars(lines, ENTRY)
    mine = rejects[rejects["dataset"] == "raw_prices"]
    numbers = sorted([*prices["source_row"], *mine["source_row"]])
    expected = [i - 1 for i, line in enumerate(data.split(b"\n")) if i and (line.strip() or not _decodes(line))]
    assert numbers == expected


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


@settings(max_examples=80, deadline=None)
@given(cut=st.integers(0, len(CSV)))
def test_a_csv_cut_off_anywhere_is_refused_or_loses_only_its_last_line(cut):
    try:
        lines = read_lines(CSV[:cut], "bars.csv", "raw_prices", WANTED)
    except UnreadableFile:
        assert cut <= HEADER
        return
    prices, _, rejects = parse_bars(lines, ENTRY)
    whole = CSV[:cut].count(b"\n") - 1
    assert len(prices) + len(rejects) in (whole, whole + 1)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.one_of(st.none(), st.integers(1, len(PARQUET) - 1)))
def test_a_spoilt_parquet_is_read_or_refused_by_name(seed, cut):
    rng = np.random.default_rng(seed)
    content = bytearray(PARQUET)
    for at in rng.integers(0, len(content), 3):
        content[at] = rng.integers(0, 256)
    try:
        lines = read_lines(bytes(content[:cut]), "bars.parquet", "raw_prices", WANTED)
        parse_bars(lines, ENTRY)
    except UnreadableFile as problem:
        assert problem.source == "bars.parquet"  # noqa: PT017 - some files are read
    assert pq.ParquetFile(io.BytesIO(PARQUET)).metadata.num_rows == 40


@settings(max_examples=80, deadline=None)
@given(text=st.text(alphabet=",.-0123456789ab \n\r", max_size=300))
def test_any_text_below_a_french_header_is_read_or_refused_by_name(text):
    content = f"made by hand\n,SMB,HML\n20240102, 0.1, 0.2\n{text}\nCopyright\n".encode()
    factors, rejects = parse_french(content, "ff.CSV", FileEntry("factors", "ff.CSV", COLUMNS["factors"]))
    assert len(factors) >= 0
    assert set(rejects["rule"]) <= {"not_a_number", "duplicate_key", "missing_value"}
