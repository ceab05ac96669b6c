"""What a feature is."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import SESSIONS_PER_YEAR

YEAR, HALF, QUARTER, MONTH = SESSIONS_PER_YEAR, 126, 63, 21
"""Windows. [sessions]"""


@dataclass(frozen=True)
class Feature:
    """A predictor: what it means and where it comes from.

    Attributes
    ----------
    description, unit : str
        As in `schemas.features`.
    family : str
        What it tells of: features of a family move together, so that their importance is judged together too. One of momentum,
        reversal, risk, tails, drawdown, trend, persistence, liquidity, comovement, intraday, calendar, income.
    lookback : int
        Earlier bars of the fund that a value depends on. [sessions]
    source : str
        The paper or book that proposed it.
    """

    description: str
    unit: str
    family: str
    lookback: int
    source: str
