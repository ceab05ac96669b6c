"""What came before a crash, kept on disk until the fetch is whole; and the last copy of files that say when they changed.

An entry is one answer under the name of its question. It begins with its own SHA-256, so that half a file is no file. The spool
of another day is never read: a publisher may have changed its mind overnight.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

from etf_pipeline.providers.network.client import Client
from etf_pipeline.providers.network.transport import Request

Content = TypeVar("Content")


@dataclass(frozen=True)
class Spool:
    """A folder of answers.

    Attributes
    ----------
    folder : Path
        Where they are; made when needed.
    day : str
        Day of the fetch, which names the folder of what is thrown away when the fetch is whole.
    """

    folder: Path
    day: str

    def once(self, name: str, ask: Callable[[], bytes], read: Callable[[bytes], Content]) -> Content:
        """What the answer says: the one kept under the name, or a new one, kept once it could be read."""
        path = self.folder / self.day / _file_name(name)
        kept = _read(path)
        if kept is not None:
            return read(kept)
        answer = ask()
        content = read(answer)
        _write(path, answer)
        return content

    def current(self, client: Client, request: Request, read: Callable[[bytes], Content]) -> Content:
        """What a file says that is asked for only if it changed (``ETag``, ``Last-Modified``): the kept copy where it did not.

        A copy is kept once it could be read: a page that says "come back later" must not stand in for the file.
        """
        path = self.folder / "kept" / _file_name(request.url)
        kept = _read(path)
        marks, body = _split(kept) if kept is not None else ({}, b"")
        reply = client.get(replace(request, headers={**request.headers, **_conditions(marks)}))
        if reply.status == 304:
            return read(body)
        content = read(reply.body)
        told = {name: reply.headers[name] for name in ("etag", "last-modified") if name in reply.headers}
        _write(path, json.dumps(told).encode() + b"\n" + reply.body)
        return content

    def clear(self) -> None:
        """Throw away the answers of this and of earlier days; kept copies of files stay."""
        for old in self.folder.glob("[0-9]*"):
            shutil.rmtree(old)


def _conditions(marks: Mapping[str, str]) -> dict[str, str]:
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return {names[mark]: value for mark, value in marks.items()}


def _split(kept: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = kept.partition(b"\n")
    return cast("dict[str, str]", json.loads(head)), body


def _file_name(name: str) -> str:
    """A name that every file system takes: readable where it can be, unique in any case."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "_" for c in name)
    return f"{plain[-60:]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _read(path: Path) -> bytes | None:
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return body if digest == hashlib.sha256(body).hexdigest().encode() else None


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    scratch.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    os.replace(scratch, path)
