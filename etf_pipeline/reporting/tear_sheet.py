"""The HTML report of a run: one file, no network, no script, equal for equal tables."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.reporting.formats import day
from etf_pipeline.reporting.palette import SERIES, SERIES_DARK
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.sections import chapters

__all__ = ["FILE_NAME", "ReportTables", "render", "tear_sheet", "version"]

if TYPE_CHECKING:
    from jinja2 import Template

FILE_NAME = "tear_sheet.html"
NEEDED = (
    "raw_source",
    "rpt_edge",
    "rpt_current_weights",
    "rpt_performance",
    "rpt_nav_monthly",
    "rpt_stress",
    "rpt_universe",
    "forecast_bias",
    "forecast_windows",
    "regimes",
    "optimizer_solutions",
    "rpt_costs",
    "regime_probabilities",
    "rpt_regimes",
    "rpt_market_context",
    "rpt_betas",
    "macro_skill",
    "rpt_decisions",
)
"""Tables without which there is nothing to report; the others may be empty."""


def render(tables: ReportTables) -> str:
    """The report as one self-contained HTML page.

    Parameters
    ----------
    tables : ReportTables
        The report's tables, as their contracts give them.

    Returns
    -------
    str
        HTML with inline styles and drawings; without clock, chance or address, so that equal tables give equal text.

    Raises
    ------
    DataError
        If a table that must have rows has none.
    """
    empty = [name for name in NEEDED if getattr(tables, name).empty]
    if empty:
        raise DataError(f"the tear sheet needs rows in {', '.join(NEEDED)}; {', '.join(empty)} have none. Make them first.")
    source = tables.raw_source.iloc[0]
    return _template().render(
        simulated=bool(source["simulated"]),
        label=source["label"],
        decided=day(tables.rpt_current_weights["session"].max()),
        chapters=chapters(tables),
        light=SERIES,
        dark=SERIES_DARK,
    )


def tear_sheet(tables: ReportTables) -> pd.DataFrame:
    """The report as the one row of table ``tear_sheet``."""
    html = render(tables)
    return pd.DataFrame(
        {
            "report": ["tear_sheet"],
            "file_name": [FILE_NAME],
            "bytes": [len(html.encode())],
            "simulated": [bool(tables.raw_source["simulated"].iloc[0])],
            "html": [html],
        }
    )


def version() -> str:
    """Sixteen hexadecimal digits that change when the report's code or template does.

    The versions of recipes leave this room out, since it computes nothing; here the text itself is the result.
    """
    here = Path(__file__).parent
    files = sorted(path for path in here.rglob("*") if path.suffix in {".py", ".j2"} and path.parent.name != "plots")
    parts = [f"{path.relative_to(here).as_posix()}\n{path.read_text(encoding='utf-8')}" for path in files]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("etf_pipeline.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("tear_sheet.html.j2")
