"""Provider `files`: a folder of CSV and Parquet files as a market.

The built-in layout (default_layout.yaml) reads daily bars, delisted bars, a reference snapshot, VIX, T-bill yield, GPR, FRED
and French files; a ``layout.yaml`` in the folder names other files and columns (see `layout`). A line that cannot be read is a
row of `raw_rejects` with file, row, rule, what was found and the remedy; a required file that cannot be read is a
`ProviderError` saying the same. Sources are file names relative to the folder.
"""

from etf_pipeline.providers.files.layout import FileEntry, Layout, default_layout, folder_layout, parse_layout
from etf_pipeline.providers.files.provider import FilesProvider, FoundFile, parse_folder, read_folder
from etf_pipeline.providers.files.rejects import REMEDIES, UnreadableFile

__all__ = [
    "REMEDIES",
    "FileEntry",
    "FilesProvider",
    "FoundFile",
    "Layout",
    "UnreadableFile",
    "default_layout",
    "folder_layout",
    "parse_folder",
    "parse_layout",
    "read_folder",
]
