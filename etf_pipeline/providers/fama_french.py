"""Kenneth French's daily factors from his library [1]_: two zip files, each with one text in his own layout.

A file is fetched only when the library says that it changed, and then it is read whole: an update may restate earlier days.

References
----------
.. [1] K. R. French, Data Library, https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/data_library.html
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

import pandas as pd

from etf_pipeline.providers.files.french import parse_french
from etf_pipeline.providers.files.layout import COLUMNS, FileEntry
from etf_pipeline.providers.files.rejects import UnreadableFile
from etf_pipeline.providers.network import Client, Request, Spool

LIBRARY = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp"
FILES = ("F-F_Research_Data_5_Factors_2x3_daily_CSV.zip", "F-F_Momentum_Factor_daily_CSV.zip")
LARGEST = 100 * 2**20
"""The texts have some 2 MB; a member that claims this much is something else. [bytes]"""


@dataclass(frozen=True)
class FamaFrench:
    """The source.

    Attributes
    ----------
    client : Client
        Asks.
    spool : Spool
        Keeps the last copy of each file.
    """

    client: Client
    spool: Spool

    def fetch(self, file: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows of `raw_factors` and `raw_rejects` of one of `FILES`.

        Raises
        ------
        ProviderError
            If the library refuses or gives something else; `SourceUnreachable` if it does not answer.
        """
        return self.spool.current(self.client, Request(f"{LIBRARY}/{file}"), lambda content: parse_zip(content, file))


def parse_zip(content: bytes, file: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `raw_factors` and `raw_rejects` from a zip of the library.

    Raises
    ------
    UnreadableFile
        If it is no zip with one text of factors.
    """
    source = source_name(file)
    return parse_french(_unzip(content, source), source, FileEntry("factors", source, COLUMNS["factors"]))


def _unzip(content: bytes, source: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as box:
            texts = [member for member in box.infolist() if member.filename.lower().endswith(".csv")]
            if len(texts) == 1 and texts[0].file_size < LARGEST:
                return box.read(texts[0])
            found = f"{[member.filename for member in texts]} among {len(box.infolist())} members"
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        found = f"{len(content)} bytes ({error})"
    raise UnreadableFile(source, "unreadable_file", needed="a zip with one CSV", found=found)


def source_name(file: str) -> str:
    """What `source` says of these rows."""
    return f"fama_french/{file.removesuffix('.zip')}"
