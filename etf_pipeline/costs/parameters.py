"""Settings of the costs room."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import BPS
from etf_pipeline.errors import SettingsError


@dataclass(frozen=True)
class CostParameters:
    """How trades are priced.

    Attributes
    ----------
    base_spread : float
        Full bid-ask spread of the most liquid member: the action plan's 5 bp for a liquid ETF. [fraction]
    least_liquid_multiple : float
        Spread of the least liquid member over `base_spread`; in between the multiple is linear in the Amihud rank. [ratio]
    impact_model : str
        ``square_root`` (default), or one of the action plan's formulas, ``plan_clipped`` and ``plan_volatility``.
    impact_coefficient : float
        Y of the square-root law: the impact, in daily volatilities, of an order as large as a session. About 1 in
        the literature; refit it from fills. The plan's formulas carry their own 0.1. [ratio]
    commission_rate : float
        Broker's commission: about a third of a cent per share at a price of 70. [fraction of value traded]
    fx_rate : float
        Cost of changing money for a trade in another currency than the portfolio's; not charged otherwise. Half of a major
        pair's interbank spread is about half a basis point [1]_, a broker's commission about a fifth; a bank may take fifty
        times that. [fraction of value traded]
    window : int
        Sessions of the mean traded value and of the Amihud measure. [sessions]
    reference_order : float
        Order behind `reference_cost`. [listing currency]

    References
    ----------
    .. [1] M. R. King, C. L. Osler, D. Rime, "The market microstructure approach to foreign exchange: looking back and looking
       forward," J. International Money and Finance 38, 2013. doi:10.1016/j.jimonfin.2013.05.004
    """

    base_spread: float = 5 * BPS
    least_liquid_multiple: float = 4.0
    impact_model: str = "square_root"
    impact_coefficient: float = 1.0
    commission_rate: float = 0.5 * BPS
    fx_rate: float = 1 * BPS
    window: int = 20
    reference_order: float = 100_000.0

    def __post_init__(self) -> None:
        rates = (self.base_spread, self.least_liquid_multiple, self.impact_coefficient, self.commission_rate, self.fx_rate)
        if not min(rates) >= 0.0:
            raise SettingsError(
                f"spreads, coefficients and rates of costs are not negative; found {rates} for base_spread, "
                "least_liquid_multiple, impact_coefficient, commission_rate and fx_rate."
            )


@dataclass(frozen=True)
class SpreadParameters:
    """How spreads are estimated from daily bars.

    Attributes
    ----------
    window : int
        Bars of an estimate. [sessions]
    estimators : tuple of str
        As in `costs.SPREAD_ESTIMATORS`.
    """

    window: int = 60
    estimators: tuple[str, ...] = ("edge", "abdi_ranaldo", "corwin_schultz")

    def __post_init__(self) -> None:
        if self.window < 5:
            raise SettingsError(f"a spread needs a window of at least 5 bars; found {self.window}.")


COST_PRESETS: dict[str, CostParameters] = {
    "square_root": CostParameters(),
    "plan_clipped": CostParameters(impact_model="plan_clipped"),
    "plan_volatility": CostParameters(impact_model="plan_volatility"),
    "quoted_spy": CostParameters(base_spread=0.5 * BPS),
    "free": CostParameters(base_spread=0.0, impact_coefficient=0.0, commission_rate=0.0, fx_rate=0.0),
}
"""Ways to price trades by name: the house's, the plan's two formulas, the house's at the spread that SPY's quotes show, and none.

Quotes of seven sessions of SPY have a median full spread of 0.6 bp in 2013 and 0.2 bp in 2023, one cent each time.
"""


def cost_preset(name: str) -> CostParameters:
    """The preset of that name.

    Raises
    ------
    SettingsError
        If there is none.

    Examples
    --------
    >>> cost_preset("plan_clipped").impact_model
    'plan_clipped'
    """
    if name not in COST_PRESETS:
        raise SettingsError(f"cost presets are {', '.join(COST_PRESETS)}; found '{name}'.")
    return COST_PRESETS[name]
