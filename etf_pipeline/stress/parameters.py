"""Settings of the stress room."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import home_market
from etf_pipeline.errors import SettingsError


@dataclass(frozen=True)
class StressParameters:
    """Which windows are replayed, what stands in for missing history, and how scenarios are simulated.

    Attributes
    ----------
    scenarios : tuple of str
        Names in `SCENARIOS`; empty for all.
    market : str
        Fund that stands for the market; empty for that of the exchange in `conventions.HOME_MARKETS`.
    exchange : str
        Main exchange: betas need returns of the same hours, and of the portfolio's currency.
    proxies : tuple of str
        ``asset_class=TICKER``: fund that stands in for its class where one has no history in a window; the market does
        where that fund has none either. Empty for those of the exchange.
    beta_window : int
        Sessions, up to the rebalance, over which a fund's beta to its proxy is estimated.
    beta_minimum : int
        Returns below which the beta is taken to be 1.
    degrees_of_freedom : float
        Of the Student-t simulation. About 4 to 6 for daily index returns.
    horizon_short, horizon_long : int
        Of the simulations. [sessions]
    n_short, n_long : int
        Simulated scenarios for either.
    history : int
        Sessions of portfolio returns that the bootstraps draw from.
    block : float
        Mean length of a block of the bootstrap. [sessions]
    decay : float
        Of the exponentially weighted variance that filters returns (RiskMetrics: 0.94 a day).
    seed : int
        Of the simulations.
    """

    scenarios: tuple[str, ...] = ()
    market: str = ""
    exchange: str = "XNYS"
    proxies: tuple[str, ...] = ()
    beta_window: int = 504
    beta_minimum: int = 60
    degrees_of_freedom: float = 5.0
    horizon_short: int = 1
    horizon_long: int = 21
    n_short: int = 100_000
    n_long: int = 20_000
    history: int = 1260
    block: float = 21.0
    decay: float = 0.94
    seed: int = 20200316

    @property
    def market_fund(self) -> str:
        """The fund that stands for the market."""
        return self.market or home_market(self.exchange).equity

    @property
    def class_proxies(self) -> tuple[str, ...]:
        """``asset_class=TICKER`` pairs."""
        return self.proxies or home_market(self.exchange).proxies

    def __post_init__(self) -> None:
        if self.degrees_of_freedom <= 2.0:
            raise SettingsError(f"degrees_of_freedom must exceed 2, or there is no variance; found {self.degrees_of_freedom}.")
        bad = [pair for pair in self.proxies if pair.count("=") != 1]
        if bad:
            raise SettingsError(f"proxies are written asset_class=TICKER; found {bad}.")
        if not 1 <= self.horizon_short < self.horizon_long:
            raise SettingsError(f"horizons are sessions, 1 <= short < long; found {self.horizon_short} and {self.horizon_long}.")
