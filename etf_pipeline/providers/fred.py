"""FRED: macro series of the St. Louis Fed, with a key as first released (ALFRED), without one as they stand today.

Without a key ``fredgraph.csv`` gives the newest values of a series; a release lag dates them. With a key the API gives, for a
series that its publisher revises, the initial release of every period (``output_type=4``) and the day on which it came out [1]_.

Daily rates are never revised and have more vintages than the API serves at once (2000): they are read as they stand.

References
----------
.. [1] Federal Reserve Bank of St. Louis, "FRED API: fred/series/observations",
   https://fred.stlouisfed.org/docs/api/fred/series_observations.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import pandas as pd

from etf_pipeline.providers.files.layout import FileEntry
from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects, reject_rows
from etf_pipeline.providers.files.series import parse_series
from etf_pipeline.providers.files.tabular import read_lines
from etf_pipeline.providers.macro_series import SERIES, MacroSeries
from etf_pipeline.providers.network import Client, Request, Spool
from etf_pipeline.providers.network.first_seen import first_seen, since
from etf_pipeline.providers.release import NEW_YORK, release_instants
from etf_pipeline.secrets import Secret

GRAPH = "https://fred.stlouisfed.org/graph/fredgraph.csv"
API = "https://api.stlouisfed.org/fred/series/observations"
EVER = ("1776-07-04", "9999-12-31")
"""The API's own bounds of real time: every vintage that there is."""

DATASET = "raw_macro"
COLUMNS = ["series", "period", "value", "unit", "available_at", "vintage", "source"]


@dataclass(frozen=True)
class Fred:
    """The source.

    Attributes
    ----------
    client : Client
        Asks.
    spool : Spool
        Keeps what came until the fetch is whole.
    key : Secret or None
        Of the API; without it revised series are not point in time before the first fetch.
    """

    client: Client
    spool: Spool
    key: Secret | None = None

    def asks_releases(self, series: MacroSeries) -> bool:
        """Whether the initial releases are asked for."""
        return self.key is not None and series.vintage == "latest"

    def fetch(
        self, series: MacroSeries, last_period: pd.Timestamp | None, seen_at: pd.Timestamp
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows of `raw_macro` and `raw_rejects` of a series, for the periods that are missing after `last_period`.

        Raises
        ------
        ProviderError
            If FRED refuses or gives something else; `SourceUnreachable` if it does not answer.
        """
        start = since(series, last_period)
        # the last stored period is asked for again: an answer without any row would not say whether the source works
        begin = start if start is None or last_period is None else min(start, last_period)
        request = self.request(series, begin)
        name = f"{request.url} {series.feed_name} {begin}"
        if self.asks_releases(series):
            read = partial(parse_releases, series=series, whole=begin is None)
            macro, rejects = self.spool.once(name, lambda: self.client.get(request).body, read)
            return (macro if start is None else macro[macro["period"] >= start].reset_index(drop=True)), rejects
        macro, rejects = self.spool.once(name, lambda: self.client.get(request).body, partial(parse_graph, series=series))
        return first_seen(macro, series, start, seen_at), rejects

    def request(self, series: MacroSeries, start: pd.Timestamp | None) -> Request:
        """What to ask for the periods from `start` on; all where it is None."""
        if self.key is None or not self.asks_releases(series):
            return Request(GRAPH, {"id": series.feed_name} | ({} if start is None else {"cosd": f"{start:%Y-%m-%d}"}))
        asked = {
            "series_id": series.feed_name,
            "file_type": "json",
            "output_type": "4",
            "realtime_start": EVER[0],
            "realtime_end": EVER[1],
        }
        begin = {} if start is None else {"observation_start": f"{start:%Y-%m-%d}"}
        return Request(API, asked | begin, secrets={"api_key": self.key})


def series_of_fred() -> list[MacroSeries]:
    """Every series that comes from here."""
    return [series for series in SERIES.values() if series.feed == "fred"]


def parse_graph(content: bytes, series: MacroSeries) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of a ``fredgraph.csv``: a header ``observation_date,CODE`` and a line per period.

    Returns
    -------
    macro, rejects : DataFrame
        Rows of `raw_macro` (dated by the release lag, vintage as the series' file has it) and `raw_rejects`.

    Raises
    ------
    UnreadableFile
        If it is something else, a web page for instance.
    """
    source = source_name(series)
    dated = content[:200].split(b"\n", 1)[0].split(b",", 1)[0].removeprefix(b"\xef\xbb\xbf").decode("ascii", "replace").strip()
    columns = {"period": dated, "value": series.feed_name}
    entry = FileEntry("series", source, columns, series=series.code)
    return parse_series(read_lines(content, source, DATASET, list(columns.values())), entry)


def parse_releases(content: bytes, series: MacroSeries, *, whole: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of an answer of the API with the initial release of every period.

    Parameters
    ----------
    content : bytes
        JSON with `observations`.
    whole : bool
        Whether it reaches back to the beginning of the archive.

    Returns
    -------
    macro, rejects : DataFrame
        Rows of `raw_macro` and `raw_rejects`. Vintage is `first` and `available_at` the day of the release at the publisher's
        usual hour.

    Raises
    ------
    UnreadableFile
        If it is no such answer, or not all of it.

    Notes
    -----
    The archive of a series begins on one day with its whole history until then. All but the newest of those periods were out
    before: they count as known at their usual release and as `latest`, for they carry the revisions up to that day.
    """
    source = source_name(series)
    told = _observations(content, source)
    frame = pd.DataFrame({c: [str(row.get(c, "")) for row in told] for c in ("date", "realtime_start", "value")})
    period, released = (_days(frame[c]) for c in ("date", "realtime_start"))
    value = pd.to_numeric(frame["value"].replace(".", None), errors="coerce").to_numpy(dtype=np.float64)
    unseen = (frame["value"] == ".").to_numpy()
    broken = np.asarray(period.isna()) | np.asarray(released.isna()) | (np.isnan(value) & ~unseen)
    rejects = [
        reject_rows(DATASET, source, "not_a_number", np.flatnonzero(broken), [str(told[i]) for i in np.flatnonzero(broken)])
    ]
    if unseen.any():
        rejects.append(
            reject_rows(DATASET, source, "missing_value", [-1], [f"{int(unseen.sum())} periods without an observation"])
        )
    good = ~broken & ~unseen
    return _first_releases(series, period[good], released[good], value[good], whole), join_rejects(rejects)


def _first_releases(
    series: MacroSeries, period: pd.DatetimeIndex, released: pd.DatetimeIndex, value: Any, whole: bool
) -> pd.DataFrame:
    told = released + pd.Timedelta(f"{series.release_time}:00")
    first = pd.Series(told.tz_localize(NEW_YORK).tz_convert("UTC").as_unit("ns"))
    usual = release_instants(series, period)
    old = np.asarray(released == released.min()) if whole else np.zeros(len(period), dtype=bool)
    from_archive = old & np.asarray(period < period[old].max())
    rows = {
        "series": series.code,
        "period": period,
        "value": value,
        "unit": series.unit,
        "available_at": first.where(~from_archive, usual),
        "vintage": np.where(from_archive, "latest", "first").astype(object),
        "source": source_name(series),
    }
    return pd.DataFrame(rows)[COLUMNS].drop_duplicates(["period"], keep="first", ignore_index=True)


def _days(text: pd.Series[Any]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")).as_unit("ns")


def _observations(content: bytes, source: str) -> list[dict[str, Any]]:
    needed = "an answer of the API with observations"
    try:
        told = json.loads(content)
        rows, count = told["observations"], int(told.get("count", len(told["observations"])))
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFile(source, "changed_schema", needed=needed, found=f"{len(content)} bytes without them") from error
    if count > len(rows):
        raise UnreadableFile(source, "unreadable_file", needed=f"all of {count} observations", found=f"{len(rows)}")
    if not rows:
        raise UnreadableFile(source, "empty_file", needed=needed, found="none")
    return cast("list[dict[str, Any]]", rows)


def source_name(series: MacroSeries) -> str:
    """What `source` says of these rows."""
    return f"fred/{series.feed_name}"
