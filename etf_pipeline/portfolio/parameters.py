"""Settings of the portfolio room."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import PERCENT
from etf_pipeline.costs import CostParameters


@dataclass(frozen=True)
class PortfolioParameters:
    """What a portfolio may look like, and what is believed about returns.

    Attributes
    ----------
    strategies : tuple of str
        Which of ``max_sharpe``, ``mean_variance``, ``min_variance``, ``cvar``, ``risk_parity``, ``risk_budgeting``, ``hrp``,
        ``black_litterman`` and ``equal_weight`` to build.
    engine : str
        Solver of max Sharpe: ``clarabel`` (ours: costs, VaR, zero-or-2-15 %) or ``riskfolio`` (without costs, a cross-check).
    n_candidates : int
        Funds that an optimised strategy chooses from: the best by score. [count]
    n_risk_parity : int
        Funds that risk parity holds. At thirty the smallest weight is 60 % of the mean one, and a floor that binds, not equal
        risk, sizes most holdings as soon as bonds and equities meet. [count]
    parity_correlation : float
        A fund joins risk parity only if its realised returns correlate less than this with every fund chosen before it:
        budgets are equal per source of risk, not per ticker. [correlation]
    keep_rank : int
        A held fund stays a candidate while its score ranks this high, so that one place lost does not force a sale. [count]
    lower, upper : float
        Smallest and largest weight of a fund that is held. [fraction]
    var_limit : float
        Largest one-day 95 % value at risk, zero-mean Gaussian. [fraction]
    twin_correlation : float
        Funds whose realised returns correlate above this track one exposure: at most one of them is held. [correlation]
    twin_window : int
        Sessions of those returns. [sessions]
    fallbacks : tuple of str
        What to try, in this order, when no portfolio meets every limit: ``relax`` (move the limits as little as possible),
        ``cash_blend`` (dilute with cash), ``min_variance_cash``, ``hold`` or ``cash``.
    shrinkage : float
        Weight of the prior in the expected return; 1 ignores the forecasts. Half-way is the plain average of two
        estimators whose relative errors are unknown. [fraction]
    prior_sharpe : float
        The prior: every fund earns this Sharpe ratio. About that of world equities since 1900. [ratio]
    information_coefficient : float
        Skill that the forecasts are credited with: correlation, across funds, of forecast and outcome. Walk-forward forecasts
        of ETFs reach 0.03-0.04 (table `forecast_windows`); 0.05 is called good [1]_. [correlation]
    max_view : float
        How far a forecast may move a fund's expected return from the prior, in standard deviations of a forecast of that
        skill. [ratio]
    horizon : int
        Holding horizon over which one-off costs are amortised. [sessions]
    cost_hurdle : float
        A trade must gain this many times its cost over the horizon. [ratio]
    portfolio_value : float
        Net asset value that market impact is computed for; as large as `BacktestParameters.initial_value`. [base currency]
    impact_model, impact_coefficient, commission_rate
        As `CostParameters`.

    References
    ----------
    .. [1] R. C. Grinold and R. N. Kahn, *Active Portfolio Management*, 2nd ed., 2000.
    """

    strategies: tuple[str, ...] = ("max_sharpe", "risk_parity", "equal_weight")
    engine: str = "clarabel"
    n_candidates: int = 30
    n_risk_parity: int = 15
    parity_correlation: float = 0.9
    keep_rank: int = 45
    lower: float = 2 * PERCENT
    upper: float = 15 * PERCENT
    var_limit: float = 2 * PERCENT
    twin_correlation: float = 0.995
    twin_window: int = 252
    fallbacks: tuple[str, ...] = ("cash_blend", "min_variance_cash", "hold")
    shrinkage: float = 0.5
    prior_sharpe: float = 0.3
    information_coefficient: float = 0.05
    max_view: float = 1.0
    horizon: int = 21
    cost_hurdle: float = 2.0
    portfolio_value: float = 1_000_000.0
    impact_model: str = CostParameters.impact_model
    impact_coefficient: float = CostParameters.impact_coefficient
    commission_rate: float = CostParameters.commission_rate

    def costs(self) -> CostParameters:
        """The settings of the one cost function."""
        return CostParameters(
            impact_model=self.impact_model,
            impact_coefficient=self.impact_coefficient,
            commission_rate=self.commission_rate,
        )
