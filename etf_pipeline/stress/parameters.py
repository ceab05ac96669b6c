"""Settings of the stress room."""

from __future__ import annotations

import re
from dataclasses import dataclass

from etf_pipeline.conventions import SESSIONS_PER_YEAR, home_market
from etf_pipeline.errors import SettingsError
from etf_pipeline.stress.shocks import FACTORS

FACTOR = re.compile(rf"({'|'.join(FACTORS)})=[^=-]+(-[^=-]+)?")


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
    horizons : tuple of int
        Of the simulations, 1 to 252. Those beyond one session are read off the same paths. [sessions]
    copula_horizon : int
        Longest horizon of the simulations that draw every fund. [sessions]
    n_short, n_long : int
        Simulated scenarios of one session, and paths of the longer horizons.
    correlation_stress : float
        How far stressed simulations move correlations towards one, from 0 to below 1.
    history : int
        Sessions of portfolio returns that the bootstraps draw from.
    block : float
        Mean length of a block of the bootstrap. [sessions]
    decay : float
        Of the exponentially weighted variance that filters returns (RiskMetrics: 0.94 a day).
    seed : int
        Of the simulations.
    factors : tuple of str
        ``name=LONG`` or ``name=LONG-SHORT``: funds whose returns are the factors; those of `multi_factor_betas` as there.
        Factors whose funds are not listed are left out.
    yield_series, spread_series, vix_series : str
        Published series of the ten-year yield and the high-yield spread [percent] and of the VIX [points].
    week : int
        Sessions of the moves that the factors' covariance is estimated on. [sessions]
    minimum_weeks : int
        Weeks without which a factor has no place.
    crisis_vix : float
        Level of the VIX from which a week counts as crisis (that of the plan's bear regime). [points]
    crisis_weight : float
        Weight of the crisis sample in the factors' covariance, 0 to 1.
    crisis_minimum : int
        Weeks without which a sample says nothing.
    fit_window : int
        Sessions on which a portfolio's own line on the factors is fitted, for the error of its loadings. [sessions]
    reverse_losses : tuple of float
        Losses whose likeliest cause is sought. [fraction]
    reverse_horizon : int
        Over which they are lost. [sessions]
    """

    scenarios: tuple[str, ...] = ()
    market: str = ""
    exchange: str = "XNYS"
    proxies: tuple[str, ...] = ()
    beta_window: int = 504
    beta_minimum: int = 60
    degrees_of_freedom: float = 5.0
    horizons: tuple[int, ...] = (1, 21, 63, 252)
    copula_horizon: int = 21
    n_short: int = 100_000
    n_long: int = 10_000
    correlation_stress: float = 0.5
    history: int = 1260
    block: float = 21.0
    decay: float = 0.94
    seed: int = 20200316
    factors: tuple[str, ...] = (
        "equity=home_equity",
        "rates=IEF",
        "credit=HYG-IEF",
        "commodity=DBC",
        "gold=GLD",
        "oil=USO",
        "dollar=UUP",
    )
    yield_series: str = "DGS10"
    spread_series: str = "BAMLH0A0HYM2"
    vix_series: str = "VIX"
    week: int = 5
    minimum_weeks: int = 104
    crisis_vix: float = 25.0
    crisis_weight: float = 0.5
    crisis_minimum: int = 26
    fit_window: int = 252
    reverse_losses: tuple[float, ...] = (0.10, 0.20, 0.30)
    reverse_horizon: int = 21

    @property
    def series(self) -> dict[str, str]:
        """Published series by factor."""
        return {"rates": self.yield_series, "credit": self.spread_series, "vix": self.vix_series}

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
        if not self.horizons or min(self.horizons) < 1 or max(self.horizons) > SESSIONS_PER_YEAR:
            raise SettingsError(f"horizons are 1 to {SESSIONS_PER_YEAR} sessions; found {self.horizons}.")
        if not 0.0 <= self.correlation_stress < 1.0:
            raise SettingsError(f"correlation_stress lies in [0, 1): at one all funds are one; found {self.correlation_stress}.")
        if not 0.0 <= self.crisis_weight <= 1.0:
            raise SettingsError(f"crisis_weight lies between 0 and 1; found {self.crisis_weight}.")
        wrong = [text for text in self.factors if not FACTOR.fullmatch(text)]
        if wrong or "equity" not in {text.partition("=")[0] for text in self.factors}:
            raise SettingsError(
                f"factors are written name=LONG or name=LONG-SHORT with a name of {', '.join(FACTORS)}, equity among them; "
                f"found {wrong or list(self.factors)}."
            )
        if not self.reverse_losses or not all(0.0 < loss < 1.0 for loss in self.reverse_losses):
            raise SettingsError(f"reverse_losses lie between 0 and 1; found {self.reverse_losses}.")
