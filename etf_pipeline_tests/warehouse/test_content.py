from __future__ import annotations

import io
import itertools
import string
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse import content_hash

texts = st.text(string.ascii_letters + "é€", max_size=5)
whole = st.integers(-(2**63), 2**63 - 1)
KINDS = {
    pa.int64(): whole,
    pa.int8(): st.integers(-128, 127),
    pa.float64(): st.floats(allow_nan=False).map(lambda x: x + 0.0),
    pa.bool_(): st.booleans(),
    pa.string(): texts,
    pa.large_string(): texts,
    pa.string_view(): texts,
    pa.binary(): st.binary(max_size=5),
    pa.binary(3): st.binary(min_size=3, max_size=3),
    pa.date32(): st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    pa.timestamp("us"): st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    pa.decimal128(10, 2): st.integers(-(10**9), 10**9).map(lambda n: Decimal(n) / 100),
    pa.dictionary(pa.int32(), pa.string()): texts,
    pa.list_(pa.int64()): st.lists(st.none() | whole, max_size=3),
    pa.struct([("a", pa.int64()), ("b", pa.string())]): st.fixed_dictionaries({"a": st.none() | whole, "b": texts}),
    pa.null(): st.none(),
}


@st.composite
def columns(draw, min_size=0):
    kind = draw(st.sampled_from(list(KINDS)))
    return kind, draw(st.lists(st.none() | KINDS[kind], min_size=min_size, max_size=12))


def hashed(values, kind):
    return content_hash(pa.table({"x": pa.array(values, kind)}))


@settings(deadline=None, max_examples=300)
@given(columns(), st.lists(st.integers(0, 12), max_size=3))
def test_chunk_boundaries_and_slice_offsets_do_not_change_the_hash(column, cuts):
    kind, values = column
    around = [values[0] if values else None]
    padded = pa.array(around + values + around, kind)
    edges = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    pieces = [padded.slice(1 + a, b - a) for a, b in itertools.pairwise(edges)]
    assert content_hash(pa.table({"x": pa.chunked_array(pieces, type=kind)})) == hashed(values, kind)


@settings(deadline=None, max_examples=300)
@given(columns(min_size=1), st.data())
def test_any_changed_value_changes_the_hash(column, data):
    kind, values = column
    assume(kind != pa.null())
    where = data.draw(st.integers(0, len(values) - 1))
    other = data.draw(st.none() | KINDS[kind])
    assume(other != values[where])
    assert hashed([*values[:where], other, *values[where + 1 :]], kind) != hashed(values, kind)


@settings(deadline=None, max_examples=100)
@given(columns())
def test_a_round_trip_through_a_file_keeps_the_hash(column):
    kind, values = column
    assume(kind != pa.string_view())  # Parquet gives a plain string back
    table, buffer = pa.table({"x": pa.array(values, kind)}), io.BytesIO()
    pq.write_table(table, buffer, row_group_size=3)
    assert content_hash(pq.read_table(buffer)) == content_hash(table)


def test_what_lies_under_a_null_does_not_count():
    validity = pa.py_buffer(bytes([0b101]))
    kinds = {pa.int64(): np.int64, pa.float64(): np.float64, pa.timestamp("us"): np.int64}
    for kind, raw in kinds.items():
        one, other = (
            pa.Array.from_buffers(kind, 3, [validity, pa.py_buffer(np.array([1, hidden, 3], raw))]) for hidden in (0, 99)
        )
        assert content_hash(pa.table({"x": one})) == content_hash(pa.table({"x": other}))


def test_a_hidden_text_does_not_count():
    validity, offsets = pa.py_buffer(bytes([0b101])), pa.py_buffer(np.array([0, 1, 4, 5], np.int32))
    garbage = pa.Array.from_buffers(pa.string(), 3, [validity, offsets, pa.py_buffer(b"axyzb")])
    assert content_hash(pa.table({"x": garbage})) == hashed(["a", None, "b"], pa.string())


@pytest.mark.parametrize(
    "other",
    [
        pa.table({"y": [1, 2], "b": ["u", "v"]}),
        pa.table({"b": ["u", "v"], "a": [1, 2]}),
        pa.table({"a": pa.array([1, 2], pa.int32()), "b": ["u", "v"]}),
        pa.table({"a": [2, 1], "b": ["v", "u"]}),
        pa.table({"a": [1, 2], "b": ["uv", ""]}),
    ],
    ids=["name", "column order", "type", "row order", "text boundary"],
)
def test_names_types_and_order_count(other):
    assert content_hash(other) != content_hash(pa.table({"a": [1, 2], "b": ["u", "v"]}))


def test_the_hash_is_the_same_in_any_process_and_version():
    code = (
        "import pyarrow as pa; from etf_pipeline.warehouse import content_hash;"
        "print(content_hash(pa.table({'x': [1.5, None], 'y': ['a', 'bc'], 'z': [True, None]})))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert found == "d93d053aab8575de829c95d3dd428e25634f5e237cf3fd14622b3bf63cfc5203"


def test_a_type_without_one_form_is_refused_by_name():
    table = pa.table({"m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))})
    with pytest.raises(WarehouseError, match="column 'm' has type map"):
        content_hash(table)
