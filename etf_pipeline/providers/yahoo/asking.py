"""Asking Yahoo politely, and counting who did not come."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pandas as pd

from etf_pipeline.errors import ProviderError, SourceUnreachable
from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects, reject_rows
from etf_pipeline.providers.network import Retries, Spool, TokenBucket
from etf_pipeline.providers.yahoo.feed import Feed, NotDelivered
from etf_pipeline.providers.yahoo.parse import flatten
from etf_pipeline.providers.yahoo.windows import Window

STREAK = 5
"""So many tickers in a row without an answer: the source is down, and the rest is not asked."""


@dataclass(frozen=True)
class Asker:
    """A feed that is paced, asked again, and kept.

    Attributes
    ----------
    feed : Feed
        Asks once.
    bucket : TokenBucket
        How fast.
    retries : Retries
        How often.
    spool : Spool
        Keeps what came until the fetch is whole.
    """

    feed: Feed
    bucket: TokenBucket
    retries: Retries
    spool: Spool

    def bars(self, window: Window) -> pd.DataFrame:
        """Yahoo's frame for the window.

        Raises
        ------
        NotDelivered
            If it has no rows.
        SourceUnreachable
            If no attempt brought an answer.
        """
        name = f"bars {window.ticker} {window.start:%Y-%m-%d} {window.end:%Y-%m-%d}"

        def ask() -> bytes:
            self.bucket.take()
            frame = flatten(self.feed.download(window.ticker, window.start, window.end), window.ticker)
            if not len(frame.dropna(how="all")):
                raise NotDelivered(f"Yahoo needs bars of '{window.ticker}' since {window.start:%Y-%m-%d}; found none.")
            return _to_bytes(frame)

        return self.spool.once(name, lambda: self.retries.run(ask), _from_bytes)

    def info(self, ticker: str) -> Mapping[str, Any]:
        """Yahoo's facts about a fund; raises as `bars`."""

        def ask() -> bytes:
            self.bucket.take()
            return json.dumps(dict(self.feed.info(ticker)), default=str).encode()

        return self.spool.once(
            f"info {ticker}", lambda: self.retries.run(ask), lambda kept: cast("dict[str, Any]", json.loads(kept))
        )


def _to_bytes(frame: pd.DataFrame) -> bytes:
    box = io.BytesIO()
    frame.rename_axis("Date").to_parquet(box)
    return box.getvalue()


def _from_bytes(kept: bytes) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(kept))


@dataclass
class Absences:
    """What did not come, and whether that is too much.

    Attributes
    ----------
    expected : int
        How many funds are asked for.
    share : float
        Part of them that may be missing.
    """

    expected: int
    share: float
    rejects: list[pd.DataFrame] = field(default_factory=list)
    unreachable: bool = False
    _funds: int = 0
    _streak: int = 0

    def came(self) -> None:
        """An answer: the source is up."""
        self._streak = 0

    def note(self, dataset: str, source: str, error: ProviderError, ticker: str | None = None) -> None:
        """Something other than a fund's bars did not come: a row of `raw_rejects`."""
        self.rejects.append(reject_rows(dataset, source, "not_delivered", [-1], [_found(error)], ticker=[ticker]))

    def note_fund(self, source: str, error: ProviderError, ticker: str) -> None:
        """A fund's bars did not come.

        Raises
        ------
        ProviderError
            If too many are missing by now; `SourceUnreachable` where asking later may help.
        """
        self.note("raw_prices", source, error, ticker)
        self._funds += 1
        silent = isinstance(error, SourceUnreachable)
        self.unreachable |= silent
        self._streak = self._streak + 1 if silent else 0
        if self._streak < STREAK and self._funds <= max(1.0, self.share * self.expected):
            return
        found = f"{self._funds} did not come ({self._streak} in a row without an answer), the last: {_found(error)}"
        if self.unreachable:
            raise SourceUnreachable(f"yahoo needs most of {self.expected} tickers; {found} What came is kept: run again later.")
        raise ProviderError(f"yahoo needs most of {self.expected} tickers; {found} Take funds that ended out of ETF_TICKERS.")

    def joined(self) -> pd.DataFrame:
        """Rows of `raw_rejects`."""
        return join_rejects(self.rejects)


def _found(error: ProviderError) -> str:
    """What stood in the place of what was asked for: something else than the source's own form is no delivery either."""
    if isinstance(error, UnreadableFile):
        return f"{error.source} was something else ({error.rule}): {error.found}."
    return str(error)
