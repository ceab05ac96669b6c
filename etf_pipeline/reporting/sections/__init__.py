"""The sections of the report by chapter, in reading order: the answer, the market around it, what to hold, what it would have
earned, and on what all of it rests."""

from __future__ import annotations

from collections.abc import Callable

from etf_pipeline.reporting.page import Chapter, Section
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.sections.attribution import attribution
from etf_pipeline.reporting.sections.decisions import decisions
from etf_pipeline.reporting.sections.edge import edge
from etf_pipeline.reporting.sections.evidence import forecasts, provenance, universe
from etf_pipeline.reporting.sections.history import costs, drawdowns, performance, stress
from etf_pipeline.reporting.sections.holdings import optimiser, reasons, weights
from etf_pipeline.reporting.sections.market import macro, regimes
from etf_pipeline.reporting.sections.quality import data_quality
from etf_pipeline.reporting.sections.risk import exposures, swings
from etf_pipeline.reporting.sections.summary import summary
from etf_pipeline.reporting.sections.survival import survival
from etf_pipeline.reporting.sections.worth import worth

__all__ = ["CHAPTERS", "chapters"]

CHAPTERS: tuple[tuple[str, str, tuple[Callable[[ReportTables], Section], ...]], ...] = (
    ("answer", "The answer", (summary, edge)),
    ("market", "The market now", (regimes, macro, swings, exposures, worth)),
    ("portfolio", "What to hold", (weights, reasons, decisions, optimiser)),
    ("record", "What it earned and could lose", (performance, attribution, drawdowns, costs, stress)),
    ("basis", "What it rests on", (forecasts, universe, survival, data_quality, provenance)),
)
"""Anchor, heading and sections of each chapter."""


def chapters(tables: ReportTables) -> tuple[Chapter, ...]:
    """Every chapter with its sections, made from the tables."""
    return tuple(Chapter(key, heading, tuple(make(tables) for make in sections)) for key, heading, sections in CHAPTERS)
