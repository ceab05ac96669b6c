"""Settings of the portfolio room."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import PERCENT
from etf_pipeline.costs import CostParameters
from etf_pipeline.errors import SettingsError
from etf_pipeline.portfolio.limit_settings import benchmark_weights, group_settings

SCHEDULES = ("month_end", "week_end", "threshold")
"""What may ask for a decision."""

FRACTIONS = ("threshold", "no_trade_band", "drift_tolerance", "candidate_tolerance", "lower", "upper", "var_limit",
             "issuer_limit", "turnover_limit", "tracking_error_limit", "active_limit", "cvar_limit")  # fmt: skip
"""Settings between zero and one."""


@dataclass(frozen=True)
class PortfolioParameters:
    """What a portfolio may look like, and what is believed about returns.

    Attributes
    ----------
    strategies : tuple of str
        Which of ``max_sharpe``, ``mean_variance``, ``min_variance``, ``cvar``, ``risk_parity``, ``risk_budgeting``, ``hrp``,
        ``black_litterman``, ``score_ranking`` and ``equal_weight`` to build. With the ending ``_no_rule`` one that is among
        `ruled` trades whenever it is asked.
    ruled : tuple of str
        Strategies that trade only where it pays: when the gain over `horizon` exceeds `cost_hurdle` times the cost and a trade
        is larger than `no_trade_band`, or a limit is breached. The others trade whenever they are asked.
    schedule : tuple of str
        What asks for a decision: ``month_end``, ``week_end`` (the calendar's last session of each), ``threshold`` (a weight that
        drifted by more than `threshold`).
    threshold : float
        Drift of a weight from what was last decided, beyond which the schedule ``threshold`` asks. [fraction]
    no_trade_band : float
        While no weight is further than this from its target, nothing trades. [fraction]
    drift_tolerance : float
        How far prices may carry a weight above `upper` before the limit counts as breached. [fraction]
    candidate_tolerance : float
        How much a portfolio under the rule may hold in funds that are no candidates any more; beyond it the target is taken
        whatever it costs. A tenth is at most five holdings of the smallest size: one fund that lost its rank forces nothing, a
        portfolio that the scores no longer support does not stay; 1 for never. [fraction]
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
        A held fund stays a candidate while its score ranks this high, so that one place lost does not force a sale: twice
        `n_candidates`, as `sell_rank` is twice `n_buy`. [count]
    n_buy, sell_rank : int
        Score ranking buys the best `n_buy` funds and keeps a holding until its score ranks below `sell_rank`. [count], [rank]
    lower, upper : float
        Smallest and largest weight of a fund that is held. [fraction]
    group_limits : tuple of str
        Bounds on sums of weights: ``asset_class:bond>=0.10`` or ``<=``, with a column of `dim_etf`.
    issuer_limit : float
        Largest sum of the weights of one issuer (`dim_etf.family`); 1 for none. [fraction]
    turnover_limit : float
        Largest turnover of a rebalance; 1 for none. [fraction]
    benchmark : tuple of str
        ``SPY=0.6``: what tracking error and active weights are measured from; empty for none.
    tracking_error_limit : float
        Largest annual volatility of the difference to the benchmark; 0 for none. [fraction per year]
    active_limit : float
        Largest distance of a weight from its benchmark weight; 1 for none. [fraction]
    cvar_limit : float
        Largest one-day 95 % expected shortfall over realised returns; 0 for none. [fraction]
    scenario_window : int
        Sessions of realised returns that expected shortfall looks at. [sessions]
    risk_aversion : float
        Price of variance in mean-variance utility. [ratio]
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
    exchange : str
        Calendar of weeks and base currency.

    References
    ----------
    .. [1] R. C. Grinold and R. N. Kahn, *Active Portfolio Management*, 2nd ed., 2000.
    """

    strategies: tuple[str, ...] = (
        "max_sharpe",
        "max_sharpe_no_rule",
        "risk_parity",
        "min_variance",
        "score_ranking",
        "equal_weight",
    )
    ruled: tuple[str, ...] = ("max_sharpe", "min_variance")
    schedule: tuple[str, ...] = ("month_end",)
    threshold: float = 5 * PERCENT
    no_trade_band: float = 1 * PERCENT
    drift_tolerance: float = 2 * PERCENT
    candidate_tolerance: float = 10 * PERCENT
    engine: str = "clarabel"
    n_candidates: int = 30
    n_risk_parity: int = 15
    parity_correlation: float = 0.9
    keep_rank: int = 60
    n_buy: int = 15
    sell_rank: int = 30
    lower: float = 2 * PERCENT
    upper: float = 15 * PERCENT
    var_limit: float = 2 * PERCENT
    group_limits: tuple[str, ...] = ()
    issuer_limit: float = 1.0
    turnover_limit: float = 1.0
    benchmark: tuple[str, ...] = ()
    tracking_error_limit: float = 0.0
    active_limit: float = 1.0
    cvar_limit: float = 0.0
    scenario_window: int = 504
    risk_aversion: float = 4.0
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
    exchange: str = "XNYS"

    def __post_init__(self) -> None:
        check_parameters(self)

    def costs(self) -> CostParameters:
        """The settings of the one cost function."""
        return CostParameters(
            impact_model=self.impact_model,
            impact_coefficient=self.impact_coefficient,
            commission_rate=self.commission_rate,
        )


def check_parameters(chosen: PortfolioParameters) -> None:
    """Refuse settings that contradict each other.

    Raises
    ------
    SettingsError
        Naming the setting, what was found and what to write.
    """
    for name in FRACTIONS:
        value = getattr(chosen, name)
        if not 0.0 <= value <= 1.0:
            raise SettingsError(f"{name} is a fraction between 0 and 1; found {value:g}. Write 0.15 for 15 %.")
    if chosen.lower > chosen.upper:
        raise SettingsError(f"lower must not exceed upper; found {chosen.lower:g} and {chosen.upper:g}.")
    strange = [word for word in chosen.schedule if word not in SCHEDULES]
    if strange or not chosen.schedule:
        raise SettingsError(f"schedule needs one or more of {', '.join(SCHEDULES)}; found {strange or 'none'}.")
    if not 0 < chosen.n_buy <= chosen.sell_rank:
        raise SettingsError(f"sell_rank must be at least n_buy, and both positive; found {chosen.sell_rank} and {chosen.n_buy}.")
    if chosen.portfolio_value <= 0.0 or chosen.horizon < 1 or chosen.cost_hurdle < 0.0:
        raise SettingsError(
            f"portfolio_value and horizon are positive, cost_hurdle is not negative; found {chosen.portfolio_value:g}, "
            f"{chosen.horizon} and {chosen.cost_hurdle:g}."
        )
    for setting in group_settings(chosen.group_limits):
        if setting.lower == 0.0 and 0.0 < setting.upper < chosen.lower:
            raise SettingsError(
                f"group_limits: {setting.name} <= {setting.upper:g} is below the smallest holding {chosen.lower:g}. Exclude it."
            )
    weights = benchmark_weights(chosen.benchmark)
    if (chosen.tracking_error_limit > 0.0 or chosen.active_limit < 1.0) and not weights:
        raise SettingsError("tracking_error_limit and active_limit need a benchmark, such as SPY=0.6 and AGG=0.4.")
