"""Risk room: volatilities that are forecasts, and covariances, as known at each close."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table


@table(room="risk", key=("ticker", "fit_session"), causality="causal", available="session_close")
class GarchFits(Table):
    """Yearly GARCH(1,1) fits: parameters, likelihood, or the reason for falling back."""

    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    fit_session: pl.Date = column("Last session of the fitting sample", unit="date")
    n: pl.Int64 = column("Returns in the sample", unit="count", ge=0)
    model: pl.String = column("`garch` or `gjr`, with its errors: `garch(1,1)-t`", unit="category")
    mu: pl.Float64 = column("Mean", unit="percent per session", nullable=True)
    omega: pl.Float64 = column("Constant of the variance", unit="percent squared", nullable=True)
    alpha: pl.Float64 = column("Weight of the last squared error", unit="ratio", nullable=True)
    gamma: pl.Float64 = column("What a fall adds to alpha; null in the symmetric model", unit="ratio", nullable=True)
    beta: pl.Float64 = column("Weight of the last variance", unit="ratio", nullable=True)
    nu: pl.Float64 = column("Degrees of freedom of the t errors; null for normal ones", unit="count", nullable=True)
    persistence: pl.Float64 = column("alpha + beta + gamma / 2", unit="ratio", nullable=True, ge=0, le=1)
    backcast: pl.Float64 = column("Starting variance, from the sample's first 75 returns", unit="percent squared", nullable=True)
    variance: pl.Float64 = column("Forecast for the session after the sample", unit="percent squared", nullable=True)
    log_likelihood: pl.Float64 = column("At the optimum", unit="nats", nullable=True)
    status: pl.String = column("`converged`, or why the EWMA stands in", unit="category")


@table(room="risk", key=("ticker", "session"), causality="causal", chunk="session")
class Volatilities(Table):
    """Annual volatility forecasts per fund and session."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    garch_21: pl.Float64 = column(
        "Root of 252 times the mean forecast variance of the next 21 sessions",
        unit="fraction per year",
        nullable=True,
        gt=0,
    )
    garch_63: pl.Float64 = column("The same over 63 sessions", unit="fraction per year", nullable=True, gt=0)
    garch_252: pl.Float64 = column("The same over 252 sessions", unit="fraction per year", nullable=True, gt=0)
    ewma: pl.Float64 = column("Exponentially weighted, lambda 0.94", unit="fraction per year", nullable=True, ge=0)
    realised_30: pl.Float64 = column("Standard deviation of 30 returns", unit="fraction per year", nullable=True, ge=0)
    realised_90: pl.Float64 = column("Standard deviation of 90 returns", unit="fraction per year", nullable=True, ge=0)
    realised_252: pl.Float64 = column("Standard deviation of 252 returns", unit="fraction per year", nullable=True, ge=0)
    regime_conditional: pl.Float64 = column(
        "Root mean square of the newest sessions in the present regime, shrunk to the EWMA while they are few",
        unit="fraction per year",
        nullable=True,
        ge=0,
    )
    composite: pl.Float64 = column(
        "Root of the estimators' variances combined by past QLIKE", unit="fraction per year", nullable=True, ge=0
    )
    volatility: pl.Float64 = column(
        "The forecast that later rooms use: GARCH, or EWMA where flagged", unit="fraction per year", nullable=True, ge=0
    )
    source: pl.String = column("`garch`, or `ewma:` with the reason, or `unknown`", unit="category")


@table(room="risk", key=("session", "ticker"), causality="causal", chunk="session", allow_empty=True)
class VolatilityOutcomes(Table):
    """Forecasts of 21 sessions beside the variance that followed, at each month's end."""

    session: pl.Date = column("Last session of the target, a month's end: the outcome is known at its close", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    origin: pl.Date = column("Session at whose close the forecasts were made, 21 rows before", unit="date")
    realised_variance: pl.Float64 = column(
        "252 / 21 times the sum of the 21 squared returns", unit="fraction squared per year", ge=0
    )
    garch_21: pl.Float64 = column("Forecast", unit="fraction per year", nullable=True, gt=0)
    ewma: pl.Float64 = column("Forecast", unit="fraction per year", nullable=True, ge=0)
    realised_30: pl.Float64 = column("Forecast", unit="fraction per year", nullable=True, ge=0)
    realised_90: pl.Float64 = column("Forecast", unit="fraction per year", nullable=True, ge=0)
    realised_252: pl.Float64 = column("Forecast", unit="fraction per year", nullable=True, ge=0)
    regime_conditional: pl.Float64 = column("Forecast", unit="fraction per year", nullable=True, ge=0)


@table(room="risk", key=("session", "estimator"), causality="causal", allow_empty=True)
class VolatilityWeights(Table):
    """Weights of the estimators in the composite, from losses known at each month's end."""

    session: pl.Date = column(
        "Month's end; the weights count from the session after, when every exchange has closed", unit="date"
    )
    estimator: pl.String = column("Column of `volatilities`", unit="category")
    weight: pl.Float64 = column("Weight of its variance", unit="fraction", ge=0, le=1)
    power: pl.Float64 = column("Power of the inverse loss that has served best so far", unit="ratio", ge=0)
    n: pl.Int64 = column("Outcomes of the month that every estimator had forecast", unit="count", gt=0)
    qlike_month: pl.Float64 = column("Mean loss of the month, winsorised", unit="nats", ge=0)
    qlike: pl.Float64 = column("Mean over the months so far", unit="nats", ge=0)


@table(room="risk", key=("estimator", "ticker"), causality="summary", allow_empty=True)
class VolatilityEvaluation(Table):
    """Each estimator's forecasts of 21 sessions on each fund, and on all (`all`), beside a year's standard deviation."""

    estimator: pl.String = column("Column of `volatilities`", unit="category")
    ticker: pl.String = column("Ticker, or `all`", unit="identifier")
    n: pl.Int64 = column("Monthly outcomes that both had forecast", unit="count", ge=0)
    qlike: pl.Float64 = column("Mean loss; of `all`, mean over sessions", unit="nats", nullable=True, ge=0)
    qlike_difference: pl.Float64 = column(
        "Mean loss of the 252-session standard deviation less its own", unit="nats", nullable=True
    )
    dm: pl.Float64 = column(
        "Diebold-Mariano statistic, small-sample corrected; positive where it lost less", unit="t", nullable=True
    )
    dm_p: pl.Float64 = column("Two-sided p-value", unit="probability", nullable=True, ge=0, le=1)
    dm_p_adjusted: pl.Float64 = column(
        "Holm's, over all funds and estimators; of `all`, over the estimators", unit="probability", nullable=True, ge=0, le=1
    )
    verdict: pl.String = column("At 5 % after Holm", unit="category", isin=["better", "worse", "no_difference", "too_few"])
    mz_intercept: pl.Float64 = column(
        "Mincer-Zarnowitz intercept; of `all`, in units of each fund's mean forecast",
        unit="fraction squared per year",
        nullable=True,
    )
    mz_slope: pl.Float64 = column("Mincer-Zarnowitz slope: 1 if right", unit="ratio", nullable=True)
    mz_slope_se: pl.Float64 = column("Its HAC standard error", unit="ratio", nullable=True, ge=0)
    mz_r2: pl.Float64 = column("Share of the realised variance's movement", unit="fraction", nullable=True, le=1)
    mz_p: pl.Float64 = column("p-value of intercept 0 and slope 1 together", unit="probability", nullable=True, ge=0, le=1)


@table(room="risk", key=("session", "ticker_1", "ticker_2"), causality="causal", chunk="session")
class Covariances(Table):
    """Covariance of the universe's members at each rebalance session, upper triangle with diagonal; `covariance_health` names the estimator."""

    session: pl.Date = column("Rebalance session", unit="date")
    ticker_1: pl.String = column("First ticker, never after the second", unit="identifier")
    ticker_2: pl.String = column("Second ticker", unit="identifier")
    covariance: pl.Float64 = column("Annual covariance of simple total returns", unit="fraction squared per year")


@table(room="risk", key=("session",), causality="causal")
class CovarianceHealth(Table):
    """How each covariance was estimated and whether it is fit to optimise on."""

    session: pl.Date = column("Rebalance session", unit="date")
    estimator: pl.String = column("Name in COVARIANCE_ESTIMATORS", unit="category")
    n_assets: pl.Int64 = column("Funds", unit="count", gt=0)
    n_sessions: pl.Int64 = column(
        "Sessions in the sample; those with released factors for `fama_french_factor`", unit="count", gt=0
    )
    shrinkage: pl.Float64 = column("Intensity, where the estimator shrinks", unit="fraction", nullable=True, ge=0, le=1)
    condition_number: pl.Float64 = column("Largest over smallest eigenvalue", unit="ratio", ge=1)
    excluded: pl.Int64 = column(
        "Members left out for too short a history in the sample, or a price that never moved in it", unit="count", ge=0
    )
    completed: pl.Int64 = column("Funds of these that enter by regression, having only a part of the sample", unit="count", ge=0)
    less_traded: pl.Int64 = column("Members left out because `max_funds` others traded more", unit="count", ge=0)
    repaired: pl.Boolean = column("Not definite as estimated: eigenvalues were clipped, variances kept", unit="flag")


@table(room="risk", key=("session", "estimator"), causality="realised", available="available_at", allow_empty=True)
class CovarianceStability(Table):
    """Every covariance estimator at each month's end on the same funds: condition, steadiness, and what the next month said."""

    session: pl.Date = column("Last session of a month: the sample's end", unit="date")
    estimator: pl.String = column("Name in COVARIANCE_ESTIMATORS", unit="category")
    realised_session: pl.Date = column("Last session of the month after, whose returns judge the estimate", unit="date")
    available_at: Instant = column("Close of that session: when the row is known", unit="UTC instant")
    n_assets: pl.Int64 = column("Funds, the same for all estimators", unit="count", gt=1)
    n_sessions: pl.Int64 = column("Sessions in the sample", unit="count", gt=0)
    shrinkage: pl.Float64 = column("Intensity, where the estimator shrinks", unit="fraction", nullable=True, ge=0, le=1)
    repaired: pl.Boolean = column("Not definite as estimated: eigenvalues were clipped, variances kept", unit="flag")
    condition_number: pl.Float64 = column("Largest over smallest eigenvalue of the correlation matrix", unit="ratio", ge=1)
    effective_rank: pl.Float64 = column("Exponential of the entropy of its eigenvalues' shares", unit="count", ge=1)
    first_share: pl.Float64 = column("Share of its first eigenvalue", unit="fraction", gt=0, le=1)
    first_share_change: pl.Float64 = column("Change of that share since the month before", unit="fraction", nullable=True)
    leading_angle: pl.Float64 = column(
        "Largest angle between its leading eigenvectors' space and that of the month before", unit="radians", nullable=True, ge=0
    )
    expected_volatility: pl.Float64 = column(
        "Of the fully invested portfolio of least variance, by the estimate itself", unit="fraction per year", ge=0
    )
    min_variance_volatility: pl.Float64 = column(
        "The same portfolio's volatility in the month after", unit="fraction per year", nullable=True, ge=0
    )
    gross_exposure: pl.Float64 = column("Sum of its absolute weights", unit="ratio", ge=0)
    balanced_volatility: pl.Float64 = column(
        "Volatility in the month after of the long-only portfolio of least variance of funds geared to equal volatility, in units of one of them",
        unit="ratio",
        nullable=True,
        ge=0,
    )
    log_likelihood: pl.Float64 = column(
        "Of the month's returns under a normal law, per session and fund", unit="nats", nullable=True
    )


@table(room="risk", key=("estimator", "measure"), causality="summary", allow_empty=True)
class CovarianceTests(Table):
    """Each covariance estimator against the sample covariance: paired by month, errors that allow for dependence, Holm's correction."""

    estimator: pl.String = column("Name in COVARIANCE_ESTIMATORS", unit="category")
    measure: pl.String = column("Outcome in `covariance_stability`", unit="category")
    n: pl.Int64 = column("Months in which it is known", unit="count", ge=0)
    mean: pl.Float64 = column("Mean; of a volatility the geometric one", unit="as the measure", nullable=True)
    ci_low: pl.Float64 = column("Lower end of its 95 % interval", unit="as the measure", nullable=True)
    ci_high: pl.Float64 = column("Upper end of its 95 % interval", unit="as the measure", nullable=True)
    difference: pl.Float64 = column(
        "Mean difference from the sample covariance in the same months, of a volatility in logarithms",
        unit="log ratio or nats",
        nullable=True,
    )
    difference_low: pl.Float64 = column("Lower end of its 95 % interval", unit="log ratio or nats", nullable=True)
    difference_high: pl.Float64 = column("Upper end of its 95 % interval", unit="log ratio or nats", nullable=True)
    t: pl.Float64 = column("Difference over its error", unit="ratio", nullable=True)
    p: pl.Float64 = column("Two-sided p of no difference", unit="probability", nullable=True, ge=0, le=1)
    p_holm: pl.Float64 = column("Corrected for all tests of the table", unit="probability", nullable=True, ge=0, le=1)
    verdict: pl.String = column(
        "What stands after correction",
        unit="category",
        isin=["better", "worse", "no_difference", "insufficient", "reference"],
    )


@table(room="risk", key=("ticker", "session", "factor"), causality="causal", chunk="session", allow_empty=True)
class FactorExposures(Table):
    """Loadings of every fund on the priced factors that had been published by each month's end. Empty where nobody gives factors."""

    session: pl.Date = column("Last session of a month of the main exchange", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    factor: pl.String = column("MKT_RF, SMB, HML, RMW, CMA or MOM, of the region in factor_fits", unit="identifier")
    loading: pl.Float64 = column("Return of the fund per return of the factor, the others held fast", unit="ratio")
    error: pl.Float64 = column("Standard error by Newey and West", unit="ratio", ge=0)
    t: pl.Float64 = column("Loading over its error; unknown where that is nothing", unit="ratio", nullable=True)


@table(room="risk", key=("ticker", "session"), causality="causal", chunk="session", allow_empty=True)
class FactorFits(Table):
    """How well factors explain each fund, which region's they are, and how old the newest of them was."""

    session: pl.Date = column("Last session of a month of the main exchange", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    region: pl.String = column("Region whose factors are used", unit="identifier")
    match: pl.String = column(
        "`own`: the fund's region; `us_only`: another region's shares, whose factors are not here; `not_equity`: bonds, "
        "commodities, currencies, alternatives; `unclassified`",
        unit="category",
        isin=["own", "us_only", "not_equity", "unclassified"],
    )
    reason: pl.String = column("Why these factors", unit="text")
    is_weak: pl.Boolean = column("Factors explain less than a stated share (half): read the loadings with care", unit="flag")
    alpha: pl.Float64 = column("Return that the factors leave over", unit="fraction per year")
    alpha_error: pl.Float64 = column("Its standard error by Newey and West", unit="fraction per year", ge=0)
    r_squared: pl.Float64 = column("Share of the variance explained", unit="fraction", nullable=True, le=1)
    residual_volatility: pl.Float64 = column("Volatility that the factors leave over", unit="fraction per year", ge=0)
    n: pl.Int64 = column("Returns in the sample", unit="count", gt=0)
    factor_session: pl.Date = column("Newest factor session that had been published: the sample's end", unit="date")
    lag: pl.Int64 = column("How far it lies back", unit="sessions", ge=0)


@table(room="risk", key=("ticker", "session"), causality="causal", chunk="session", allow_empty=True)
class StyleDrift(Table):
    """Whether the loadings of a fund's last year differ from those of the years before by more than chance and habit."""

    session: pl.Date = column("Last session of a month of the main exchange", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    statistic: pl.Float64 = column("Wald statistic over the number of factors", unit="ratio", nullable=True, ge=0)
    habit: pl.Float64 = column(
        "How much more than chance the loadings moved among earlier windows, or half-way to the median fund if that is more; at least 1",
        unit="ratio",
        nullable=True,
        ge=1,
    )
    p: pl.Float64 = column(
        "P-value of statistic over habit; unknown where factors do not explain the fund",
        unit="probability",
        nullable=True,
        ge=0,
        le=1,
    )
    p_holm: pl.Float64 = column("Corrected for all funds tested at the session", unit="probability", nullable=True, ge=0, le=1)
    n_tests: pl.Int64 = column("Funds tested at the session", unit="count", ge=0)
    distance: pl.Float64 = column(
        "Tracking error between the old and the new factor portfolio", unit="fraction per year", nullable=True, ge=0
    )
    alarm: pl.Boolean = column("Certain beyond chance, and large enough to matter", unit="flag")
    moved_factor: pl.String = column("Factor whose loading moved most, by its error", unit="identifier")
    loading_before: pl.Float64 = column("Its mean loading in the earlier windows", unit="ratio")
    loading_now: pl.Float64 = column("Its loading in the last year", unit="ratio")
    r_squared_before: pl.Float64 = column("Largest share explained in an earlier window", unit="fraction", nullable=True, le=1)
    r_squared_now: pl.Float64 = column("Share explained in the last year", unit="fraction", nullable=True, le=1)
    reason: pl.String = column("The verdict in words", unit="text")


@table(
    room="risk",
    key=("strategy", "benchmark", "session", "factor"),
    causality="causal",
    chunk="session",
    allow_empty=True,
)
class PortfolioExposures(Table):
    """Loadings of each strategy's weights beside a benchmark's, with the errors that their funds share."""

    session: pl.Date = column("Rebalance session that is a month's end", unit="date")
    strategy: pl.String = column("Strategy", unit="identifier")
    benchmark: pl.String = column("Fund or strategy that it is held against", unit="identifier")
    factor: pl.String = column("MKT_RF, SMB, HML, RMW, CMA or MOM of the US", unit="identifier")
    loading: pl.Float64 = column(
        "Weighted mean over funds with known exposures and cash; unknown where these are too few", unit="ratio", nullable=True
    )
    error: pl.Float64 = column("Standard error of the loading by Newey and West", unit="ratio", nullable=True, ge=0)
    benchmark_loading: pl.Float64 = column("Loading of the benchmark", unit="ratio", nullable=True)
    active: pl.Float64 = column("Loading less that of the benchmark", unit="ratio", nullable=True)
    active_error: pl.Float64 = column("Standard error of the difference", unit="ratio", nullable=True, ge=0)
    coverage: pl.Float64 = column("Weight with known exposures, cash included", unit="fraction", ge=0)
    benchmark_coverage: pl.Float64 = column("The same of the benchmark", unit="fraction", ge=0)
    factor_session: pl.Date = column("Newest factor session that had been published: the sample's end", unit="date")


@table(room="risk", key=("ticker", "session"), causality="causal", chunk="session")
class Betas(Table):
    """How far each fund moved with the market fund of its exchange over the last year: rolling, weighted and shrunk."""

    session: pl.Date = column("Exchange session", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    beta: pl.Float64 = column("Covariance with the market over its variance, 252 sessions", unit="ratio", nullable=True)
    beta_error: pl.Float64 = column("Standard error of least squares", unit="ratio", nullable=True, ge=0)
    beta_error_robust: pl.Float64 = column(
        "The same for residuals of changing variance (White)", unit="ratio", nullable=True, ge=0
    )
    r_squared: pl.Float64 = column("Share of the variance explained", unit="fraction", nullable=True, ge=0, le=1)
    residual_volatility: pl.Float64 = column(
        "Volatility that the market leaves over", unit="fraction per year", nullable=True, ge=0
    )
    n: pl.Int64 = column("Known pairs of returns in the window", unit="count", ge=0)
    beta_ewma: pl.Float64 = column("Exponentially weighted, half-life 63 sessions", unit="ratio", nullable=True)
    beta_vasicek: pl.Float64 = column(
        "Drawn towards the mean of the session's members by precision; a geared fund's stays", unit="ratio", nullable=True
    )


@table(room="risk", key=("ticker", "session"), causality="causal", chunk="session", allow_empty=True)
class ConditionalBetas(Table):
    """Whether each fund's beta moves with the fear of the session before: five years to each quarter's end."""

    session: pl.Date = column("Last session of a quarter", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    beta_calm: pl.Float64 = column("Beta after a VIX at its 10th percentile so far", unit="ratio", nullable=True)
    beta_stressed: pl.Float64 = column("Beta after a VIX at its 90th percentile so far", unit="ratio", nullable=True)
    interaction: pl.Float64 = column("Change of beta over the whole range of percentiles", unit="ratio", nullable=True)
    hac_error: pl.Float64 = column("Its standard error by Newey and West", unit="ratio", nullable=True, ge=0)
    t: pl.Float64 = column("Interaction over its error", unit="ratio", nullable=True)
    p: pl.Float64 = column("Two-sided p of no change", unit="probability", nullable=True, ge=0, le=1)
    p_holm: pl.Float64 = column("Corrected for all funds of the session", unit="probability", nullable=True, ge=0, le=1)
    n: pl.Int64 = column("Sessions in the sample", unit="count", ge=0)
    verdict: pl.String = column(
        "What stands after correction",
        unit="category",
        isin=["higher_in_stress", "lower_in_stress", "no_difference", "insufficient"],
    )


@table(room="risk", key=("ticker", "session", "factor"), causality="causal", chunk="session", allow_empty=True)
class MultiFactorBetas(Table):
    """Betas of each fund to several tradable factors at once, one year to each month's end, not orthogonalised."""

    session: pl.Date = column("Last session of a month", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    factor: pl.String = column("Factor, by the name that the settings give it", unit="identifier")
    beta: pl.Float64 = column("Return per return of the factor while the others stand still", unit="ratio")
    error: pl.Float64 = column("Standard error by Newey and West", unit="ratio", ge=0)
    t: pl.Float64 = column("Beta over its error; unknown where the fund is made of the factors", unit="ratio", nullable=True)
    vif: pl.Float64 = column(
        "Variance of the beta for the factors' moving together, over that without", unit="ratio", nullable=True
    )
    r_squared: pl.Float64 = column("Share of the variance that all factors explain", unit="fraction", nullable=True, le=1)
    n: pl.Int64 = column("Sessions in the sample", unit="count", gt=0)
    model: pl.String = column("Factors that were known well enough in the window", unit="identifier")


@table(room="risk", key=("ticker", "session", "test"), causality="causal", chunk="session", allow_empty=True)
class BetaStability(Table):
    """Whether each fund's line on its market has moved: five years to each quarter's end, two tests."""

    session: pl.Date = column("Last session of a quarter", unit="date")
    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    test: pl.String = column(
        "`sup_f`: largest robust Wald statistic of a break in beta; `cusum`: recursive residuals added up, which watch the level",
        unit="category",
        isin=["cusum", "sup_f"],
    )
    statistic: pl.Float64 = column("Test statistic", unit="ratio", nullable=True, ge=0)
    critical_value: pl.Float64 = column("What chance reaches in 5 % of single tests", unit="ratio", gt=0)
    p: pl.Float64 = column("Chance to get as far without a break", unit="probability", nullable=True, ge=0, le=1)
    p_holm: pl.Float64 = column("Corrected for all funds of the session and test", unit="probability", nullable=True, ge=0, le=1)
    break_session: pl.Date = column(
        "`sup_f`: first session of the new beta, an estimate; `cusum`: where the sum reached farthest", unit="date", nullable=True
    )
    beta_before: pl.Float64 = column("Beta before the likeliest break", unit="ratio", nullable=True)
    beta_after: pl.Float64 = column("Beta since", unit="ratio", nullable=True)
    n: pl.Int64 = column("Sessions in the sample", unit="count", ge=0)
    verdict: pl.String = column("What stands after correction", unit="category", isin=["stable", "unstable", "insufficient"])
