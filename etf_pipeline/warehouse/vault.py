"""The vault: Parquet files in clear, or encrypted at rest under one key (Parquet Modular Encryption, AES-256-GCM).

Every file has a key of its own, derived from the warehouse's key and the file's path: no key ever encrypts enough for a nonce
to repeat, and a file that is moved in another's place does not open. Footer and columns are encrypted, so that neither values
nor column names nor statistics are to be read. What the registry says of a file (table, columns, rows, hashes) stays in clear.

DuckDB is handed the decrypted columns through Arrow. Its own reader opens such files by the letter of the format, but version
2.0 finds the tag wrong as soon as a column has several pages or a query has a filter; its writer needs an extension.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etf_pipeline.errors import WarehouseError
from etf_pipeline.secrets import WAREHOUSE_KEY, Secret

PLAIN = ""
"""Key id of a warehouse in clear."""

ROW_GROUP = 122_880
"""Rows per group: DuckDB's own size, its unit of parallel work."""

KEY_BYTES = 32
ENCRYPTED_MAGIC = b"PARE"

_GENERATE = "`openssl rand -base64 32` makes one"


class Vault:
    """How the files of one warehouse are written and read.

    Parameters
    ----------
    key : bytes, optional
        The warehouse's key, 32 bytes; None writes in clear.
    key_id : str
        What the registry remembers of the key. With an id but no key the vault is locked: it says so when used.

    Examples
    --------
    >>> import tempfile
    >>> vault = Vault(bytes(32))
    >>> path = Path(tempfile.mkdtemp()) / "part-0.parquet"
    >>> vault.write(pa.table({"beta": [1.02]}), path, "tables/part-0.parquet")
    >>> path.read_bytes()[:4], vault.read(path, "tables/part-0.parquet").to_pydict()
    (b'PARE', {'beta': [1.02]})
    """

    def __init__(self, key: bytes | None = None, key_id: str = PLAIN) -> None:
        self._key = key
        self.key_id = key_id or (key_id_of(key) if key else PLAIN)

    @property
    def encrypted(self) -> bool:
        """Whether files are encrypted."""
        return self.key_id != PLAIN

    def require_open(self) -> None:
        """Refuse to go on without the key.

        Raises
        ------
        WarehouseError
            If the files are encrypted and nobody gave the key.
        """
        if self.encrypted and self._key is None:
            raise WarehouseError(
                f"this warehouse is encrypted (key {self.key_id}) and its key is not set. Set {WAREHOUSE_KEY} in the environment "
                f"or in the keyring to the key that it was made with."
            )

    def write(self, table: pa.Table, path: Path, name: str) -> None:
        """Write one Parquet file: zstd, with a checksum on every page.

        Parameters
        ----------
        name : str
            Path by which the file will be read: the same bytes elsewhere do not open.
        """
        properties = _encryption().create_encryption_properties(self._file_key(name)) if self.encrypted else None
        pq.write_table(
            table,
            path,
            compression="zstd",
            row_group_size=ROW_GROUP,
            write_page_checksum=True,
            encryption_properties=properties,
        )

    def read(self, path: Path, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of one file; parameters as in `write`."""
        with pq.ParquetFile(path, page_checksum_verification=True, decryption_properties=self._decryption(name)) as parquet:
            return parquet.read(columns=None if columns is None else list(columns))

    def dataset(self, files: Sequence[tuple[Path, str]]) -> Any:
        """Files behind each other as an Arrow data set, of which a query reads the columns and row groups that it needs."""
        import pyarrow.dataset as ds

        parts: list[Any] = []
        schema = None
        for path, name in files:
            options = ds.ParquetFragmentScanOptions(decryption_properties=self._decryption(name), page_checksum_verification=True)
            part = ds.dataset(path, schema=schema, format=ds.ParquetFileFormat(default_fragment_scan_options=options))
            parts, schema = [*parts, part], part.schema
        return ds.dataset(parts)

    def _decryption(self, name: str) -> Any:
        return _encryption().create_decryption_properties(self._file_key(name)) if self.encrypted else None

    def _file_key(self, name: str) -> bytes:
        """One block of HKDF's expansion (RFC 5869) of the warehouse's key, with the file's path as context."""
        self.require_open()
        assert self._key is not None
        return _derived(self._key, f"file {name}")


def key_of(secret: Secret) -> bytes:
    """The key's bytes.

    Raises
    ------
    WarehouseError
        If it is not 32 bytes in base64 or hexadecimal.
    """
    text = secret.reveal()
    for decode in (bytes.fromhex, lambda t: base64.b64decode(t, validate=True), base64.urlsafe_b64decode):
        try:
            key: bytes = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(key) == KEY_BYTES:
            return key
    raise WarehouseError(
        f"{secret.name} must be {KEY_BYTES} random bytes in base64 (44 characters) or hexadecimal (64); found {len(text)} "
        f"characters that are neither. A passphrase is not enough; {_GENERATE}."
    )


def key_id_of(key: bytes) -> str:
    """Twelve hexadecimal digits by which a key is recognised; they say nothing about it."""
    return _derived(key, "id").hex()[:12]


def is_encrypted_file(path: Path) -> bool:
    """Whether a Parquet file begins as an encrypted one does."""
    with path.open("rb") as handle:
        return handle.read(len(ENCRYPTED_MAGIC)) == ENCRYPTED_MAGIC


def _derived(key: bytes, context: str) -> bytes:
    return hmac.digest(key, f"etf_pipeline warehouse {context}".encode() + b"\x01", "sha256")


def _encryption() -> Any:
    import pyarrow.parquet.encryption as encryption

    return encryption
