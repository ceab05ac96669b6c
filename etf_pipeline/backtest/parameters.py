"""Settings of the backtest; the launchpad form is made from them."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import BPS, PERCENT
from etf_pipeline.costs import CostParameters
from etf_pipeline.errors import SettingsError


@dataclass(frozen=True)
class BacktestParameters:
    """How the ledger is kept, against what it is compared, and how sure the figures are.

    Attributes
    ----------
    initial_value : float
        Cash before the first fill. [USD]
    start : str
        First decision that counts (ISO date); empty for the first one there is.
    exchange : str
        Calendar of the ledger's sessions.
    fill : str
        ``open`` or ``close`` of the session after the decision.
    benchmarks : tuple of str
        Funds held alone; the first is the one that tracking error and information ratio refer to. They are rebalanced, that is
        their dividends are reinvested, in the sessions in which the strategies decide.
    balanced : tuple of str
        Equity and bond fund of the balanced benchmark, which exists where both have a bar in the first session.
    balanced_equity : float
        Weight of the equity fund in it. [fraction]
    bill_series : str
        Macro series of the bill that cash earns; empty if cash earns nothing.
    payment_lag : int
        When a dividend or liquidation pays if its date is not known: this many sessions later.
    absence : int
        Sessions without a bar after which a holding is taken to be delisted and sold at its last price.
    impact_model : str
        Law of market impact, as in `costs.IMPACT_MODELS`.
    impact_coefficient : float
        Y of the square-root law. [ratio]
    commission_rate : float
        Broker's commission. [fraction of value traded]
    unknown_half_spread : float
        Half-spread of a fund whose liquidity is not known; it then has no separate impact. [fraction]
    confidence : float
        Of the intervals.
    resamples : int
        Bootstrap resamples; 0 leaves the intervals unknown.
    block : float
        Mean length of a bootstrap block; 0 takes the length that the returns ask for. [sessions]
    seed : int
        Of the bootstrap.
    drawdown : float
        Smallest fall that is listed. [fraction]
    """

    initial_value: float = 1_000_000.0
    start: str = ""
    exchange: str = "XNYS"
    fill: str = "open"
    benchmarks: tuple[str, ...] = ("SPY",)
    balanced: tuple[str, ...] = ("SPY", "AGG")
    balanced_equity: float = 0.6
    bill_series: str = "TBILL13W"
    payment_lag: int = 10
    absence: int = 10
    impact_model: str = CostParameters.impact_model
    impact_coefficient: float = CostParameters.impact_coefficient
    commission_rate: float = CostParameters.commission_rate
    unknown_half_spread: float = 25 * BPS
    confidence: float = 0.95
    resamples: int = 1000
    block: float = 0.0
    seed: int = 20080915
    drawdown: float = 2 * PERCENT

    @property
    def costs(self) -> CostParameters:
        """Settings of the cost function."""
        return CostParameters(
            impact_model=self.impact_model, impact_coefficient=self.impact_coefficient, commission_rate=self.commission_rate
        )

    def __post_init__(self) -> None:
        if self.fill not in ("open", "close"):
            raise SettingsError(f"fill must be 'open' or 'close'; found '{self.fill}'.")
        if self.initial_value <= 0 or self.absence < 1 or self.payment_lag < 0:
            raise SettingsError(
                f"a ledger needs initial_value > 0, absence >= 1 and payment_lag >= 0; found {self.initial_value}, "
                f"{self.absence} and {self.payment_lag}."
            )
        if len(self.balanced) not in (0, 2):
            raise SettingsError(f"balanced names an equity and a bond fund, or nothing; found {self.balanced}.")
