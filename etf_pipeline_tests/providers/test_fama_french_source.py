"""The French library's zip files by hand."""

from __future__ import annotations

import io
import zipfile

import pandas as pd
import pytest
from network_recorded import FIXTURES, RecordedWeb, Timer

from etf_pipeline.providers.fama_french import FILES, FamaFrench, parse_zip
from etf_pipeline.providers.files import UnreadableFile
from etf_pipeline.providers.network import Client, Reply, Spool, TokenBucket
from etf_pipeline.schemas import TABLES

FIVE, MOMENTUM = ((FIXTURES / "fama_french" / name).read_bytes() for name in FILES)


def zipped(*names, text="x"):
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for name in names:
            archive.writestr(name, text)
    return box.getvalue()


def test_both_files_become_fractions_known_weeks_after_their_month():
    five, rejects = parse_zip(FIVE, FILES[0])
    momentum, _ = parse_zip(MOMENTUM, FILES[1])
    factors = pd.concat([five, momentum], ignore_index=True)
    got = factors.set_index(["factor", "session"])["value"]
    assert got["MKT_RF", pd.Timestamp("2023-11-27")] == pytest.approx(-0.0011)
    assert got["MOM", pd.Timestamp("2023-11-28")] == pytest.approx(-0.0022)
    assert ("HML", pd.Timestamp("2023-11-29")) not in got.index  # -99.99
    assert set(factors["available_at"]) == {pd.Timestamp("2024-01-04", tz="UTC")}
    assert list(rejects["rule"]) == ["missing_value"]
    TABLES["raw_factors"].check(TABLES["raw_factors"].to_arrow(factors))


@pytest.mark.parametrize("content", [b"", b"<html>", FIVE[:200], zipped("a.txt"), zipped("a.csv", "b.csv")])
def test_something_else_than_a_zip_with_one_text_is_refused(content):
    with pytest.raises(UnreadableFile) as raised:
        parse_zip(content, FILES[0])
    assert raised.value.rule == "unreadable_file"


def test_a_zip_with_a_flipped_byte_is_refused():
    spoilt = bytearray(FIVE)
    spoilt[len(FIVE) // 2] ^= 0xFF
    with pytest.raises(UnreadableFile):
        parse_zip(bytes(spoilt), FILES[0])


def test_an_unchanged_library_is_read_from_the_copy(tmp_path):
    web = RecordedWeb({FILES[0]: [Reply(200, {"etag": '"v1"'}, FIVE), Reply(304, {}, b"")]})
    timer = Timer()
    bucket = TokenBucket(1.0, clock=timer.clock, sleep=timer.sleep)
    french = FamaFrench(Client(web, bucket), Spool(tmp_path, "2024-01-16"))
    first, second = french.fetch(FILES[0])[0], french.fetch(FILES[0])[0]
    assert web.asked[1].headers["If-None-Match"] == '"v1"'
    pd.testing.assert_frame_equal(first, second)
