"""Which files a folder holds and how their columns are called: a built-in layout, and `layout.yaml` to override it.

A folder's ``layout.yaml`` may hold the sections ``prices``, ``actions``, ``ticker_history``, ``lifecycle``, ``reference``,
``aum``, ``series`` and ``factors``. A section that it gives replaces the built-in one, an empty list removes it, one that it
leaves out stays. ``layout: lean`` or ``layout: stooq`` names the built-in layout to start from (else: ``files``), and
``parent: yes`` lets sections other than prices be looked for in the folder above where the folder has none. An entry::

    prices:
      - file: my_bars.csv            # relative to the folder; `*` matches several files
        need: required               # required, expected (a finding where absent) or optional
        adjustment: raw              # raw, split or split_dividend
        format: table                # table (columns as below), minutes (`session` is an instant; see minutes.py), lean or stooq
        currency: USD                # of rows without a currency column
        exchange: XNYS
        columns:                     # ours: the file's; those left out keep the names below
          session: Date
          close: Last
          dividend: Dividends        # amount per share on the ex-date; 0 or nothing where there is none
          split: Stock Splits        # new shares per old on the ex-date; 0 or nothing where there is none

Every other section is likewise a list of entries. Their column names are in `COLUMNS`; ``""`` means "has none".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from etf_pipeline.errors import SettingsError
from etf_pipeline.schemas.raw import ADJUSTMENTS

LAYOUT_FILE = "layout.yaml"
NEEDS = ("required", "expected", "optional")
BUILT_IN: Mapping[str, tuple[str, str]] = {
    "files": ("etf_pipeline.providers.files", "default_layout.yaml"),
    "lean": ("etf_pipeline.providers.lean", "lean_layout.yaml"),
    "stooq": ("etf_pipeline.providers.stooq", "stooq_layout.yaml"),
}
"""Layouts that ship with the package: where each stands. A folder without layout.yaml gets the first whose prices it has."""

FORMATS: Mapping[str, tuple[str, ...]] = {
    "prices": ("table", "minutes", "lean", "stooq"),
    "actions": ("table", "lean"),
    "ticker_history": ("table", "lean"),
}
"""Formats that a section can be read in; every other section knows tables only."""

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "prices": {
        **{c: c for c in ("ticker", "open", "high", "low", "close", "volume")},
        "session": "date",
        **dict.fromkeys(("dividend", "split", "currency", "exchange"), ""),
    },
    "actions": {
        **{c: c for c in ("ticker", "ex_date", "kind", "value")},
        **dict.fromkeys(("pay_date", "successor", "currency", "announced"), ""),
    },
    "ticker_history": {
        **{c: c for c in ("fund", "ticker", "valid_from", "valid_to")},
        "announced": "",
    },
    "lifecycle": {
        **{c: c for c in ("ticker", "event", "event_date", "value", "known_at")},
        **dict.fromkeys(("pay_date", "successor", "reason", "source"), ""),
    },
    "reference": {
        **{c: c for c in ("ticker", "name", "category", "family", "inception")},
        "expense_ratio_percent": "expense_ratio_percent",
        "aum_value": "aum_usd",
        "snapshot_at": "fetchedAt",
        **dict.fromkeys(("currency", "exchange", "leverage"), ""),
    },
    "aum": {"ticker": "ticker", "as_of": "date", "aum_value": "aum_usd"},
    "series": {"period": "date", "value": "value"},
    "factors": {"Mkt-RF": "MKT_RF", "SMB": "SMB", "HML": "HML", "RMW": "RMW", "CMA": "CMA", "RF": "RF", "Mom": "MOM"},
}
"""Built-in column names per section, ours: the file's. For ``factors`` it is the publisher's: ours."""


@dataclass(frozen=True)
class FileEntry:
    """One entry of a layout.

    Attributes
    ----------
    section : str
        Field of `Layout` that the entry stands in.
    file : str
        Path relative to the folder; ``*`` matches several files.
    columns : mapping of str to str
        Our column name to the file's; ``""`` where the file has none.
    need : {"required", "expected", "optional"}
        What an absent file means: an error, a finding, nothing.
    adjustment : {"raw", "split", "split_dividend"}
        What the source already applied to prices and volume (`prices` only).
    format : {"table", "minutes", "lean", "stooq"}
        How the file is written; see `FORMATS`.
    suffix : str
        Tickers of the entry end in this (`minutes` only): a file may hold several exchanges.
    currency, exchange : str
        Of rows that do not say.
    series : str
        Series code (`series` only); empty for the file's own name.
    """

    section: str
    file: str
    columns: Mapping[str, str]
    need: str = "expected"
    adjustment: str = "raw"
    format: str = "table"
    currency: str = "USD"
    exchange: str = "XNYS"
    series: str = ""
    suffix: str = ""


@dataclass(frozen=True)
class Layout:
    """The entries of every section, in order.

    Attributes
    ----------
    prices, actions, ticker_history, lifecycle, reference, aum, series, factors : tuple of FileEntry
        Sections.
    parent : bool
        Whether what the folder lacks, prices apart, is looked for in the folder above.
    """

    prices: tuple[FileEntry, ...] = ()
    actions: tuple[FileEntry, ...] = ()
    ticker_history: tuple[FileEntry, ...] = ()
    lifecycle: tuple[FileEntry, ...] = ()
    reference: tuple[FileEntry, ...] = ()
    aum: tuple[FileEntry, ...] = ()
    series: tuple[FileEntry, ...] = ()
    factors: tuple[FileEntry, ...] = ()
    parent: bool = False

    @property
    def entries(self) -> tuple[FileEntry, ...]:
        """Every entry of every section."""
        return tuple(entry for section in COLUMNS for entry in getattr(self, section))


def default_layout(name: str = "files") -> Layout:
    """A layout that ships with the package.

    Parameters
    ----------
    name : {"files", "lean", "stooq"}
        `files`: daily bars, delisted bars, reference, FRED, VIX, GPR and French files. The others have the sections of `files`
        but for prices and what stands beside them.
    """
    package, file = BUILT_IN[name]
    text = resources.files(package).joinpath(file).read_text(encoding="utf-8")
    return parse_layout(text, Layout() if name == "files" else default_layout(), where=file)


def folder_layout(root: Path, base: str = "files") -> Layout:
    """The layout of a folder: its own layout.yaml over a built-in one, or the built-in one whose prices it has.

    Parameters
    ----------
    root : Path
        The folder.
    base : {"files", "lean", "stooq"}
        The built-in layout. `files` gives way to another that layout.yaml names or, without a layout.yaml, that the folder fits.

    Raises
    ------
    SettingsError
        If layout.yaml is wrong.
    """
    path = root / LAYOUT_FILE
    if not path.is_file():
        fitting = (name for name in BUILT_IN if any(any(root.glob(e.file)) for e in default_layout(name).prices))
        return default_layout(next(fitting, base) if base == "files" else base)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{LAYOUT_FILE} needs text in UTF-8; found {error}. Save it as UTF-8.") from error
    return parse_layout(text, default_layout(base))


def parse_layout(text: str, base: Layout, *, where: str = LAYOUT_FILE) -> Layout:
    """Read a layout and lay it over another.

    Parameters
    ----------
    text : str
        YAML as the module describes.
    base : Layout
        Supplies the sections that `text` leaves out, unless `text` names a built-in ``layout``.

    Raises
    ------
    SettingsError
        Naming the key that is unknown, missing or of the wrong kind, and those that are known.

    Examples
    --------
    >>> layout = parse_layout("prices: [{file: bars.csv, columns: {session: Date}}]", Layout())
    >>> layout.prices[0].columns["session"], layout.prices[0].columns["close"]
    ('Date', 'close')
    """
    try:
        given = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{where} needs to be YAML; {error}. See providers/files/layout.py for the form.") from error
    sections = dict(_mapping(given, where, "the whole file"))
    if "layout" in sections:
        base = default_layout(_one_of(sections.pop("layout"), tuple(BUILT_IN), f"{where}.layout"))
    if "parent" in sections:
        base = replace(base, parent=_one_of(sections.pop("parent"), (True, False), f"{where}.parent"))
    _known(sections, list(COLUMNS), where, "section")
    given_sections: dict[str, Any] = {name: _section(name, entries, where) for name, entries in sections.items()}
    layout = replace(base, **given_sections)
    if not layout.prices:
        raise SettingsError(f"{where} needs at least one entry under `prices`; found none. Without prices there is no market.")
    return layout


def _section(section: str, entries: Any, where: str) -> tuple[FileEntry, ...]:
    if not isinstance(entries, list):
        raise SettingsError(f"{where}: `{section}` needs a list of entries, each with a `file`; found {entries!r}.")
    return tuple(_entry(section, entry, f"{where}: {section}[{i}]") for i, entry in enumerate(entries))


def _entry(section: str, given: Any, where: str) -> FileEntry:
    entry = _mapping(given, where, "an entry")
    _known(entry, [f.name for f in fields(FileEntry) if f.name != "section"], where, "key")
    columns = _mapping(entry.get("columns", {}), where, "`columns`")
    if section != "factors":
        _known(columns, list(COLUMNS[section]), where, "column")
    words = {k: v for k, v in entry.items() if k != "columns"}
    wrong = [f"{k}={v!r}" for k, v in [*words.items(), *columns.items()] if not isinstance(v, str)]
    if wrong:
        raise SettingsError(f"{where} needs plain text for every value; found {', '.join(wrong)}. Put it in quotes.")
    made = FileEntry(section=section, columns={**COLUMNS[section], **columns}, **{"file": "", **words})
    _valid(made, where)
    return made


def _valid(entry: FileEntry, where: str) -> None:
    path = PurePosixPath(entry.file)
    if not entry.file or path.is_absolute() or ".." in path.parts:
        raise SettingsError(f"{where} needs `file`, a path inside the folder; found '{entry.file}'.")
    for key, allowed in (
        ("need", NEEDS),
        ("adjustment", tuple(ADJUSTMENTS)),
        ("format", FORMATS.get(entry.section, ("table",))),
    ):
        _one_of(getattr(entry, key), allowed, f"{where}.{key}")


def _one_of(value: Any, allowed: tuple[Any, ...], where: str) -> Any:
    if value not in allowed:
        raise SettingsError(f"{where} must be one of {', '.join(str(a) for a in allowed)}; found '{value}'.")
    return value


def _mapping(value: Any, where: str, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
        raise SettingsError(f"{where}: {what} needs to be a mapping of names; found {value!r}.")
    return value


def _known(given: Mapping[str, Any], known: list[str], where: str, what: str) -> None:
    strange = [k for k in given if k not in known]
    if strange:
        raise SettingsError(f"{where} knows no {what} '{strange[0]}'; known: {', '.join(known)}. Check the spelling.")
