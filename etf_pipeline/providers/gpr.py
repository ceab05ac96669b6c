"""The daily geopolitical risk index of Caldara and Iacoviello [1]_, from the authors' own file.

They publish the same table as .xls and as Stata .dta. The Stata file is read, because pandas reads it without another package.

References
----------
.. [1] D. Caldara and M. Iacoviello, "Measuring geopolitical risk," American Economic Review 112(4), 2022.
   https://www.matteoiacoviello.com/gpr.htm
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any

import pandas as pd

from etf_pipeline.providers.files.bars import settle_repeats
from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects, reject_rows
from etf_pipeline.providers.macro_series import SERIES
from etf_pipeline.providers.network import Client, Request, Spool
from etf_pipeline.providers.network.first_seen import first_seen, since
from etf_pipeline.providers.release import release_instants

FILE = "https://www.matteoiacoviello.com/gpr_files/data_gpr_daily_recent.dta"
SOURCE = "gpr/data_gpr_daily_recent.dta"
DATASET = "raw_macro"
GPR = SERIES["GPR"]
NEEDED = ("date", GPR.feed_name)


@dataclass(frozen=True)
class GeopoliticalRisk:
    """The source.

    Attributes
    ----------
    client : Client
        Asks.
    spool : Spool
        Keeps the last copy of the file.
    """

    client: Client
    spool: Spool

    def fetch(self, last_period: pd.Timestamp | None, seen_at: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows of `raw_macro` after `last_period`, and of `raw_rejects`.

        Raises
        ------
        ProviderError
            If the site refuses or gives something else; `SourceUnreachable` if it does not answer.
        """
        return self.spool.current(self.client, Request(FILE), lambda content: parse_gpr(content, last_period, seen_at))


def parse_gpr(content: bytes, last_period: pd.Timestamp | None, seen_at: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `raw_macro` after `last_period`, and of `raw_rejects`, from the authors' Stata file.

    Parameters
    ----------
    content : bytes
        The file: a column `date`, a column `GPRD`, and others that are left alone.
    last_period : Timestamp or None
        Last day that is stored; an earlier value stays as it was first seen.
    seen_at : Timestamp
        Instant of the fetch. [UTC]

    Raises
    ------
    UnreadableFile
        If it is no Stata file, or one without these columns.
    """
    told = _read(content)
    days = pd.DatetimeIndex(pd.to_datetime(told["date"], errors="coerce")).as_unit("ns").normalize()
    value = pd.to_numeric(told[GPR.feed_name], errors="coerce")
    frame = pd.DataFrame({"series": GPR.code, "period": days, "value": value.astype("float64"), "source": SOURCE})
    frame["source_row"] = range(len(frame))
    undated, unseen = frame["period"].isna(), frame["value"].isna()
    rejects = [
        _counted(frame[undated], "not_a_date", "rows without a date"),
        _counted(frame[unseen & ~undated], "missing_value", "days without a value"),
    ]
    kept, repeated = settle_repeats(frame[~undated & ~unseen], ["period"], ["value"], DATASET, "period")
    kept["available_at"] = release_instants(GPR, pd.DatetimeIndex(kept["period"]))
    kept = kept.assign(unit=GPR.unit, vintage=GPR.vintage)
    macro = kept[["series", "period", "value", "unit", "available_at", "vintage", "source"]]
    return first_seen(macro, GPR, since(GPR, last_period), seen_at), join_rejects([*rejects, repeated])


def _counted(rows: pd.DataFrame, rule: str, what: str) -> pd.DataFrame:
    found = [f"{len(rows)} {what}, the first in row {rows.index[0]}"] if len(rows) else []
    return reject_rows(DATASET, SOURCE, rule, [-1] * len(found), found)


def _read(content: bytes) -> Any:
    try:
        told = pd.read_stata(io.BytesIO(content), convert_categoricals=False)
    except (
        ValueError,
        KeyError,
        OSError,
        struct.error,
        UnicodeDecodeError,
    ) as error:  # a spoilt file breaks in all of these ways
        found = f"{len(content)} bytes ({str(error)[:80]})"
        raise UnreadableFile(SOURCE, "unreadable_file", needed="a Stata file", found=found) from error
    missing = [name for name in NEEDED if name not in told]
    if missing:
        raise UnreadableFile(
            SOURCE, "missing_column", needed=f"columns {', '.join(NEEDED)}", found=f"{', '.join(map(str, told.columns))}"
        )
    return told
