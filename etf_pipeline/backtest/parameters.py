"""Settings of the backtest; the launchpad form is made from them."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import BPS, HOME_BOND, HOME_EQUITY, PERCENT, home_market
from etf_pipeline.costs import CostParameters
from etf_pipeline.errors import SettingsError


@dataclass(frozen=True)
class BacktestParameters:
    """How the ledger is kept, against what it is compared, and how sure the figures are.

    Attributes
    ----------
    initial_value : float
        Cash before the first fill, of benchmarks and of strategies that do not say what they begin with. [base currency]
    start : str
        First decision that counts (ISO date); empty for the first one there is.
    exchange : str
        Calendar of the ledger's sessions.
    currency : str
        Base currency, in which every fund held must be priced; empty for that of the exchange. [ISO 4217]
    fill : str
        ``open`` or ``close`` of the session after the decision.
    benchmarks : tuple of str
        Funds held alone; the first is the one that tracking error and information ratio refer to. They are rebalanced, that is
        their dividends are reinvested, in the sessions in which the strategies decide. ``home_equity`` and ``home_bond`` are
        the funds that `conventions.HOME_MARKETS` names for the exchange; where it names none, that benchmark is left out.
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
    delisting_haircut : float
        What such a sale takes off the last price; an ending with known terms takes nothing. For shares that were delisted for
        poor performance about 0.30 was found (T. Shumway, J. Finance 52, 1997); an ETF that closes pays out its net asset
        value, so that the default is none. [fraction]
    impact_model : str
        Law of market impact, as in `costs.IMPACT_MODELS`.
    impact_coefficient : float
        Y of the square-root law. [ratio]
    commission_rate : float
        Broker's commission. [fraction of value traded]
    lot : float
        Shares that orders are multiples of; 0 for fractions of a share. What rounding leaves stays in cash. [shares]
    minimum_ticket : float
        Smallest order; a holding that is not wanted any more is sold whatever it is worth. [base currency]
    borrow_limit : float
        Cash may be this far below zero, where targets add up to more than one. Shares are not sold short. [fraction of net asset
        value]
    borrow_spread : float
        What borrowed cash costs above the bill. [fraction per year]
    flows_at_once : bool
        Whether money that comes or goes is traded in proportion to what is held, in its own session, or waits in cash for the
        next rebalance. A withdrawal that cash and credit do not pay never waits.
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
    currency: str = ""
    benchmarks: tuple[str, ...] = (HOME_EQUITY,)
    balanced: tuple[str, ...] = (HOME_EQUITY, HOME_BOND)
    balanced_equity: float = 0.6
    bill_series: str = "TBILL13W"
    payment_lag: int = 10
    absence: int = 10
    delisting_haircut: float = 0.0
    impact_model: str = CostParameters.impact_model
    impact_coefficient: float = CostParameters.impact_coefficient
    commission_rate: float = CostParameters.commission_rate
    lot: float = 0.0
    minimum_ticket: float = 0.0
    borrow_limit: float = 0.0
    borrow_spread: float = 1.5 * PERCENT
    flows_at_once: bool = True
    unknown_half_spread: float = 25 * BPS
    confidence: float = 0.95
    resamples: int = 1000
    block: float = 0.0
    seed: int = 20080915
    drawdown: float = 2 * PERCENT

    @property
    def base_currency(self) -> str:
        """Currency of the ledger."""
        return self.currency or home_market(self.exchange).currency

    @property
    def benchmark_funds(self) -> tuple[str, ...]:
        """Tickers of the benchmarks."""
        return self._named(self.benchmarks)

    @property
    def balanced_funds(self) -> tuple[str, ...]:
        """Tickers of the balanced benchmark: two, or none where one is not named."""
        found = self._named(self.balanced)
        return found if len(found) == len(self.balanced) else ()

    def _named(self, words: tuple[str, ...]) -> tuple[str, ...]:
        if not {HOME_EQUITY, HOME_BOND} & set(words):
            return words
        home = home_market(self.exchange)
        funds = {HOME_EQUITY: home.equity, HOME_BOND: home.bond}
        return tuple(ticker for ticker in (funds.get(word, word) for word in words) if ticker)

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
        if min(self.lot, self.minimum_ticket, self.borrow_limit, self.borrow_spread) < 0.0:
            raise SettingsError(
                f"lot, minimum_ticket, borrow_limit and borrow_spread are not negative; found {self.lot}, {self.minimum_ticket}, "
                f"{self.borrow_limit} and {self.borrow_spread}."
            )
        if not 0.0 <= self.delisting_haircut < 1.0:
            raise SettingsError(f"delisting_haircut is a fraction of the last price, below 1; found {self.delisting_haircut}.")
        if len(self.balanced) not in (0, 2):
            raise SettingsError(f"balanced names an equity and a bond fund, or nothing; found {self.balanced}.")


SCREENS = ("strict", "all_listed")
"""Who may be chosen in the survivorship study."""


@dataclass(frozen=True)
class SurvivorshipParameters:
    """Which studies compare all funds with the survivors among them, and how sure their gaps are.

    Attributes
    ----------
    exchange : str
        Main exchange.
    currency : str
        Base currency; empty for that of the exchange. [ISO 4217]
    start : str
        First decision that counts (ISO date); empty for the first one there is.
    screens : tuple of str
        ``strict`` takes the members of `universe_membership`. ``all_listed`` takes every plain fund of the main exchange that
        has a bar and `min_history` of them, however small or thinly traded: the funds that end are mostly those, and strict
        screens have sold them long before.
    min_history : int
        Bars that a fund needs under ``all_listed``. [sessions]
    min_funds : int
        Survivors without which nothing is decided in a month.
    top : int
        Funds that the momentum rule holds.
    by_class : bool
        Whether equal weights are also studied within each asset class that lost a fund.
    enough_endings : int
        Funds that must have ended before a gap is called a bias, or none.
    absence : int
        Sessions without a bar after which a holding is sold at its last price; a fund without one in the last of them has ended.
    delisting_haircut : float
        What such a sale takes off the last price, as in `BacktestParameters`. [fraction]
    bill_series : str
        Macro series of the bill that cash earns; empty if cash earns nothing.
    confidence : float
        Of the intervals.
    resamples : int
        Bootstrap resamples; 0 leaves the intervals unknown.
    block : float
        Mean length of a bootstrap block; 0 takes the length that the returns ask for. [sessions]
    seed : int
        Of the bootstrap.
    """

    exchange: str = "XNYS"
    currency: str = ""
    start: str = ""
    screens: tuple[str, ...] = SCREENS
    min_history: int = 252
    min_funds: int = 2
    top: int = 10
    by_class: bool = True
    enough_endings: int = 30
    absence: int = 10
    delisting_haircut: float = 0.0
    bill_series: str = BacktestParameters.bill_series
    confidence: float = 0.95
    resamples: int = 1000
    block: float = 0.0
    seed: int = 20080915

    @property
    def backtest(self) -> BacktestParameters:
        """Settings of the ledgers."""
        return BacktestParameters(
            exchange=self.exchange,
            currency=self.currency,
            absence=self.absence,
            delisting_haircut=self.delisting_haircut,
            bill_series=self.bill_series,
        )

    def __post_init__(self) -> None:
        unknown = set(self.screens) - set(SCREENS)
        if unknown or self.min_funds < 1 or self.top < 1:
            raise SettingsError(
                f"survivorship needs screens among {SCREENS}, min_funds and top >= 1; found {sorted(unknown) or self.screens}, "
                f"{self.min_funds} and {self.top}."
            )
