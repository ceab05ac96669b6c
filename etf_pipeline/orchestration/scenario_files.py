"""People's own stress scenarios, ``scenarios/<name>.yaml``: read once, at ingestion, so that runs rest on tables alone.

What a file may say stands in `stress.user_scenarios`; one that is wrong stops the run by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as arrow
import yaml

from etf_pipeline.errors import SettingsError
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.settings import Settings
from etf_pipeline.stress import scenario_rows

ENDINGS = (".yaml", ".yml")


def read_scenarios(chosen: Settings, sessions: arrow.Table, fetched_until: pd.Timestamp) -> arrow.Table:
    """`raw_scenarios` from the folder of scenarios; an absent one holds nothing.

    Parameters
    ----------
    chosen : Settings
        Where the folder is, and whose sessions windows begin and end on.
    sessions : pyarrow.Table
        `raw_sessions`: since when there are prices.
    fetched_until : Timestamp
        Close of the last session delivered.

    Raises
    ------
    SettingsError
        If a file cannot be read or a scenario is wrong.
    """
    folder = chosen.scenarios
    paths = sorted(path for path in folder.iterdir() if path.suffix in ENDINGS and path.name[0] != ".") if folder.is_dir() else []
    told = {path.name: _read(path) for path in paths}
    days = from_arrow(sessions.select(["session", "is_main"]))
    first, last = days.loc[days["is_main"], "session"].min(), pd.Timestamp(fetched_until).tz_localize(None).normalize()
    return TABLES["raw_scenarios"].to_arrow(scenario_rows(told, first=first, last=last, exchange=chosen.exchange))


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise SettingsError(f"scenario {path.name}{line}: this is no YAML. Mend the file.") from error
