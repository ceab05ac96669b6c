"""The sections of the report, in reading order: whether there is an edge, what to hold, what it would have earned, and on what
all of it rests."""

from __future__ import annotations

from collections.abc import Callable

from etf_pipeline.reporting.page import Section
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.sections.edge import edge
from etf_pipeline.reporting.sections.evidence import forecasts, provenance, regimes, universe
from etf_pipeline.reporting.sections.history import costs, drawdowns, performance, stress
from etf_pipeline.reporting.sections.holdings import optimiser, weights
from etf_pipeline.reporting.sections.quality import data_quality
from etf_pipeline.reporting.sections.summary import summary
from etf_pipeline.reporting.sections.survival import survival

SECTIONS: tuple[Callable[[ReportTables], Section], ...] = (
    edge,
    summary,
    weights,
    performance,
    drawdowns,
    stress,
    costs,
    regimes,
    forecasts,
    optimiser,
    universe,
    survival,
    data_quality,
    provenance,
)

__all__ = ["SECTIONS"]
