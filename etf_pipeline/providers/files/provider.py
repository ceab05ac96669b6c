"""The `files` provider: `read_folder` fetches bytes, `parse_folder` turns them into a market and touches no disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pandas as pd

from etf_pipeline.errors import ProviderError, SettingsError
from etf_pipeline.providers import Known, RawMarket
from etf_pipeline.providers.files.bars import parse_bars
from etf_pipeline.providers.files.french import parse_french
from etf_pipeline.providers.files.funds import parse_actions, parse_aum, parse_reference, unknown_funds
from etf_pipeline.providers.files.identity import no_spells, spells_of_renames, ticker_history
from etf_pipeline.providers.files.layout import LAYOUT_FILE, FileEntry, Layout, folder_layout
from etf_pipeline.providers.files.life import parse_lifecycle, parse_ticker_history
from etf_pipeline.providers.files.minutes import parse_minute_bars
from etf_pipeline.providers.files.rejects import UnreadableFile, join_rejects
from etf_pipeline.providers.files.series import parse_series
from etf_pipeline.providers.files.tabular import read_lines
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import from_arrow
from etf_pipeline.settings import Settings

TABLE_OF = {
    "prices": "raw_prices",
    "actions": "raw_actions",
    "ticker_history": "raw_ticker_history",
    "lifecycle": "raw_lifecycle",
    "reference": "raw_reference",
    "aum": "raw_aum",
    "series": "raw_macro",
    "factors": "raw_factors",
}
"""Table that each section of a layout feeds."""

SPELLS, EVENTS = "spells of map files", "events of factor files"
"""What LEAN's files give before bars, maps and factors are brought together."""

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
    name : {"files", "lean", "stooq"}
        The built-in layout, which the folder's layout.yaml may override; `files` takes another where the folder fits it.
    """

    root: Path
    name: str = "files"

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
                f"provider '{settings.provider}' needs ETF_FILES_ROOT, the folder to read; it is not set. Example: ../shared/data"
            )
        return cls(settings.files_root, settings.provider)

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
        return parse_folder(
            list(read_folder(self.root, folder_layout(self.root, self.name))), label=self.root.name, name=self.name
        )


def read_folder(root: Path, layout: Layout) -> Iterator[FoundFile]:
    """The bytes of every file that the layout names, in its order; several files of one entry by name."""
    for entry in layout.entries:
        home, paths = root, _matches(root, entry)
        if not paths and layout.parent and entry.section != "prices":
            home, paths = root.parent, _matches(root.parent, entry)
        if not paths:
            yield FoundFile(entry, entry.file, None)
        for path in paths:
            yield FoundFile(entry, path.relative_to(home).as_posix(), _bytes(path, home))


def _matches(root: Path, entry: FileEntry) -> list[Path]:
    return sorted(p for p in root.glob(entry.file) if p.is_file())


def _bytes(path: Path, root: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProviderError(
            f"files provider needs to read '{path.relative_to(root).as_posix()}'; found {error.strerror}. Check its permissions."
        ) from error


def parse_folder(files: Sequence[FoundFile], *, label: str, name: str = "files") -> RawMarket:
    """A market from the bytes of a folder. Pure.

    Parameters
    ----------
    files : sequence of FoundFile
        As `read_folder` gives them.
    label, name : str
        Name of the folder and of the provider, for people.

    Raises
    ------
    ProviderError
        If a required file is absent or cannot be read, or no bar or no macro value is left.
    """
    tables: Tables = {name: [] for name in [*TABLE_OF.values(), "raw_rejects", SPELLS, EVENTS]}
    for file in files:
        _parse_or_report(file, tables)
    prices = _joined(tables, "raw_prices")
    _need_rows(prices, "a bar", tables)
    macro = _joined(tables, "raw_macro")
    _need_rows(macro, "a macro series (vix_daily.csv at least)", tables)
    reference = _joined(tables, "raw_reference")
    history = _bring_together(prices, tables)
    strangers = unknown_funds(prices, reference, history)
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
        label=_label(prices, label, name),
        ticker_history=history,
        lifecycle=_joined(tables, "raw_lifecycle"),
    )


def _bring_together(prices: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Who traded under which ticker; adds the actions and endings of LEAN's files to `tables`. A given history comes first."""
    maps = pd.concat([no_spells(), *tables[SPELLS]], ignore_index=True)
    if tables[EVENTS]:
        actions, rejects = import_module(LEAN).actions_of_factors(pd.concat(tables[EVENTS]), maps, set(prices["ticker"]))
        tables["raw_actions"].append(actions)
        tables["raw_rejects"].append(rejects)
    given = _joined(tables, "raw_ticker_history")
    spells = pd.concat([maps, spells_of_renames(_joined(tables, "raw_actions"), prices)], ignore_index=True)
    told = spells.loc[spells["ticker"].isin(set(given["ticker"])), "entity"]
    inferred = ticker_history(spells[~spells["entity"].isin(told)], prices)
    if tables[SPELLS]:
        tables["raw_lifecycle"].append(import_module(LEAN).last_trades(maps, inferred))
    return pd.concat([given, inferred], ignore_index=True)


def _parse_or_report(file: FoundFile, tables: Tables) -> None:
    try:
        PARSERS[file.entry.section, file.entry.format](file, tables)
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


def _of_program(module: str, function: str, table: str) -> Callable[[FoundFile, Tables], None]:
    """A parser of whole files that lives in a package of its own, which builds on this one."""

    def run(file: FoundFile, tables: Tables) -> None:
        parse = getattr(import_module(module), function)
        frame, rejects = parse(_content(file), file.source, file.entry)
        tables[table].append(frame)
        tables["raw_rejects"].append(rejects)

    return run


LEAN, STOOQ = "etf_pipeline.providers.lean", "etf_pipeline.providers.stooq"
PARSERS: dict[tuple[str, str], Callable[[FoundFile, Tables], None]] = {
    ("prices", "table"): _prices,
    ("prices", "minutes"): _lines_with(parse_minute_bars),
    ("prices", "lean"): _of_program(LEAN, "parse_lean_bars", "raw_prices"),
    ("prices", "stooq"): _of_program(STOOQ, "parse_stooq_bars", "raw_prices"),
    ("actions", "table"): _lines_with(parse_actions),
    ("actions", "lean"): _of_program(LEAN, "parse_factor_file", EVENTS),
    ("ticker_history", "table"): _lines_with(parse_ticker_history),
    ("ticker_history", "lean"): _of_program(LEAN, "parse_map_file", SPELLS),
    ("lifecycle", "table"): _lines_with(parse_lifecycle),
    ("reference", "table"): _lines_with(parse_reference),
    ("aum", "table"): _lines_with(parse_aum),
    ("series", "table"): _lines_with(parse_series),
    ("factors", "table"): _factors,
}
"""How the files of each section and format are parsed."""


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


def _label(prices: pd.DataFrame, folder: str, name: str) -> str:
    first, last = prices["session"].min(), prices["session"].max()
    return (
        f"{name}: {prices['ticker'].nunique()} tickers, {len(prices)} bars {first:%Y-%m-%d} to {last:%Y-%m-%d}, folder '{folder}'"
    )
