"""The cache: expensive pieces (a walk-forward window, a fitted path) by the hash of what they are a function of.

Losing it costs time, never truth: a file that is damaged or half written is a miss. So it is renamed into place but not flushed.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from pathlib import Path

import pyarrow as pa

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse.vault import Vault

CACHE = "cache"
"""Folder of the cache in a warehouse."""

_WORD = re.compile(r"[A-Za-z0-9_-]{1,128}")
_LITTER_SECONDS = 3600


class Cache:
    """Tables by kind and key.

    Parameters
    ----------
    root : Path
        Folder of the cache; made at the first `put`.
    vault : Vault, optional
        How its files are written and read; in clear by default.

    Examples
    --------
    >>> import tempfile
    >>> cache = Cache(Path(tempfile.mkdtemp()))
    >>> cache.get("walk_forward", "0123abcd") is None
    True
    >>> cache.put("walk_forward", "0123abcd", pa.table({"forecast": [0.01]}))
    >>> cache.get("walk_forward", "0123abcd").to_pydict()
    {'forecast': [0.01]}
    """

    def __init__(self, root: Path, vault: Vault | None = None) -> None:
        self.root = root
        self._vault = vault or Vault()

    def get(self, kind: str, key: str) -> pa.Table | None:
        """The piece, or None if it was never kept, was dropped or is damaged (then it is removed)."""
        path = self._path(kind, key)
        try:
            table = self._vault.read(path, self._name(kind, key))
            os.utime(path)  # last use, by which `gc` judges
        except FileNotFoundError:
            return None
        except (OSError, pa.ArrowException):
            path.unlink(missing_ok=True)
            return None
        return table

    def put(self, kind: str, key: str, table: pa.Table) -> None:
        """Keep a piece; whoever puts last under one key wins.

        Raises
        ------
        WarehouseError
            If the disk refuses.
        """
        path = self._path(kind, key)
        unfinished = path.with_name(f".{key[:32]}-{secrets.token_hex(6)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._vault.write(table, unfinished, self._name(kind, key))
            unfinished.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise WarehouseError(
                f"{kind}/{key} could not be kept in the cache {self.root}: {error}. Free space (`etf gc`) and repeat the step."
            ) from error

    def gc(self, keep_days: float = 90) -> int:
        """Drop pieces that were not used for `keep_days`, and what killed writers left.

        Returns
        -------
        int
            How many files were removed.
        """
        now, removed = time.time(), 0
        for path in self.root.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                limit = _LITTER_SECONDS if path.suffix == ".tmp" else keep_days * 86_400
                if path.is_file() and now - path.stat().st_mtime >= limit:
                    path.unlink()
                    removed += 1
        return removed

    @staticmethod
    def _name(kind: str, key: str) -> str:
        return f"{CACHE}/{kind}/{key}"

    def _path(self, kind: str, key: str) -> Path:
        for word in (kind, key):
            if not _WORD.fullmatch(word):
                raise WarehouseError(
                    f"a kind or key of the cache is 1 to 128 letters, digits, '_' or '-'; found {word!r}. Pass a hash."
                )
        return self.root / kind / f"{key}.parquet"
