"""The `files` provider: `read_folder` fetches bytes, `parse_folder` turns them into a market and touches no disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from etf_pipeline.errors import ProviderError, SettingsError
from etf_pipeline.providers import Known, RawMarket
from etf_pipeline.providers.files.bars import parse_bars
from etf_pipeline.providers.files.french import parse_french
from etf_pipeline.providers.files.funds import parse_actions, parse_aum, parse_reference, unknown_funds
from etf_pipeline.providers.files.layout import LAYOUT_FILE, FileEntry, Layout, default_layout, parse_layout
from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects
from etf_pipeline.providers.files.series import parse_series
from etf_pipeline.providers.files.tabular import read_lines
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import from_arrow
from etf_pipeline.settings import Settings

TABLE_OF = {
    "prices": "raw_prices",
    "actions": "raw_actions",
    "reference": "raw_reference",
    "aum": "raw_aum",
    "series": "raw_macro",
    "factors": "raw_factors",
}
"""Table that each section of a layout feeds."""

Tables = dict[str, list[pd.DataFrame]]


@dataclass(frozen=True)
class FoundFile:
    """An entry of the layout and a file that answers it; `content` is None where none does."""

    entry: FileEntry
    source: str
    content: bytes | None


@dataclass(frozen=True)
class FilesProvider:
    """A folder of CSV and Parquet files as a market.

    Attributes
    ----------
    root : Path
        The folder.
    """

    root: Path
    name: str = field(default="files", init=False)

    @classmethod
    def for_settings(cls, settings: Settings) -> FilesProvider:
        """The provider of the folder that ``ETF_FILES_ROOT`` names; a profile does not narrow real data.

        Raises
        ------
        SettingsError
            If no folder is set.
        """
        if settings.files_root is None:
            raise SettingsError(
                "provider 'files' needs ETF_FILES_ROOT, the folder to read; it is not set. Example: ../shared/data"
            )
        return cls(settings.files_root)

    def fetch(self, known: Known | None = None) -> RawMarket:
        """Read and parse the whole folder, whatever is known: that is how a changed history is found.

        Raises
        ------
        ProviderError
            If the folder, or a required file in it, cannot be read.
        SettingsError
            If the folder's layout.yaml is wrong.
        """
        if not self.root.is_dir():
            raise ProviderError(f"files provider needs a folder; '{self.root.name}' is none. Set ETF_FILES_ROOT to one.")
        return parse_folder(list(read_folder(self.root, folder_layout(self.root))), label=self.root.name)


def folder_layout(root: Path) -> Layout:
    """The built-in layout, overridden by the folder's own layout.yaml where it has one."""
    path = root / LAYOUT_FILE
    if not path.is_file():
        return default_layout()
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{LAYOUT_FILE} needs text in UTF-8; found {error}. Save it as UTF-8.") from error
    return parse_layout(text, default_layout())


def read_folder(root: Path, layout: Layout) -> Iterator[FoundFile]:
    """The bytes of every file that the layout names, in its order; several files of one entry by name."""
    for entry in layout.entries:
        paths = sorted(p for p in root.glob(entry.file) if p.is_file())
        if not paths:
            yield FoundFile(entry, entry.file, None)
        for path in paths:
            yield FoundFile(entry, path.relative_to(root).as_posix(), _bytes(path, root))


def _bytes(path: Path, root: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProviderError(
            f"files provider needs to read '{path.relative_to(root).as_posix()}'; found {error.strerror}. Check its permissions."
        ) from error


def parse_folder(files: Sequence[FoundFile], *, label: str) -> RawMarket:
    """A market from the bytes of a folder. Pure.

    Parameters
    ----------
    files : sequence of FoundFile
        As `read_folder` gives them.
    label : str
        Name of the folder, for people.

    Raises
    ------
    ProviderError
        If a required file is absent or cannot be read, or no bar or no macro value is left.
    """
    tables: Tables = {name: [] for name in [*TABLE_OF.values(), "raw_rejects"]}
    for file in files:
        _parse_or_report(file, tables)
    prices = _joined(tables, "raw_prices")
    _need_rows(prices, "a bar", tables)
    macro = _joined(tables, "raw_macro")
    _need_rows(macro, "a macro series (vix_daily.csv at least)", tables)
    reference = _joined(tables, "raw_reference")
    strangers = unknown_funds(prices, reference)
    reference = pd.concat([reference, strangers], ignore_index=True) if len(reference) else strangers
    return RawMarket(
        prices=prices,
        actions=_joined(tables, "raw_actions"),
        reference=reference,
        aum=_joined(tables, "raw_aum"),
        macro=macro,
        factors=_joined(tables, "raw_factors"),
        rejects=join_rejects(tables["raw_rejects"]),
        simulated=False,
        label=_label(prices, label),
    )


def _parse_or_report(file: FoundFile, tables: Tables) -> None:
    try:
        PARSERS[file.entry.section](file, tables)
    except UnreadableFile as problem:
        if file.entry.need == "required":
            raise
        if file.content is not None or file.entry.need == "expected":
            tables["raw_rejects"].append(problem.as_reject(TABLE_OF[file.entry.section]))


def _content(file: FoundFile) -> bytes:
    if file.content is None:
        raise UnreadableFile(file.source, "missing_file", needed=f"a file '{file.source}'", found="nothing of that name")
    return file.content


def _columns(entry: FileEntry) -> list[str]:
    return [name for name in entry.columns.values() if name]


def _prices(file: FoundFile, tables: Tables) -> None:
    lines = read_lines(_content(file), file.source, "raw_prices", _columns(file.entry))
    prices, actions, rejects = parse_bars(lines, file.entry)
    for name, frame in (("raw_prices", prices), ("raw_actions", actions), ("raw_rejects", rejects)):
        tables[name].append(frame)


def _lines_with(parse: Callable[..., tuple[pd.DataFrame, pd.DataFrame]]) -> Callable[[FoundFile, Tables], None]:
    def run(file: FoundFile, tables: Tables) -> None:
        table = TABLE_OF[file.entry.section]
        lines = read_lines(_content(file), file.source, table, _columns(file.entry))
        frame, rejects = parse(lines, file.entry)
        tables[table].append(frame)
        tables["raw_rejects"].append(rejects)

    return run


def _factors(file: FoundFile, tables: Tables) -> None:
    factors, rejects = parse_french(_content(file), file.source, file.entry)
    tables["raw_factors"].append(factors)
    tables["raw_rejects"].append(rejects)


PARSERS: dict[str, Callable[[FoundFile, Tables], None]] = {
    "prices": _prices,
    "actions": _lines_with(parse_actions),
    "reference": _lines_with(parse_reference),
    "aum": _lines_with(parse_aum),
    "series": _lines_with(parse_series),
    "factors": _factors,
}
"""How each section's files are parsed."""


def _joined(tables: Tables, name: str) -> pd.DataFrame:
    filled = [frame for frame in tables[name] if len(frame)]
    if not filled:
        return from_arrow(TABLES[name].arrow_schema.empty_table())
    return pd.concat(filled, ignore_index=True)


def _need_rows(frame: pd.DataFrame, what: str, tables: Tables) -> None:
    if len(frame):
        return
    rejects = join_rejects(tables["raw_rejects"])
    first = f"; first reject: '{rejects['source'][0]}', {rejects['rule'][0]}, {rejects['found'][0]}" if len(rejects) else ""
    raise ProviderError(f"files provider needs {what}; the folder yields none{first}. Mend the file or name it in {LAYOUT_FILE}.")


def _label(prices: pd.DataFrame, folder: str) -> str:
    first, last = prices["session"].min(), prices["session"].max()
    return (
        f"files: {prices['ticker'].nunique()} tickers, {len(prices)} bars {first:%Y-%m-%d} to {last:%Y-%m-%d}, folder '{folder}'"
    )
