"""What people put beside the market: mandates, holdings and flows. Read once, at ingestion, so that runs rest on tables.

``mandates/<name>.yaml`` is described in `portfolio.mandates`; one that is wrong stops the run by name. ``holdings/<name>.csv``
has the columns ``as_of, ticker, shares`` and may have ``price``; a row ``CASH`` holds an amount. ``flows/<name>.csv`` has ``date,
amount``. The name is that of a mandate or strategy. A row that cannot be used goes to `raw_rejects` with its reason, and so do
the other rows of its statement: part of a portfolio is another portfolio.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from etf_pipeline.conventions import CASH
from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.portfolio import OPTIMIZERS, base_strategy, check_mandate, mandate_rows
from etf_pipeline.redaction import redact
from etf_pipeline.schemas import TABLES
from etf_pipeline.settings import Settings

REMEDIES = {
    "unreadable_file": "Save it as a UTF-8 CSV file with a header.",
    "missing_column": "Add the column to the header.",
    "unknown_portfolio": "Name the file after a mandate or a strategy.",
    "unreadable_date": "Write the day as 2024-06-28.",
    "unreadable_number": "Write a plain number; shares and prices are not negative.",
    "unknown_ticker": "Use the permanent name of a fund that the provider has, or CASH.",
    "repeated_row": "Keep one row of each fund and day.",
    "incomplete_statement": "Mend the other rows of that day first: without them the portfolio is worth something else.",
}
"""What to do about each refusal."""

LARGEST_MANDATE = 100_000
"""A mandate has a few dozen lines. [bytes]"""

HOLDINGS, FLOWS = "raw_holdings", "raw_flows"
NEEDED = {HOLDINGS: ("as_of", "ticker", "shares"), FLOWS: ("date", "amount")}


@dataclass(frozen=True)
class PortfolioFiles:
    """Rows of `raw_mandates`, `raw_holdings`, `raw_flows`, and of `raw_rejects` for what could not be used."""

    mandates: pd.DataFrame
    holdings: pd.DataFrame
    flows: pd.DataFrame
    rejects: pd.DataFrame


def read_portfolio_files(chosen: Settings, tickers: frozenset[str]) -> PortfolioFiles:
    """Read the three folders; absent ones hold nothing.

    Parameters
    ----------
    chosen : Settings
        Where they are.
    tickers : frozenset of str
        Funds that the provider has.

    Raises
    ------
    SettingsError
        If a mandate is wrong.
    """
    mandates = read_mandates(chosen.mandates)
    names = set(mandates["mandate"])
    rejects: list[dict[str, Any]] = []
    holdings = _all_rows(chosen.holdings, HOLDINGS, names, rejects)
    flows = _all_rows(chosen.flows, FLOWS, names, rejects)
    return PortfolioFiles(mandates, _holdings(holdings, tickers, rejects), _flows(flows, rejects), _reject_frame(rejects))


def read_mandates(folder: Path) -> pd.DataFrame:
    """Rows of `raw_mandates` from the YAML files of a folder.

    Raises
    ------
    SettingsError
        Naming file and key.
    """
    told = {}
    for path in _files(folder, (".yaml", ".yml")):
        told[path.name] = check_mandate(_read_yaml(path), path.name)
    return mandate_rows(told)


class _PlainLoader(yaml.SafeLoader):
    """Refuses what YAML lets pass without a word: a key that stands twice, and references, which can grow without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            where = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "a reference; write it out", where)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> Any:
    if path.stat().st_size > LARGEST_MANDATE:
        raise SettingsError(
            f"mandate {path.name} has {path.stat().st_size:,} bytes; at most {LARGEST_MANDATE:,} are read. Shorten it."
        )
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_PlainLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        why = redact(str(getattr(error, "problem", None) or type(error).__name__))[:200]
        raise SettingsError(f"mandate {path.name}{line}: this is no YAML that can be used ({why}). Mend the file.") from error


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.suffix.lower() in endings and not path.name.startswith("."))
    return sorted(path for path in found if path.is_file())


def _all_rows(folder: Path, dataset: str, mandates: set[str], rejects: list[dict[str, Any]]) -> pd.DataFrame:
    """Texts of every file: `strategy`, the file's columns, `source`, `source_row`."""
    parts = []
    for path in _files(folder, (".csv",)):
        source = f"{folder.name}/{path.name}"
        if path.stem not in mandates and base_strategy(path.stem) not in OPTIMIZERS:
            rejects.append(_reject(dataset, source, -1, "unknown_portfolio", path.stem))
            continue
        try:
            text = _read_csv(path)
        except (UnicodeDecodeError, csv.Error, DataError) as error:
            rejects.append(_reject(dataset, source, -1, "unreadable_file", redact(str(error))[:200]))
            continue
        missing = [name for name in NEEDED[dataset] if name not in text]
        rejects += [_reject(dataset, source, -1, "missing_column", name) for name in missing[:1]]
        if not missing:
            parts.append(text.assign(strategy=path.stem, source=source, source_row=range(len(text))))
    columns = ["strategy", *NEEDED[dataset], "source", "source_row"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _read_csv(path: Path) -> pd.DataFrame:
    """Texts of a file with a header. What spreadsheets add, a byte-order mark and empty cells at a row's end, is let pass.

    Raises
    ------
    DataError
        If there is no header, a column stands twice, or a row has more cells than it.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file, strict=True)]
    header, *body = [row for row in rows if any(row)] or [[]]
    names = [name for name in header if name]
    if not names or len(set(names)) < len(names) or header[: len(names)] != names:
        raise DataError(f"{path.name} needs a header with each column once; found {header[:8]}.")
    long = [row for row in body if any(row[len(names) :])]
    if long:
        raise DataError(f"{path.name} has a row of more cells than its header: {long[0][:8]}.")
    cells = [[*row, *([""] * len(names))][: len(names)] for row in body]
    return pd.DataFrame(cells, columns=names, dtype=object)


def _holdings(text: pd.DataFrame, tickers: frozenset[str], rejects: list[dict[str, Any]]) -> pd.DataFrame:
    given = text["price"].fillna("").str.strip() if "price" in text else pd.Series("", index=text.index)
    rows = pd.DataFrame(
        {
            "strategy": text["strategy"],
            "as_of": _days(text["as_of"]),
            "ticker": text["ticker"].astype(str).str.strip().str.upper(),
            "shares": _numbers(text["shares"]),
            "price": _numbers(given),
            "source": text["source"],
            "source_row": text["source_row"].astype("int64"),
        }
    )
    bad_price = (given != "") & ~(rows["price"] > 0)
    problems = {
        "unreadable_date": (rows["as_of"].isna(), text["as_of"]),
        "unreadable_number": (~(rows["shares"] >= 0) | bad_price, text["shares"].astype(str) + " " + given),
        "unknown_ticker": (~rows["ticker"].isin(tickers | {CASH}), rows["ticker"]),
        "repeated_row": (rows.duplicated(["strategy", "as_of", "ticker"]), rows["ticker"]),
    }
    broken = pd.concat([bad for bad, _ in problems.values()], axis=1).any(axis=1)
    incomplete = broken.groupby([rows["strategy"], rows["as_of"]]).transform("any").eq(True)
    problems["incomplete_statement"] = incomplete, rows["ticker"]
    return _kept(rows, HOLDINGS, problems, "as_of", rejects)


def _flows(text: pd.DataFrame, rejects: list[dict[str, Any]]) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "strategy": text["strategy"],
            "date": _days(text["date"]),
            "amount": _numbers(text["amount"]),
            "source": text["source"],
            "source_row": text["source_row"].astype("int64"),
        }
    )
    problems = {
        "unreadable_date": (rows["date"].isna(), text["date"]),
        "unreadable_number": (rows["amount"].isna(), text["amount"]),
    }
    return _kept(rows, FLOWS, problems, "date", rejects)


def _kept(
    rows: pd.DataFrame, dataset: str, problems: dict[str, tuple[Any, Any]], day: str, rejects: list[dict[str, Any]]
) -> pd.DataFrame:
    """Rows without a problem; of the others the first problem is told."""
    bad = pd.Series(False, index=rows.index)
    for rule, (broken, found) in problems.items():
        for i in rows.index[broken & ~bad]:
            row = rows.loc[i]
            rejects.append(
                _reject(dataset, row["source"], int(row["source_row"]), rule, str(found[i]), row[day], row.get("ticker"))
            )
        bad |= broken
    kept = rows[~bad].reset_index(drop=True)
    return kept.assign(available_at=pd.DatetimeIndex(kept[day]).tz_localize("UTC"))


def _days(texts: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_datetime(texts.astype(str).str.strip(), format="%Y-%m-%d", errors="coerce").astype("datetime64[ns]")


def _numbers(texts: pd.Series[Any]) -> pd.Series[Any]:
    numbers = pd.to_numeric(texts.astype(str).str.strip(), errors="coerce").astype("float64")
    return numbers.where(numbers.abs() < float("inf"))


def _reject(
    dataset: str, source: str, row: int, rule: str, found: str, session: Any = None, ticker: Any = None
) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "source": source,
        "source_row": row,
        "session": session if session is not None and not pd.isna(session) else pd.NaT,
        "ticker": ticker,
        "rule": rule,
        "found": found,
        "remedy": REMEDIES[rule],
    }


def _reject_frame(rejects: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rejects, columns=list(TABLES["raw_rejects"].columns))
    return frame.astype({"session": "datetime64[ns]", "source_row": "int64"})


def tables_of(files: PortfolioFiles) -> Iterator[tuple[str, Any]]:
    """The three raw tables, as Arrow."""
    for name, frame in (("raw_mandates", files.mandates), (HOLDINGS, files.holdings), (FLOWS, files.flows)):
        yield name, TABLES[name].to_arrow(frame)
