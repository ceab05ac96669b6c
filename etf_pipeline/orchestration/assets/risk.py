"""Risk room: how much do funds move, and how much together?"""

from datetime import date

import pandas as pd

from etf_pipeline.recipes import Increment, Tables, makes
from etf_pipeline.risk import (
    CompositeParameters,
    CovarianceParameters,
    EvaluationParameters,
    GarchParameters,
    StabilityParameters,
    VolatilityParameters,
    out_of_reach,
)
from etf_pipeline.risk.beta import (
    BetaParameters,
    BetaStabilityParameters,
    ConditionalBetaParameters,
    MultiFactorParameters,
)
from etf_pipeline.risk.exposures import DriftParameters, ExposureParameters, PortfolioExposureParameters
from etf_pipeline.risk.volatility.estimators import HORIZON
from etf_pipeline.schemas.contract import to_polars

RETURNS = {"fct_returns": ("session", "ticker", "total_return")}
LISTED = {**RETURNS, "dim_etf": ("ticker", "exchange")}
LISTED_IGNORED = {
    "dim_etf": (
        "name", "category", "family", "traded_ticker", "expense_ratio", "inception", "asset_class", "currency", "is_geared",
    )
}  # fmt: skip
"""What may change of a fund without changing its volatilities: all but its exchange."""
VOLATILITY_DATED = {"garch_fits": "fit_session", "regimes": "session", "volatility_weights": "session"}
"""A fit, a regime and a weight count from their own day on."""


def _a_year_ended(inputs: Tables, made: Tables, since: date) -> bool:
    """Fits need the whole history: a night makes none, and the night of a year's end makes that year's."""
    return bool(made["garch_fits"].num_rows)


def _fits_out_of_reach(inputs: Tables, made: Tables, since: date) -> bool:
    return out_of_reach(to_polars(inputs["fct_returns"]), to_polars(inputs["garch_fits"]), since)


@makes("garch_fits", reads=RETURNS, increment=Increment(dated={"garch_fits": "fit_session"}, deepened=_a_year_ended))
def garch_fits(fct_returns: pd.DataFrame, before: pd.DataFrame, parameters: GarchParameters) -> pd.DataFrame:
    """GARCH(1,1), refitted each year on everything known by then."""
    from etf_pipeline.risk import garch_fits as fit

    return fit(fct_returns, parameters, before)


@makes(
    "volatility_outcomes",
    reads=LISTED,
    increment=Increment(
        lookback=lambda parameters: parameters.lookback + HORIZON,
        dated=VOLATILITY_DATED,
        ignored=LISTED_IGNORED,
        contested=_fits_out_of_reach,
    ),
)
def volatility_outcomes(
    fct_returns: pd.DataFrame,
    garch_fits: pd.DataFrame,
    regimes: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: VolatilityParameters,
) -> pd.DataFrame:
    """What was forecast for the 21 sessions before each month's end, and what came of it."""
    from etf_pipeline.risk import volatility_outcomes as compare

    return compare(fct_returns, garch_fits, regimes, parameters, funds=dim_etf)


@makes("volatility_weights")
def volatility_weights(volatility_outcomes: pd.DataFrame, parameters: CompositeParameters) -> pd.DataFrame:
    """Weights of the volatility estimators by their losses so far."""
    from etf_pipeline.risk import volatility_weights as weigh

    return weigh(volatility_outcomes, parameters)


@makes(
    "volatilities",
    reads=LISTED,
    increment=Increment(
        lookback=lambda parameters: parameters.lookback,
        dated=VOLATILITY_DATED,
        ignored=LISTED_IGNORED,
        contested=_fits_out_of_reach,
    ),
)
def volatilities(
    fct_returns: pd.DataFrame,
    garch_fits: pd.DataFrame,
    regimes: pd.DataFrame,
    volatility_weights: pd.DataFrame,
    dim_etf: pd.DataFrame,
    parameters: VolatilityParameters,
) -> pd.DataFrame:
    """Volatility forecasts of every fund and session; the EWMA stands in, flagged, where GARCH cannot."""
    from etf_pipeline.risk import volatilities as forecast

    return forecast(fct_returns, garch_fits, regimes, volatility_weights, parameters, funds=dim_etf)


@makes("volatility_evaluation")
def volatility_evaluation(
    volatility_outcomes: pd.DataFrame, volatility_weights: pd.DataFrame, parameters: EvaluationParameters
) -> pd.DataFrame:
    """Whether each volatility estimator beats a year's standard deviation, fund by fund and on all."""
    from etf_pipeline.risk import volatility_evaluation as judge

    return judge(volatility_outcomes, volatility_weights, parameters)


def _month_ends(raw_sessions: pd.DataFrame, universe_membership: pd.DataFrame) -> pd.DatetimeIndex:
    ends = raw_sessions[raw_sessions["is_main"] & raw_sessions["is_month_end"]]["session"]
    return pd.DatetimeIndex(sorted(set(ends) & set(universe_membership["session"])))


COVARIANCE_READS = {
    "fct_returns": ("session", "ticker", "total_return"),
    "universe_membership": ("session", "ticker", "member", "mean_traded_value"),
    "volatilities": ("session", "ticker", "volatility"),
}
RELEASED = {"raw_sessions": "session", "raw_factors": "available_at"}
"""From which day on a row of the undated inputs counts."""

THREE_MONTHS = 70
"""Sessions before the sample: the month that is judged, and the one before, with whose estimate it is compared."""


@makes(
    "covariances",
    "covariance_health",
    reads=COVARIANCE_READS,
    increment=Increment(lookback=lambda parameters: parameters.window, dated={**RELEASED, "covariance_health": "session"}),
)
def covariances(
    fct_returns: pd.DataFrame,
    universe_membership: pd.DataFrame,
    volatilities: pd.DataFrame,
    raw_factors: pd.DataFrame,
    raw_sessions: pd.DataFrame,
    parameters: CovarianceParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Covariance of the members at the last session of each month, when portfolios are rebalanced."""
    from etf_pipeline.risk import covariances as estimate

    ends = _month_ends(raw_sessions, universe_membership)
    return estimate(fct_returns, universe_membership, ends, parameters, volatilities=volatilities, factors=raw_factors)


@makes(
    "covariance_stability",
    reads=COVARIANCE_READS,
    increment=Increment(
        lookback=lambda parameters: parameters.window + THREE_MONTHS,
        dated={**RELEASED, "covariance_stability": "realised_session"},
    ),
)
def covariance_stability(
    fct_returns: pd.DataFrame,
    universe_membership: pd.DataFrame,
    volatilities: pd.DataFrame,
    raw_factors: pd.DataFrame,
    raw_sessions: pd.DataFrame,
    parameters: StabilityParameters,
) -> pd.DataFrame:
    """Condition, steadiness and next month's record of every covariance estimator, at each month's end."""
    from etf_pipeline.risk import covariance_stability as follow

    ends = _month_ends(raw_sessions, universe_membership)
    return follow(fct_returns, universe_membership, ends, parameters, volatilities=volatilities, factors=raw_factors)


@makes("covariance_tests")
def covariance_tests(covariance_stability: pd.DataFrame) -> pd.DataFrame:
    """Whether any covariance estimator beats the sample covariance out of sample."""
    from etf_pipeline.risk import covariance_tests as test

    return test(covariance_stability)


FACTORS_DATED = {"raw_factors": "available_at", "raw_sessions": "session"}
"""A factor matters from its publication on, a session from its own day on."""
DESCRIPTIVE = {"dim_etf": ("name", "family", "traded_ticker", "expense_ratio", "inception", "is_geared")}
"""What may change of a fund without changing its exposures."""


@makes(
    "factor_exposures",
    "factor_fits",
    increment=Increment(lookback=lambda parameters: parameters.lookback, dated=FACTORS_DATED, ignored=DESCRIPTIVE),
)
def factor_exposures(
    fct_returns: pd.DataFrame,
    raw_factors: pd.DataFrame,
    dim_etf: pd.DataFrame,
    raw_sessions: pd.DataFrame,
    parameters: ExposureParameters,
    before: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Loadings of every fund on the priced factors known at each month's end, with errors, alpha and share explained."""
    from etf_pipeline.risk.exposures import factor_exposures as fit

    return fit(fct_returns, raw_factors, dim_etf, raw_sessions, parameters, before)


@makes(
    "style_drift",
    increment=Increment(lookback=lambda parameters: parameters.lookback, dated=FACTORS_DATED, ignored=DESCRIPTIVE),
)
def style_drift(
    fct_returns: pd.DataFrame,
    raw_factors: pd.DataFrame,
    dim_etf: pd.DataFrame,
    raw_sessions: pd.DataFrame,
    parameters: DriftParameters,
    before: pd.DataFrame,
) -> pd.DataFrame:
    """Whether each fund's loadings of the last year differ from those of the years before, with Holm's correction."""
    from etf_pipeline.risk.exposures import style_drift as test

    return test(fct_returns, raw_factors, dim_etf, raw_sessions, parameters, before)


@makes(
    "portfolio_exposures",
    increment=Increment(lookback=lambda parameters: parameters.lookback, dated=FACTORS_DATED, ignored=DESCRIPTIVE),
)
def portfolio_exposures(
    target_weights: pd.DataFrame,
    fct_returns: pd.DataFrame,
    raw_factors: pd.DataFrame,
    dim_etf: pd.DataFrame,
    raw_sessions: pd.DataFrame,
    parameters: PortfolioExposureParameters,
    before: pd.DataFrame,
) -> pd.DataFrame:
    """Factor loadings of every strategy at each rebalance, beside those of its benchmarks, with shared errors."""
    from etf_pipeline.risk.exposures import portfolio_exposures as add_up

    return add_up(target_weights, fct_returns, raw_factors, dim_etf, raw_sessions, parameters, before)


BETA_READS = {
    "fct_returns": ("session", "ticker", "total_return"),
    "universe_membership": ("session", "ticker", "member"),
    "dim_etf": ("ticker", "exchange", "is_geared"),
}
BETA_DATED = {"raw_sessions": "session"}
BETA_IGNORED = {
    "dim_etf": ("name", "category", "family", "traded_ticker", "expense_ratio", "inception", "asset_class", "currency")
}
"""What may change of a fund without changing its betas."""
EVER = 365 * 40
"""A span that reaches before every series: a percentile is among all values so far. [calendar days]"""


@makes("betas", reads=BETA_READS, increment=Increment(lookback=lambda parameters: parameters.lookback, ignored=BETA_IGNORED))
def betas(
    fct_returns: pd.DataFrame,
    dim_etf: pd.DataFrame,
    fct_macro: pd.DataFrame,
    universe_membership: pd.DataFrame,
    parameters: BetaParameters,
) -> pd.DataFrame:
    """Rolling, exponentially weighted and shrunk beta of every fund and session to the market fund of its exchange."""
    from etf_pipeline.risk.beta import betas as estimate

    return estimate(fct_returns, dim_etf, fct_macro, universe_membership, parameters)


@makes(
    "conditional_betas",
    reads=BETA_READS,
    increment=Increment(
        lookback=lambda parameters: parameters.lookback,
        dated=BETA_DATED,
        ignored=BETA_IGNORED,
        spans={"fct_macro": lambda parameters: EVER},
    ),
)
def conditional_betas(
    fct_returns: pd.DataFrame,
    dim_etf: pd.DataFrame,
    fct_macro: pd.DataFrame,
    raw_sessions: pd.DataFrame,
    parameters: ConditionalBetaParameters,
) -> pd.DataFrame:
    """Beta of every fund in calm and stressed markets each quarter, with a test of the difference."""
    from etf_pipeline.risk.beta import conditional_betas as estimate

    return estimate(fct_returns, dim_etf, fct_macro, raw_sessions, parameters)


@makes(
    "multi_factor_betas",
    reads=BETA_READS,
    increment=Increment(lookback=lambda parameters: parameters.lookback, dated=BETA_DATED, ignored=BETA_IGNORED),
)
def multi_factor_betas(
    fct_returns: pd.DataFrame,
    dim_etf: pd.DataFrame,
    fct_macro: pd.DataFrame,
    raw_sessions: pd.DataFrame,
    parameters: MultiFactorParameters,
) -> pd.DataFrame:
    """Rolling betas of every fund to equity, rates, credit, commodity and gold together, at each month's end."""
    from etf_pipeline.risk.beta import multi_factor_betas as estimate

    return estimate(fct_returns, dim_etf, fct_macro, raw_sessions, parameters)


@makes(
    "beta_stability",
    reads=BETA_READS,
    increment=Increment(lookback=lambda parameters: parameters.lookback, dated=BETA_DATED, ignored=BETA_IGNORED),
)
def beta_stability(
    fct_returns: pd.DataFrame,
    dim_etf: pd.DataFrame,
    fct_macro: pd.DataFrame,
    raw_sessions: pd.DataFrame,
    parameters: BetaStabilityParameters,
) -> pd.DataFrame:
    """Tests each quarter of whether a fund's line on its market has moved: level by CUSUM, slope by the largest break."""
    from etf_pipeline.risk.beta import beta_stability as test

    return test(fct_returns, dim_etf, fct_macro, raw_sessions, parameters)
