"""Content hash: one name for the same values, however Arrow happens to hold them.

Hashed are column names, types, lengths and values; not file bytes, chunk boundaries, slice offsets or what lies in the slot of
a null. So a rewritten table with equal rows keeps its hash across processes, compression levels and library versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse.chunks import split
from etf_pipeline.warehouse.records import schema_json


class _Digest(Protocol):
    def update(self, data: Any, /) -> None: ...


def content_hash(table: pa.Table) -> str:
    """Hash of a table's columns and values.

    Parameters
    ----------
    table : pyarrow.Table of shape (n_rows, n_columns)
        Any numbers, booleans, instants, texts, lists or structs. The order of rows counts.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Raises
    ------
    WarehouseError
        If a column's type has no one form (maps, unions).

    Notes
    -----
    SHA-256 rather than BLAKE2: with the CPU's own instructions it runs at 2.2 against 1.5 GB/s. Floats are compared by their
    bits: -0.0 differs from 0.0, and NaN from null.

    Examples
    --------
    >>> whole = pa.table({"x": [1.0, None, 3.0]})
    >>> pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    >>> content_hash(whole) == content_hash(pieces)
    True
    >>> content_hash(whole) == content_hash(whole.slice(1))
    False
    """
    digest = hashlib.sha256(f"{table.num_rows}:{schema_json(table.schema)}".encode())
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            _hash_column(digest, column)
        except TypeError as error:
            raise WarehouseError(f"column {name!r} has type {column.type}, which has no content hash. Cast it.") from error
    return digest.hexdigest()


def joined_hash(hashes: Sequence[str]) -> str:
    """Hash of a table that is cut in chunks, from theirs: equal rows are cut alike, and a chunk that stays is not read again."""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def version_hash(table: pa.Table, chunk: str | None) -> str:
    """Hash that a version of this table has once it is staged: of its chunks, where it is cut by date."""
    plain = table.replace_schema_metadata(None)
    plain = plain.cast(pa.schema([field.remove_metadata() for field in plain.schema]))
    return joined_hash([content_hash(piece) for _, piece in split(plain, chunk)])


def _hash_column(digest: _Digest, column: pa.ChunkedArray) -> None:
    kind, chunks = column.type, [chunk for chunk in column.chunks if len(chunk)]
    if pa.types.is_dictionary(kind):
        return _hash_column(digest, pa.chunked_array([c.dictionary_decode() for c in chunks], type=kind.value_type))
    _hash_validity(digest, column.null_count, chunks)
    if pa.types.is_null(kind):
        return None
    if pa.types.is_boolean(kind):
        chunks = [chunk.cast(pa.uint8()) for chunk in chunks]
        return _hash_fixed_width(digest, chunks, 1)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        wide = pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
        return _hash_texts(digest, [chunk.cast(wide) for chunk in chunks])
    if any(test(kind) for test in (_is_text, _is_large_text)):
        return _hash_texts(digest, chunks)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _hash_lists(digest, kind, chunks)
    if pa.types.is_struct(kind):
        return _hash_structs(digest, kind, chunks)
    if pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind):
        return _hash_fixed_width(digest, chunks, kind.bit_width // 8)
    raise TypeError(kind)


def _hash_validity(digest: _Digest, null_count: int, chunks: list[pa.Array]) -> None:
    digest.update(b"some null" if null_count else b"no null")
    if null_count:
        for chunk in chunks:
            digest.update(_valid(chunk))


def _hash_fixed_width(digest: _Digest, chunks: list[pa.Array], width: int) -> None:
    for chunk in chunks:
        data = np.frombuffer(chunk.buffers()[1], dtype=np.uint8)
        values = data[chunk.offset * width : (chunk.offset + len(chunk)) * width].reshape(-1, width)
        if chunk.null_count:
            values = values.copy()
            values[_valid(chunk) == 0] = 0
        digest.update(values)


def _hash_texts(digest: _Digest, chunks: list[pa.Array]) -> None:
    """Lengths of all values, then their bytes: neither depends on where one chunk ends."""
    chunks = [pc.fill_null(chunk, pa.scalar("", chunk.type)) if chunk.null_count else chunk for chunk in chunks]
    for chunk in chunks:
        digest.update(np.diff(_offsets(chunk)).astype(np.int64))
    for chunk in chunks:
        offsets, data = _offsets(chunk), chunk.buffers()[2]
        if data is not None:
            digest.update(memoryview(data)[int(offsets[0]) : int(offsets[-1])])


def _hash_lists(digest: _Digest, kind: pa.DataType, chunks: list[pa.Array]) -> None:
    for chunk in chunks:
        digest.update(pc.fill_null(pc.list_value_length(chunk), 0).cast(pa.int64()).to_numpy())
    _hash_column(digest, pa.chunked_array([chunk.flatten() for chunk in chunks], type=kind.value_type))


def _hash_structs(digest: _Digest, kind: pa.DataType, chunks: list[pa.Array]) -> None:
    for i in range(kind.num_fields):  # `flatten` hands a struct's nulls down to its fields
        _hash_column(digest, pa.chunked_array([chunk.flatten()[i] for chunk in chunks], type=kind.field(i).type))


def _valid(chunk: pa.Array) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(chunk.is_valid().cast(pa.uint8()), dtype=np.uint8)


def _offsets(chunk: pa.Array) -> np.ndarray[Any, np.dtype[Any]]:
    kind = np.int64 if _is_large_text(chunk.type) else np.int32
    return np.frombuffer(chunk.buffers()[1], dtype=kind)[chunk.offset : chunk.offset + len(chunk) + 1]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _is_large_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_large_binary(kind))
