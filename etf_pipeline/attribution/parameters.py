"""Settings of the attribution room."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import HOME_EQUITY, home_market
from etf_pipeline.errors import SettingsError

BILL = "bill"
"""Benchmark of factor attribution that earns the factor library's risk-free rate."""


@dataclass(frozen=True)
class AttributionParameters:
    """What strategies are compared with.

    Attributes
    ----------
    benchmarks : tuple of str
        Strategies or benchmarks of the ledger; ``home_equity`` is the exchange's broad equity fund. Those that the ledger does
        not have are left out.
    exchange : str
        Calendar of the months.
    """

    benchmarks: tuple[str, ...] = (HOME_EQUITY, "equal_weight", "balanced_60_40")
    exchange: str = "XNYS"

    def names(self) -> tuple[str, ...]:
        """Benchmarks as the ledger calls them."""
        return named(self.benchmarks, self.exchange)


@dataclass(frozen=True)
class FactorParameters:
    """How factor loadings are estimated.

    Attributes
    ----------
    benchmarks : tuple of str
        As `AttributionParameters`; ``bill`` is the risk-free rate of the factor library.
    exchange : str
        Main exchange.
    factors : tuple of str
        Factors of `raw_factors` that explain.
    window : int
        Sessions before a month by which its loadings are estimated. [sessions]
    """

    benchmarks: tuple[str, ...] = (BILL, HOME_EQUITY, "equal_weight")
    exchange: str = "XNYS"
    factors: tuple[str, ...] = ("MKT_RF", "SMB", "HML", "RMW", "CMA", "MOM")
    window: int = 252

    def __post_init__(self) -> None:
        if self.window <= 2 * len(self.factors) or not self.factors:
            raise SettingsError(
                f"factor attribution needs factors and a window of more than two sessions for each; found {len(self.factors)} "
                f"factors and {self.window} sessions. Lengthen `window`."
            )

    def names(self) -> tuple[str, ...]:
        """Benchmarks as the ledger calls them."""
        return named(self.benchmarks, self.exchange)


def named(words: tuple[str, ...], exchange: str) -> tuple[str, ...]:
    """The words with ``home_equity`` replaced by the exchange's fund; left out where none is named."""
    found = (home_market(exchange).equity if word == HOME_EQUITY else word for word in words)
    return tuple(name for name in found if name)
