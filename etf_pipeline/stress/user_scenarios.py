"""People's own scenarios: YAML files, checked when they are read, and table `raw_scenarios`, from which runs can be made again.

A file is a scenario; its stem is the name. A window of the past is replayed, shocks act through factors; given both, the shocks
stand in where history does not hold the window. Every size has its unit::

    title: Energy embargo
    source: investment committee, 2024-05-02
    alone: false             # true: factors that are not named stand still; else they move as they do together in crises
    horizon: 63              # sessions; of shocks without dates
    shocks:
      oil: 60 %
      equity: -15 %
      rates: 80 bp

    title: Debt ceiling
    source: own chronology
    start: 2011-07-07        # the last close before, and the close that ends it
    end: 2011-08-08
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.errors import SettingsError
from etf_pipeline.stress.scenarios import SCENARIOS, Scenario
from etf_pipeline.stress.shocks import FACTORS, Shock

KEYS = ("title", "source", "start", "end", "horizon", "shocks", "alone")
COLUMNS = ("scenario", "factor", "title", "start", "end", "horizon", "alone", "size", "unit", "source", "file")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
SIZE = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([%a-z_]+)")
HORIZON = 21
MOST = 3 * SESSIONS_PER_YEAR
"""Longest time that shocks may take. [sessions]"""


def check_scenario(
    told: Mapping[str, Any], file: str, *, first: pd.Timestamp, last: pd.Timestamp, exchange: str = "XNYS"
) -> list[dict[str, Any]]:
    """Rows of `raw_scenarios` of one file.

    Parameters
    ----------
    told : mapping
        What the file says.
    file : str
        Its name; the stem is the scenario's name.
    first, last : Timestamp
        First and last session that there are prices of.
    exchange : str
        Whose sessions the window's ends must be.

    Raises
    ------
    SettingsError
        Naming file and key: an unknown key or factor, a wrong unit, no session, or a window outside of the data without shocks.
    """
    name = file.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    where = f"scenario {file}"
    if not isinstance(told, Mapping):
        raise SettingsError(f"{where} needs keys such as title, source and shocks; found {type(told).__name__}.")
    strange = sorted(str(key) for key in told if key not in KEYS)
    if strange:
        raise SettingsError(f"{where}: keys are {', '.join(KEYS)}; found {', '.join(strange)}.")
    if not NAME.fullmatch(name) or name in SCENARIOS:
        raise SettingsError(f"{where}: its name is small letters, digits and _, and none of the catalogue; found '{name}'.")
    shocks = _shocks(told.get("shocks") or {}, where)
    start, end = _window(told, where, first, last, exchange, bool(shocks))
    if start is None and not shocks:
        raise SettingsError(f"{where} needs start and end, or shocks; it has neither.")
    facts = {
        "scenario": name,
        "title": _text(told, "title", where),
        "start": start if start is not None else pd.NaT,
        "end": end if end is not None else pd.NaT,
        "horizon": _horizon(told.get("horizon", HORIZON), where),
        "alone": _flag(told.get("alone", False), where),
        "source": _text(told, "source", where),
        "file": file,
    }
    sized = [{"factor": s.factor, "size": s.size, "unit": FACTORS[s.factor].unit} for s in shocks]
    return [facts | shock for shock in sized or [{"factor": "window", "size": float("nan"), "unit": ""}]]


def scenario_rows(
    told: Mapping[str, Mapping[str, Any]], *, first: pd.Timestamp, last: pd.Timestamp, exchange: str = "XNYS"
) -> pd.DataFrame:
    """`raw_scenarios` of all files, by file name.

    Raises
    ------
    SettingsError
        As `check_scenario`, or if two files have one name.
    """
    rows = [row for file, text in told.items() for row in check_scenario(text, file, first=first, last=last, exchange=exchange)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    twice = frame.groupby("scenario")["file"].nunique()
    if (twice > 1).any():
        raise SettingsError(f"scenarios need one file each; {sorted(twice.index[twice > 1])} have more. Rename one.")
    dates = {name: pd.to_datetime(frame[name]).astype("datetime64[ns]") for name in ("start", "end")}
    kinds = {"horizon": "int64", "alone": "bool", "size": "float64"}
    return frame.astype(kinds).assign(**dates)


def scenarios_of(rows: pd.DataFrame) -> dict[str, Scenario]:
    """Scenarios by name, from `raw_scenarios`."""
    found = {}
    for name, told in rows.groupby("scenario", sort=True):
        head = told.iloc[0]
        sized = told.loc[told["factor"] != "window"].sort_values("factor")
        shocks = tuple(Shock(str(f), float(s)) for f, s in zip(sized["factor"], sized["size"], strict=True))
        equity = next((shock.size for shock in shocks if shock.factor == "equity"), float("nan"))
        dates = [value.strftime("%Y-%m-%d") if not pd.isna(value) else "" for value in (head["start"], head["end"])]
        found[str(name)] = Scenario(
            str(head["title"]), dates[0], dates[1], equity, str(head["source"]), shocks, int(head["horizon"]), bool(head["alone"])
        )
    return found


def _shocks(told: Any, where: str) -> list[Shock]:
    if not isinstance(told, Mapping):
        raise SettingsError(f"{where}, shocks: a factor per line, such as 'oil: 60 %'; found {type(told).__name__}.")
    found = []
    for factor, text in told.items():
        match = SIZE.fullmatch(str(text).strip())
        if match is None:
            raise SettingsError(f"{where}, {factor}: a number and its unit, such as '-15 %' or '80 bp'; found '{text}'.")
        found.append(Shock.told(str(factor), float(match[1]), match[2], where))
    return found


def _window(
    told: Mapping[str, Any], where: str, first: pd.Timestamp, last: pd.Timestamp, exchange: str, shocked: bool
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    if "start" not in told and "end" not in told:
        return None, None
    start, end = (_day(told.get(key), key, where) for key in ("start", "end"))
    if not start < end:
        raise SettingsError(f"{where}: start lies before end; found {start.date()} and {end.date()}.")
    outside = start < first or end > last
    if outside and not shocked:
        raise SettingsError(
            f"{where}: prices reach from {first.date()} to {last.date()}; the window is {start.date()} to {end.date()}. "
            "Give shocks, which stand in for what is not in the data."
        )
    days = calendars.sessions(exchange, start.strftime("%Y-%m-%d"), end.strftime("%Y-%m-%d")) if not outside else []
    for key, day in (("start", start), ("end", end)):
        if not outside and day not in days:
            raise SettingsError(f"{where}, {key}: a session of {exchange}; {day.date()} is none.")
    return start, end


def _day(told: Any, key: str, where: str) -> pd.Timestamp:
    try:
        if not isinstance(told, str | datetime.date):
            raise ValueError
        return pd.Timestamp(str(told)[:10])
    except ValueError as error:
        raise SettingsError(f"{where}, {key}: a day such as 2011-07-07; found '{told}'.") from error


def _text(told: Mapping[str, Any], key: str, where: str) -> str:
    text = str(told.get(key) or "").strip()
    if not text:
        raise SettingsError(f"{where}, {key}: some words are needed; found nothing.")
    return text


def _flag(told: Any, where: str) -> bool:
    if not isinstance(told, bool):
        raise SettingsError(f"{where}, alone: true or false; found '{told}'.")
    return told


def _horizon(told: Any, where: str) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or not 1 <= told <= MOST:
        raise SettingsError(f"{where}, horizon: sessions, 1 to {MOST}; found '{told}'.")
    return told
