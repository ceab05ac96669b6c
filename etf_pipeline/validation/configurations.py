"""Which settings made a record: the identity of a trial, told by the steps that its table rests on.

A parameter of any step upstream makes another configuration; new data, another run or other code do not.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from etf_pipeline.errors import DataError

NAMED = ["table_name", "configuration"]
FIRST = ["first_seen", "first_run"]


@dataclass(frozen=True)
class Configuration:
    """What a table was made with.

    Attributes
    ----------
    settings : dict of str to dict
        Parameters of every step that the table rests on.
    code_version : str
        Hash of the code of all of them.
    first_seen, first_run : Timestamp (UTC) and str
        When, and in which run, this was first used.
    """

    settings: dict[str, dict[str, Any]]
    code_version: str
    first_seen: pd.Timestamp
    first_run: str


def record_configurations(previous: pd.DataFrame, provenance: pd.DataFrame) -> pd.DataFrame:
    """The table `configurations` with the settings that hold now; nothing that was ever used is taken out.

    Parameters
    ----------
    previous : DataFrame
        The table as it stands, possibly empty.
    provenance : DataFrame of shape (n_rows, 6)
        One row per table and step it rests on: `table_name`, `step`, `settings` (JSON), `code_version`, and the run that asks,
        `run_id`, with its start, `started_at`.

    Raises
    ------
    DataError
        If nothing is known of any table.
    """
    if provenance.empty:
        raise DataError(
            "configurations needs the settings that its inputs were made with; found none. Make them through the store."
        )
    now = provenance.assign(configuration=_names(provenance), is_current=True)
    now = now.rename(columns={"started_at": "first_seen", "run_id": "first_run"})
    if previous.empty:
        return now
    seen = previous.drop_duplicates(NAMED)[NAMED + FIRST]
    now = now.merge(seen, on=NAMED, how="left", suffixes=("", "_before"))
    for name in FIRST:
        now[name] = now.pop(f"{name}_before").fillna(now[name])
    used = set(zip(*(now[name] for name in NAMED), strict=True))
    past = previous[[pair not in used for pair in zip(*(previous[name] for name in NAMED), strict=True)]]
    past = past.assign(is_current=past["is_current"] & ~past["table_name"].isin(now["table_name"]))
    return pd.concat([past, now[past.columns]], ignore_index=True) if len(past) else now


def current_configuration(configurations: pd.DataFrame, table_name: str) -> Configuration:
    """What made a table as it is now.

    Raises
    ------
    DataError
        If no configuration of the table is current.
    """
    rows = configurations[(configurations["table_name"] == table_name) & configurations["is_current"]]
    if rows.empty:
        held = sorted(configurations["table_name"].unique())
        raise DataError(f"the trial ledger needs the settings behind {table_name}; configurations holds {held}. Make it first.")
    rows = rows.sort_values("step")
    return Configuration(
        {step: json.loads(told) for step, told in zip(rows["step"], rows["settings"], strict=True)},
        _hash("\n".join(rows["code_version"])),
        rows["first_seen"].iloc[0],
        rows["first_run"].iloc[0],
    )


def _names(provenance: pd.DataFrame) -> pd.Series[Any]:
    """By row: the hash of all steps and settings of its table."""
    told = provenance.sort_values(["table_name", "step"])
    lines = (told["step"] + "\n" + told["settings"]).groupby(told["table_name"]).agg("\n".join)
    return provenance["table_name"].map(lines.map(_hash))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
