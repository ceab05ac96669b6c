"""Which files a folder holds and how their columns are called: a built-in layout, and `layout.yaml` to override it.

A folder's ``layout.yaml`` may hold the sections ``prices``, ``actions``, ``reference``, ``aum``, ``series`` and ``factors``.
A section that it gives replaces the built-in one, an empty list removes it, one that it leaves out stays. An entry::

    prices:
      - file: my_bars.csv            # relative to the folder; `*` matches several files
        need: required               # required, expected (a finding where absent) or optional
        adjustment: raw              # raw, split or split_dividend
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
from pathlib import PurePosixPath
from typing import Any

import yaml

from etf_pipeline.errors import SettingsError
from etf_pipeline.schemas.raw import ADJUSTMENTS

LAYOUT_FILE = "layout.yaml"
NEEDS = ("required", "expected", "optional")

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
        prices, actions, reference, aum, series or factors.
    file : str
        Path relative to the folder; ``*`` matches several files.
    columns : mapping of str to str
        Our column name to the file's; ``""`` where the file has none.
    need : {"required", "expected", "optional"}
        What an absent file means: an error, a finding, nothing.
    adjustment : {"raw", "split", "split_dividend"}
        What the source already applied to prices and volume (`prices` only).
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
    currency: str = "USD"
    exchange: str = "XNYS"
    series: str = ""


@dataclass(frozen=True)
class Layout:
    """The entries of every section, in order."""

    prices: tuple[FileEntry, ...] = ()
    actions: tuple[FileEntry, ...] = ()
    reference: tuple[FileEntry, ...] = ()
    aum: tuple[FileEntry, ...] = ()
    series: tuple[FileEntry, ...] = ()
    factors: tuple[FileEntry, ...] = ()

    @property
    def entries(self) -> tuple[FileEntry, ...]:
        """Every entry of every section."""
        return (*self.prices, *self.actions, *self.reference, *self.aum, *self.series, *self.factors)


def default_layout() -> Layout:
    """The layout that ships with the package: daily bars, delisted bars, reference, FRED, VIX, GPR and French files."""
    text = resources.files(__package__).joinpath("default_layout.yaml").read_text(encoding="utf-8")
    return parse_layout(text, Layout(), where="default_layout.yaml")


def parse_layout(text: str, base: Layout, *, where: str = LAYOUT_FILE) -> Layout:
    """Read a layout and lay it over another.

    Parameters
    ----------
    text : str
        YAML as the module describes.
    base : Layout
        Supplies the sections that `text` leaves out.

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
    sections = _mapping(given, where, "the whole file")
    _known(sections, [f.name for f in fields(Layout)], where, "section")
    layout = replace(base, **{name: _section(name, entries, where) for name, entries in sections.items()})
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
    for key, allowed in (("need", NEEDS), ("adjustment", tuple(ADJUSTMENTS))):
        if getattr(entry, key) not in allowed:
            raise SettingsError(f"{where}.{key} must be one of {', '.join(allowed)}; found '{getattr(entry, key)}'.")


def _mapping(value: Any, where: str, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
        raise SettingsError(f"{where}: {what} needs to be a mapping of names; found {value!r}.")
    return value


def _known(given: Mapping[str, Any], known: list[str], where: str, what: str) -> None:
    strange = [k for k in given if k not in known]
    if strange:
        raise SettingsError(f"{where} knows no {what} '{strange[0]}'; known: {', '.join(known)}. Check the spelling.")
