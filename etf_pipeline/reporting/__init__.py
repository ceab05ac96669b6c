"""Reporting room: tables to pictures for the Dagster UI and to one HTML report that a person can read, print and pass on.

It computes nothing: numbers come from the tables as they are and are only reshaped, picked and formatted. `PLOTS` names every
table that has a picture and `draw` makes it; `render` makes the report from `ReportTables`. matplotlib and jinja2 are loaded on
first use.
"""

from etf_pipeline.reporting.plots import PLOTS, draw, plots_version
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.tear_sheet import render

__all__ = ["PLOTS", "ReportTables", "draw", "plots_version", "render"]
