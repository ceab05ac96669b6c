"""Reports room: what people read. SQL over marts and results."""

from __future__ import annotations

import polars as pl

from etf_pipeline.schemas.contract import Instant, Table, column, table


@table(room="reports", key=("table_name", "column_name"), causality="summary")
class DataDictionary(Table):
    """Every column of every table, from the contracts."""

    table_name: pl.String = column("Table", unit="identifier")
    column_name: pl.String = column("Column", unit="identifier")
    position: pl.Int64 = column("Place in the table, from 1", unit="count", ge=1)
    room: pl.String = column("Room that makes the table", unit="identifier")
    type: pl.String = column("Stored type", unit="identifier")
    unit: pl.String = column("Unit", unit="text")
    is_key: pl.Boolean = column("Part of the key", unit="flag")
    may_be_unknown: pl.Boolean = column("May be null", unit="flag")
    causality: pl.String = column("What later data may do to a row", unit="category")
    description: pl.String = column("Meaning", unit="text")


@table(room="reports", key=("strategy", "ticker"), causality="summary")
class RptCurrentWeights(Table):
    """The newest target weights with forecast, volatility, score, regime and cost: why each fund is held."""

    strategy: pl.String = column("Strategy", unit="identifier")
    ticker: pl.String = column("Ticker, or CASH", unit="identifier")
    session: pl.Date = column("Decided at this session's close", unit="date")
    name: pl.String = column("Fund name", unit="text", nullable=True)
    asset_class: pl.String = column("Broad class", unit="category", nullable=True)
    weight: pl.Float64 = column("Target weight", unit="fraction")
    previous_weight: pl.Float64 = column("Weight before", unit="fraction")
    trade: pl.Float64 = column("Target less previous weight", unit="fraction")
    expected_return: pl.Float64 = column("Annual expected return the optimiser used", unit="fraction per year", nullable=True)
    forecast: pl.Float64 = column("Bias-corrected ensemble forecast", unit="fraction per horizon", nullable=True)
    volatility: pl.Float64 = column("Annual volatility forecast", unit="fraction per year", nullable=True)
    risk_contribution: pl.Float64 = column("Share of the portfolio's variance", unit="fraction", nullable=True)
    score: pl.Float64 = column("Composite score", unit="z-score", nullable=True)
    rank: pl.Int64 = column("Rank of the score, 1 is best", unit="count", nullable=True)
    forecast_part: pl.Float64 = column("What the forecast adds to the score", unit="z-score", nullable=True)
    momentum_part: pl.Float64 = column("What momentum adds", unit="z-score", nullable=True)
    risk_part: pl.Float64 = column("What volatility adds", unit="z-score", nullable=True)
    liquidity_part: pl.Float64 = column("What traded value adds", unit="z-score", nullable=True)
    cost_part: pl.Float64 = column("What the cost of trading adds", unit="z-score", nullable=True)
    macro_part: pl.Float64 = column("What the macro state adds", unit="z-score", nullable=True)
    geo_part: pl.Float64 = column("What the geopolitical state adds", unit="z-score", nullable=True)
    macro_as_of: pl.Date = column("Oldest reference period among the macro inputs", unit="date", nullable=True)
    geo_as_of: pl.Date = column("Reference period of the geopolitical input", unit="date", nullable=True)
    half_spread: pl.Float64 = column("Half-spread", unit="fraction", nullable=True)
    cost: pl.Float64 = column("One-off cost of the trade", unit="fraction of net asset value")
    regime: pl.String = column("Market state", unit="category", nullable=True)
    stressed: pl.Float64 = column("Filtered probability of the market's stressed state", unit="fraction", nullable=True)


@table(room="reports", key=("subject", "against"), causality="summary", allow_empty=True)
class RptScoring(Table):
    """Adaptive weights of the score against others: differences on the same sessions, and what they decide."""

    subject: pl.String = column("Weighting that adapts", unit="category")
    against: pl.String = column("Weighting it is held against", unit="category")
    sessions: pl.Int64 = column("Sessions whose outcome both know", unit="sessions")
    ic: pl.Float64 = column("Mean rank correlation of score and outcome", unit="correlation", nullable=True)
    ic_against: pl.Float64 = column("The same of the other", unit="correlation", nullable=True)
    ic_difference: pl.Float64 = column("Their difference", unit="correlation", nullable=True)
    ic_ci_low: pl.Float64 = column("95 % interval of the difference", unit="correlation", nullable=True)
    ic_ci_high: pl.Float64 = column("95 % interval of the difference", unit="correlation", nullable=True)
    ic_p_adjusted: pl.Float64 = column("Two-sided, after Holm's correction", unit="probability", nullable=True)
    ic_within_class_difference: pl.Float64 = column("Difference within asset classes", unit="correlation", nullable=True)
    ic_within_class_p_adjusted: pl.Float64 = column("Two-sided, after Holm's correction", unit="probability", nullable=True)
    top_excess_difference: pl.Float64 = column(
        "Difference of what the best fifth returned above all", unit="fraction per horizon", nullable=True
    )
    top_excess_p_adjusted: pl.Float64 = column("Two-sided, after Holm's correction", unit="probability", nullable=True)
    turnover: pl.Float64 = column("One-way, best ten funds once a month", unit="fraction per year", nullable=True)
    turnover_against: pl.Float64 = column("The same of the other", unit="fraction per year", nullable=True)
    ic_difference_bull: pl.Float64 = column("Difference of rank correlations in bull markets", unit="correlation", nullable=True)
    ic_difference_bear: pl.Float64 = column("In bear markets", unit="correlation", nullable=True)
    ic_difference_sideways: pl.Float64 = column("In sideways markets", unit="correlation", nullable=True)
    verdict_bull: pl.String = column("Verdict on rank correlations in bull markets", unit="category")
    verdict_bear: pl.String = column("In bear markets", unit="category")
    verdict_sideways: pl.String = column("In sideways markets", unit="category")
    verdict_ic: pl.String = column("Verdict on rank correlations across all funds", unit="category")
    verdict_within_class: pl.String = column("Verdict on those within asset classes", unit="category")
    verdict_top_excess: pl.String = column("Verdict on the best fifth", unit="category")
    note: pl.String = column("What a reader should know", unit="text")
    verdict: pl.String = column("By ranks within asset classes and the best fifth; none where they disagree", unit="category")


@table(room="reports", key=("strategy", "cost_basis"), causality="summary")
class RptPerformance(Table):
    """Backtest measures per strategy before and after costs, the Sharpe ratio with its 95 % interval."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    cost_basis: pl.String = column("`gross` or `net`", unit="category")
    start: pl.Date = column("First session", unit="date")
    end: pl.Date = column("Last session", unit="date")
    cagr: pl.Float64 = column("Compound annual growth", unit="fraction per year", nullable=True)
    volatility: pl.Float64 = column("Annual volatility", unit="fraction per year", nullable=True)
    sharpe: pl.Float64 = column("Annual Sharpe ratio over the bill", unit="ratio", nullable=True)
    sharpe_low: pl.Float64 = column("Lower end of its 95 % interval", unit="ratio", nullable=True)
    sharpe_high: pl.Float64 = column("Upper end of its 95 % interval", unit="ratio", nullable=True)
    sortino: pl.Float64 = column("Annual Sortino ratio", unit="ratio", nullable=True)
    calmar: pl.Float64 = column("CAGR over largest drawdown", unit="ratio", nullable=True)
    max_drawdown: pl.Float64 = column("Largest drawdown, positive", unit="fraction", nullable=True)
    cvar_95: pl.Float64 = column("Daily 95 % expected shortfall, historical, positive", unit="fraction", nullable=True)
    beta: pl.Float64 = column("Slope on the first benchmark", unit="ratio", nullable=True)
    alpha: pl.Float64 = column("Mean excess return that beta leaves", unit="fraction per year", nullable=True)
    alpha_low: pl.Float64 = column("Lower end of its 95 % interval", unit="fraction per year", nullable=True)
    alpha_high: pl.Float64 = column("Upper end of its 95 % interval", unit="fraction per year", nullable=True)
    turnover: pl.Float64 = column("One-way turnover", unit="fraction per year", nullable=True)
    cost_drag: pl.Float64 = column("Annual growth before costs less after", unit="fraction per year", nullable=True)
    sharpe_minus_market: pl.Float64 = column("Sharpe ratio less the first benchmark's", unit="ratio", nullable=True)
    sharpe_minus_market_p: pl.Float64 = column(
        "Two-sided p-value that the two are equal (Ledoit and Wolf)", unit="probability", nullable=True, ge=0, le=1
    )
    sharpe_minus_equal_weight: pl.Float64 = column(
        "Sharpe ratio less equal weights', that is without optimisation", unit="ratio", nullable=True
    )
    sharpe_minus_equal_weight_p: pl.Float64 = column(
        "Two-sided p-value that the two are equal (Ledoit and Wolf)", unit="probability", nullable=True, ge=0, le=1
    )
    sharpe_minus_no_rule: pl.Float64 = column(
        "Sharpe ratio less the optimiser's without its rebalancing rule", unit="ratio", nullable=True
    )
    sharpe_minus_no_rule_p: pl.Float64 = column(
        "Two-sided p-value that the two are equal (Ledoit and Wolf)", unit="probability", nullable=True, ge=0, le=1
    )
    sharpe_minus_score_ranking: pl.Float64 = column("Sharpe ratio less plain score ranking's", unit="ratio", nullable=True)
    sharpe_minus_score_ranking_p: pl.Float64 = column(
        "Two-sided p-value that the two are equal (Ledoit and Wolf)", unit="probability", nullable=True, ge=0, le=1
    )
    cost_bps: pl.Float64 = column("Costs charged per value traded", unit="basis points", nullable=True)
    break_even_cost_bps: pl.Float64 = column(
        "Costs per value traded at which it earns what cash does; unknown where it is behind without costs",
        unit="basis points",
        nullable=True,
    )
    break_even_market: pl.Float64 = column(
        "Multiple of the costs at which it grows as the first benchmark; unknown where it is behind without costs",
        unit="ratio",
        nullable=True,
    )
    break_even_equal_weight: pl.Float64 = column("The same against equal weights", unit="ratio", nullable=True)


@table(room="reports", key=("strategy", "month"), causality="summary")
class RptNavMonthly(Table):
    """Net asset value at the last session of each month, after costs."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    month: pl.Date = column("First day of the month", unit="date")
    session: pl.Date = column("Last session of the month", unit="date")
    nav: pl.Float64 = column("Net asset value", unit="base currency")
    monthly_return: pl.Float64 = column("Return over the month", unit="fraction", nullable=True)


@table(room="reports", key=("strategy", "place"), causality="summary", allow_empty=True)
class RptDrawdowns(Table):
    """The ten deepest drawdowns of each strategy after costs."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    place: pl.Int64 = column("1 is the deepest", unit="count")
    peak: pl.Date = column("Last session at the high", unit="date")
    trough: pl.Date = column("Session of the low", unit="date")
    recovery: pl.Date = column("First session back; unknown while open", unit="date", nullable=True)
    depth: pl.Float64 = column("Fall, positive", unit="fraction")
    sessions_under: pl.Int64 = column("Peak to recovery", unit="sessions")
    is_open: pl.Boolean = column("Not yet recovered", unit="flag")


@table(room="reports", key=("strategy", "place"), causality="summary")
class RptStress(Table):
    """Stress results of each strategy's current weights, the worst first, with the fund and the factor that hurt most."""

    strategy: pl.String = column("Strategy", unit="identifier")
    place: pl.Int64 = column("1 is the worst scenario; simulations come after the scenarios", unit="count")
    scenario: pl.String = column("Scenario", unit="identifier")
    title: pl.String = column("In words", unit="text")
    kind: pl.String = column("replay, factor_shock or monte_carlo", unit="category")
    horizon: pl.Int64 = column("Sessions", unit="sessions")
    profit: pl.Float64 = column("Return of the portfolio; for a simulation minus its CVaR", unit="fraction")
    low: pl.Float64 = column("Lower end of its 95 % interval", unit="fraction", nullable=True)
    high: pl.Float64 = column("Upper end of its 95 % interval", unit="fraction", nullable=True)
    standard_error: pl.Float64 = column("Simulation error", unit="fraction", nullable=True)
    coverage: pl.Float64 = column("Weight with own history in the window", unit="fraction")
    worst_ticker: pl.String = column("Fund with the lowest contribution", unit="identifier", nullable=True)
    worst_contribution: pl.Float64 = column("Its contribution", unit="fraction", nullable=True)
    worst_factor: pl.String = column("Factor with the lowest contribution", unit="identifier", nullable=True)
    worst_factor_contribution: pl.Float64 = column("Its contribution", unit="fraction", nullable=True)


@table(room="reports", key=("strategy", "loss"), causality="summary", allow_empty=True)
class RptReverseStress(Table):
    """What would have to happen for each strategy to lose so much: the likeliest move, in one row."""

    strategy: pl.String = column("Strategy", unit="identifier")
    loss: pl.Float64 = column("Loss", unit="fraction")
    horizon: pl.Int64 = column("Over which it is lost", unit="sessions")
    equity: pl.Float64 = column("Return of the share market", unit="fraction", nullable=True)
    yield_change: pl.Float64 = column("Change of the ten-year yield", unit="bp", nullable=True)
    spread_change: pl.Float64 = column("Change of the high-yield spread", unit="bp", nullable=True)
    commodity: pl.Float64 = column("Return of commodities", unit="fraction", nullable=True)
    gold: pl.Float64 = column("Return of gold", unit="fraction", nullable=True)
    distance: pl.Float64 = column("Mahalanobis distance", unit="ratio")
    probability: pl.Float64 = column("Chance of such a loss over the horizon", unit="probability")
    one_in_years: pl.Float64 = column("Years between such losses if horizons followed one another", unit="years", nullable=True)
    main_factor: pl.String = column("Factor that takes the largest part of the loss", unit="identifier")


@table(room="reports", key=("session", "rule"), causality="summary", allow_empty=True)
class RptDataQuality(Table):
    """Findings per session and rule, with how many rows they refused."""

    session: pl.Date = column("Session", unit="date")
    rule: pl.String = column("Rule", unit="identifier")
    severity: pl.String = column("info, warning or error", unit="category")
    findings: pl.Int64 = column("Findings", unit="count")
    tickers: pl.Int64 = column("Tickers concerned", unit="count")
    refused: pl.Int64 = column("Rows that went into quarantine", unit="count")
    bars: pl.Int64 = column("Bars of that session in the source", unit="count")
    example: pl.String = column("One finding in words", unit="text")


@table(room="reports", key=("month", "rule"), causality="summary", allow_empty=True)
class RptQualityTrend(Table):
    """Findings per month and rule, beside the bars of that month."""

    month: pl.Date = column("First day of the month", unit="date")
    rule: pl.String = column("Rule", unit="identifier")
    severity: pl.String = column(
        "info, warning or error under the settings; unknown for a provider's own rule", unit="category", nullable=True
    )
    findings: pl.Int64 = column("Findings", unit="count")
    tickers: pl.Int64 = column("Tickers concerned", unit="count")
    refused: pl.Int64 = column("Rows that went into quarantine", unit="count")
    bars: pl.Int64 = column("Bars of that month in the source", unit="count")
    per_hundred_thousand: pl.Float64 = column(
        "Findings per 100,000 bars; unknown in a month without bars", unit="ratio", nullable=True
    )


@table(room="reports", key=("place",), causality="summary", allow_empty=True)
class RptQualityNewest(Table):
    """The fifty newest warnings and errors about the input, with what to do about each."""

    place: pl.Int64 = column("1 is the newest, the gravest first within a session", unit="count", ge=1)
    session: pl.Date = column("Session", unit="date")
    ticker: pl.String = column("Ticker, or '*' for a whole source or session", unit="identifier")
    rule: pl.String = column("Rule", unit="identifier")
    severity: pl.String = column("warning or error", unit="category")
    refused: pl.Boolean = column("The row went into quarantine", unit="flag")
    dataset: pl.String = column("Table of the row", unit="identifier")
    source: pl.String = column("File or feed", unit="identifier")
    source_row: pl.Int64 = column("Row within the source, from 0; -1 for the whole source", unit="count")
    found: pl.String = column("What was found", unit="text")
    remedy: pl.String = column("What to do next", unit="text")


@table(room="reports", key=("known_at", "dataset", "ticker"), causality="summary", allow_empty=True)
class RptRestatements(Table):
    """Values that a source gave otherwise later, per fetch, table and ticker."""

    known_at: Instant = column("When the change was fetched", unit="UTC instant")
    dataset: pl.String = column("Table of the values", unit="identifier")
    ticker: pl.String = column("Ticker as the source has it", unit="identifier")
    fields: pl.String = column("Columns that changed; `row` for rows added or withdrawn", unit="text")
    changes: pl.Int64 = column("Values changed", unit="count")
    sessions: pl.Int64 = column("Sessions concerned", unit="count")
    first_session: pl.Date = column("First of them", unit="date")
    last_session: pl.Date = column("Last of them", unit="date")
    largest_change: pl.Float64 = column(
        "Largest relative change of a number; unknown where none changed from other than zero", unit="fraction", nullable=True
    )


@table(room="reports", key=("session", "reason"), causality="summary")
class RptUniverse(Table):
    """Funds per month's last session by membership reason."""

    session: pl.Date = column("Last session of the month", unit="date")
    reason: pl.String = column("`member`, or the screen that failed", unit="category")
    funds: pl.Int64 = column("Funds", unit="count")


@table(room="reports", key=("ticker",), causality="summary", allow_empty=True)
class RptLifecycle(Table):
    """Funds that ended or whose end is announced: when, how, what a holder got, and what that rests on."""

    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    name: pl.String = column("Fund name", unit="text", nullable=True)
    asset_class: pl.String = column("Broad class", unit="category", nullable=True)
    inception: pl.Date = column("First day of the fund", unit="date", nullable=True)
    first_session: pl.Date = column("First bar", unit="date")
    announced_at: Instant = column("When the end was announced; unknown where bars just stop", unit="UTC instant", nullable=True)
    last_session: pl.Date = column("Last session it trades", unit="date", nullable=True)
    fate: pl.String = column("How it ends", unit="category")
    liquidation_value: pl.Float64 = column("Paid per share at the end", unit="listing currency", nullable=True)
    pay_date: pl.Date = column("When cash or shares arrive", unit="date", nullable=True)
    successor: pl.String = column("Fund that the holding becomes", unit="identifier", nullable=True)
    ratio: pl.Float64 = column("Successor shares per share", unit="ratio", nullable=True)
    basis: pl.String = column("`given`, `curated` or `inferred`", unit="category")
    known_from: Instant = column("Since when all of this was known", unit="UTC instant")
    evidence: pl.String = column("What it rests on, in words", unit="text")


@table(room="reports", key=("month", "reason"), causality="summary")
class RptUniverseTurnover(Table):
    """Members at each month's last session, how many entered and left since the month before, and for which reason."""

    month: pl.Date = column("First day of the month", unit="date")
    session: pl.Date = column("Last session of the month", unit="date")
    reason: pl.String = column(
        "`all`; else what kept those who entered out before, or those who left out now; `no_bar` without a bar", unit="category"
    )
    members: pl.Int64 = column("Members at the session, whatever the reason", unit="count")
    entered: pl.Int64 = column("Members now and not before", unit="count")
    left: pl.Int64 = column("Members before and not now", unit="count")
    share: pl.Float64 = column("Entered and left over members now and before", unit="fraction", nullable=True)


@table(room="reports", key=("strategy", "year"), causality="summary")
class RptCosts(Table):
    """Costs per strategy and year, itemised."""

    strategy: pl.String = column("Strategy", unit="identifier")
    year: pl.Int64 = column("Calendar year", unit="year")
    traded_value: pl.Float64 = column("Sum of absolute trades", unit="base currency")
    spread_cost: pl.Float64 = column("Half-spreads", unit="base currency")
    impact_cost: pl.Float64 = column("Market impact", unit="base currency")
    commission: pl.Float64 = column("Commission", unit="base currency")
    cost_bps: pl.Float64 = column("All costs over the traded value", unit="basis points", nullable=True)
    half_spread_bps: pl.Float64 = column("Half-spread charged, by value traded", unit="basis points", nullable=True)
    half_spread_estimate_bps: pl.Float64 = column(
        "What the bars of the month before say of the same trades, by EDGE", unit="basis points", nullable=True
    )
    half_spread_resolution_bps: pl.Float64 = column(
        "Smallest half-spread that those bars could tell from zero: a lower estimate is no evidence",
        unit="basis points",
        nullable=True,
    )


@table(room="reports", key=("strategy", "portfolio_value"), causality="summary")
class RptCapacity(Table):
    """Results after costs of portfolios of each size, by the square-root law."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    portfolio_value: pl.Float64 = column("Net asset value at every trade", unit="base currency")
    cagr: pl.Float64 = column("Compound annual growth after costs", unit="fraction per year", nullable=True)
    sharpe: pl.Float64 = column("Annual Sharpe ratio over the bill", unit="ratio", nullable=True)
    cost_bps: pl.Float64 = column("All costs over the portfolio's value", unit="basis points per year")
    impact_bps: pl.Float64 = column("Impact alone", unit="basis points per year")
    cost_share: pl.Float64 = column("Growth lost to costs over growth without them", unit="fraction", nullable=True)
    excess_cagr: pl.Float64 = column(
        "Growth less that of the first benchmark of the same size", unit="fraction per year", nullable=True
    )
    participation_50: pl.Float64 = column(
        "Order over a session's traded value: half of the value traded is below", unit="fraction", nullable=True
    )
    participation_95: pl.Float64 = column("95 % of the value traded is below", unit="fraction", nullable=True)
    participation_max: pl.Float64 = column("Largest", unit="fraction", nullable=True)
    is_extrapolated: pl.Boolean = column("Orders too large for the law to be more than a guess", unit="flag")


@table(room="reports", key=("strategy", "cost_basis", "regime"), causality="summary")
class RptPerformanceByRegime(Table):
    """Results in each market state, as it was known before the session."""

    strategy: pl.String = column("Strategy or benchmark", unit="identifier")
    cost_basis: pl.String = column("`gross` or `net`", unit="category")
    regime: pl.String = column("State known before the session", unit="category")
    n_sessions: pl.Int64 = column("Sessions in the state", unit="count")
    share: pl.Float64 = column("Of all sessions", unit="fraction")
    mean_return: pl.Float64 = column("Mean return times 252", unit="fraction per year", nullable=True)
    active_return: pl.Float64 = column("The same less the first benchmark's", unit="fraction per year", nullable=True)
    active_return_low: pl.Float64 = column("Lower end of its 95 % interval", unit="fraction per year", nullable=True)
    active_return_high: pl.Float64 = column("Upper end of its 95 % interval", unit="fraction per year", nullable=True)
    volatility: pl.Float64 = column("Annual volatility", unit="fraction per year", nullable=True)
    sharpe: pl.Float64 = column("Annual Sharpe ratio over the bill", unit="ratio", nullable=True)
    sharpe_low: pl.Float64 = column("Lower end of its 95 % interval", unit="ratio", nullable=True)
    sharpe_high: pl.Float64 = column("Upper end of its 95 % interval", unit="ratio", nullable=True)
    max_drawdown: pl.Float64 = column("Largest fall, in cash in all other states", unit="fraction", nullable=True)


@table(room="reports", key=("screens", "rule", "asset_class"), causality="summary", allow_empty=True)
class RptSurvivorship(Table):
    """Survivors less all funds, one row per study: what leaving out the funds that ended would have added on paper."""

    screens: pl.String = column("`strict`: members; `all_listed`: every seasoned plain fund", unit="category")
    rule: pl.String = column("Rule", unit="identifier")
    asset_class: pl.String = column("`all`, or the class", unit="category")
    start: pl.Date = column("First session", unit="date")
    end: pl.Date = column("Last session", unit="date")
    n_funds: pl.Int64 = column("Funds that could be chosen", unit="count")
    n_ended: pl.Int64 = column("Those that ended", unit="count")
    n_held_to_end: pl.Int64 = column("Those held in their last session; unknown within a class", unit="count", nullable=True)
    cagr_full: pl.Float64 = column("Compound annual growth, all funds", unit="fraction per year", nullable=True)
    cagr_survivors: pl.Float64 = column("The same, survivors", unit="fraction per year", nullable=True)
    cagr_gap: pl.Float64 = column("Survivors less all", unit="fraction per year", nullable=True)
    cagr_gap_low: pl.Float64 = column("Lower end of its 95 % interval", unit="fraction per year", nullable=True)
    cagr_gap_high: pl.Float64 = column("Upper end of its 95 % interval", unit="fraction per year", nullable=True)
    sharpe_gap: pl.Float64 = column("The same of the Sharpe ratio", unit="ratio", nullable=True)
    sharpe_gap_low: pl.Float64 = column("Lower end of its 95 % interval", unit="ratio", nullable=True)
    sharpe_gap_high: pl.Float64 = column("Upper end of its 95 % interval", unit="ratio", nullable=True)
    max_drawdown_gap: pl.Float64 = column(
        "The same of the largest drawdown: negative where survivors fell less", unit="fraction", nullable=True
    )
    verdict: pl.String = column("Verdict on the growth gap", unit="category")


@table(room="reports", key=("kind", "subject", "claim"), causality="summary")
class RptEdge(Table):
    """Edge or no edge, and why: one row per claim on a strategy or a forecast, and one over all."""

    kind: pl.String = column("overall, strategy or forecast", unit="category", isin=["overall", "strategy", "forecast"])
    subject: pl.String = column("Strategy, model or `ensemble`; `all` over all", unit="identifier")
    claim: pl.String = column("edge over all, skill of a strategy's record, else the test of it", unit="identifier")
    statement: pl.String = column("What is claimed, in plain words", unit="text")
    verdict: pl.String = column(
        "Whether the claim stands; `not_enough_data` where no such record could show it",
        unit="category",
        isin=["edge", "no_edge", "not_enough_data"],
    )
    why: pl.String = column("The figures that decide, in plain words", unit="text")
    estimate: pl.Float64 = column("What is claimed to be above zero", unit="as the claim", nullable=True)
    p_value: pl.Float64 = column("Chance of so good a figure without skill", unit="probability", nullable=True)
    p_adjusted: pl.Float64 = column("The same once everything tried or tested counts", unit="probability", nullable=True)
    n_obs: pl.Int64 = column("Observations", unit="count")
    n_effective: pl.Float64 = column("Independent observations they are worth", unit="count", nullable=True)
    psr: pl.Float64 = column("Probability that the true Sharpe ratio is above zero", unit="probability", nullable=True)
    dsr: pl.Float64 = column("Probability that it is above what luck gives", unit="probability", nullable=True)
    n_trials: pl.Int64 = column("Trials in the ledger", unit="count", nullable=True)
    min_track_record: pl.Float64 = column("Sessions that such a record needs to be above zero", unit="sessions", nullable=True)
    pbo: pl.Float64 = column("Probability of backtest overfitting", unit="probability", nullable=True)
    spa_p: pl.Float64 = column("P that no strategy beats the benchmark", unit="probability", nullable=True)
    in_mcs: pl.Boolean = column("Cannot be told from the best", unit="flag", nullable=True)


@table(room="reports", key=("trial_id",), causality="summary")
class RptTrials(Table):
    """What was tried, and whether it counts."""

    trial_id: pl.String = column("Trial", unit="identifier")
    kind: pl.String = column("forecast_model, backtest_strategy, search or manual", unit="category")
    name: pl.String = column("Model, strategy or search", unit="identifier")
    counted: pl.Boolean = column("Counts among the trials that deflate", unit="flag")
    same_as: pl.String = column("Trial with the same record, that counts for both", unit="identifier", nullable=True)
    first_seen: Instant = column("When it was first tried", unit="UTC instant")
    first_run: pl.String = column("Run that first tried it", unit="identifier")
    data_version: pl.String = column("Data that the figures rest on", unit="identifier")
    n_obs: pl.Int64 = column("Observations", unit="count")
    metric: pl.String = column("What it was judged by", unit="identifier")
    value: pl.Float64 = column("Value of that metric", unit="as the metric", nullable=True)
    sharpe_annual: pl.Float64 = column("Annual Sharpe ratio over the bill", unit="ratio", nullable=True)
    configuration: pl.String = column("Its settings", unit="JSON")


@table(room="reports", key=("subject", "test", "horizon"), causality="summary")
class RptSignificance(Table):
    """Every test that was looked at, with what correction for many took away."""

    subject: pl.String = column("Model, strategy or ensemble", unit="identifier")
    test: pl.String = column("Test", unit="identifier")
    horizon: pl.Int64 = column("Sessions over which labels overlap", unit="sessions")
    estimate: pl.Float64 = column("What is tested against zero", unit="as the test", nullable=True)
    statistic: pl.Float64 = column("Its statistic", unit="as the test", nullable=True)
    p_value: pl.Float64 = column("P value before correction", unit="probability", nullable=True)
    p_adjusted: pl.Float64 = column("After Holm's correction", unit="probability", nullable=True)
    p_false_discovery: pl.Float64 = column("After Benjamini and Yekutieli's", unit="probability", nullable=True)
    n: pl.Int64 = column("Observations", unit="count")
    n_effective: pl.Float64 = column("Independent observations they are worth", unit="count", nullable=True)
    valid: pl.Boolean = column("Whether the data meet the test's assumptions", unit="flag")
    decision: pl.String = column("At 5 % over all rows together", unit="category")
    lost_by_correction: pl.Boolean = column("Under 5 % by itself, and not once all tests count", unit="flag", nullable=True)
    note: pl.String = column("What a reader should know", unit="text")


@table(room="reports", key=("table_name", "column_name"), causality="summary")
class RptDataDictionary(Table):
    """The data dictionary, as people search it."""

    table_name: pl.String = column("Table", unit="identifier")
    column_name: pl.String = column("Column", unit="identifier")
    room: pl.String = column("Room", unit="identifier")
    type: pl.String = column("Stored type", unit="identifier")
    unit: pl.String = column("Unit", unit="text")
    description: pl.String = column("Meaning", unit="text")


@table(room="reports", key=("report",), causality="summary")
class TearSheet(Table):
    """The HTML report of the run."""

    report: pl.String = column("Report name", unit="identifier")
    file_name: pl.String = column("File in the home's `reports` folder", unit="identifier")
    bytes: pl.Int64 = column("Size", unit="bytes", gt=0)
    simulated: pl.Boolean = column("Made from the simulated market", unit="flag")
    html: pl.String = column("The report itself, self-contained", unit="HTML")


@table(room="reports", key=("model", "horizon", "scheme", "span"), causality="summary")
class RptLab(Table):
    """The forecasting lab: each model's figures on sessions that it never saw, and which of its claims stand."""

    model: pl.String = column("Model or baseline", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions")
    scheme: pl.String = column("pooled or per_fund", unit="category")
    span: pl.String = column("Training span: expanding or rolling", unit="category")
    windows: pl.Int64 = column("Walk-forward windows; none for a baseline", unit="count", nullable=True)
    start: pl.Date = column("First forecast session", unit="date", nullable=True)
    end: pl.Date = column("Last forecast session", unit="date", nullable=True)
    hit_rate: pl.Float64 = column("Share of right signs", unit="fraction", nullable=True)
    mean_ic: pl.Float64 = column("Mean rank correlation across funds", unit="correlation", nullable=True)
    mean_ic_low: pl.Float64 = column("Lower end of its 95 % interval under overlap", unit="correlation", nullable=True)
    mean_ic_high: pl.Float64 = column("Upper end", unit="correlation", nullable=True)
    icir: pl.Float64 = column("Mean rank correlation over its deviation, per session", unit="ratio", nullable=True)
    sharpe_long_short: pl.Float64 = column("Annual Sharpe ratio of the quantile spread before costs", unit="ratio", nullable=True)
    sharpe_sign_timed: pl.Float64 = column(
        "Annual Sharpe ratio of each fund held in its forecast's direction, before costs", unit="ratio", nullable=True
    )
    mse_ratio_to_zero: pl.Float64 = column("Squared error over that of forecasting zero", unit="ratio", nullable=True)
    trade_drawdown: pl.Float64 = column("Mean largest fall of a trade on its way", unit="fraction", nullable=True)
    sessions_to_profit: pl.Float64 = column(
        "Median sessions until a trade's close shows a profit (Kaplan-Meier)", unit="sessions", nullable=True
    )
    n_effective: pl.Float64 = column("Independent sessions behind the rank correlation", unit="count", nullable=True)
    ic_p_value: pl.Float64 = column("One-sided p that the rank correlation is above zero", unit="probability", nullable=True)
    ic_p_adjusted: pl.Float64 = column("The same after Holm's correction over the grid", unit="probability", nullable=True)
    significant: pl.String = column("Tests that stand after correction, or `none`", unit="text")


@table(room="reports", key=("model", "horizon", "metric"), causality="summary")
class RptLabPaths(Table):
    """Combinatorial purged cross-validation: the distribution of each figure over paths through history."""

    model: pl.String = column("Model", unit="identifier")
    horizon: pl.Int64 = column("Sessions from the fill to the end of the label", unit="sessions")
    metric: pl.String = column("Figure, as in `forecasting.lab.METRICS`", unit="identifier")
    paths: pl.Int64 = column("Paths", unit="count")
    lowest: pl.Float64 = column("Lowest value of all paths", unit="as the metric", nullable=True)
    lower_quartile: pl.Float64 = column("Lower quartile", unit="as the metric", nullable=True)
    middle: pl.Float64 = column("Median", unit="as the metric", nullable=True)
    upper_quartile: pl.Float64 = column("Upper quartile", unit="as the metric", nullable=True)
    highest: pl.Float64 = column("Highest value", unit="as the metric", nullable=True)


@table(room="reports", key=("strategy", "benchmark", "span", "kind", "effect", "line"), causality="summary", allow_empty=True)
class RptAttribution(Table):
    """Return over a benchmark by year and in all: allocation, selection, trading and costs; and what priced factors explain."""

    strategy: pl.String = column("Strategy", unit="identifier")
    benchmark: pl.String = column("What it is compared with", unit="identifier")
    span: pl.String = column("Calendar year, or `all`", unit="text")
    kind: pl.String = column("`holdings` (Brinson and Fachler) or `factors`", unit="category")
    effect: pl.String = column("allocation, selection, interaction, trading, costs, flows, residual or factor", unit="category")
    line: pl.String = column("Asset class, `cash`, `all`, or the factor", unit="category")
    value: pl.Float64 = column("Linked effect; those of a kind sum to the span's active return", unit="fraction")
    annual: pl.Float64 = column("The same as a share of the difference of annual growth", unit="fraction per year")
    error: pl.Float64 = column(
        "Upper bound of a factor contribution's standard error: the months' errors summed", unit="fraction", nullable=True
    )
    portfolio_return: pl.Float64 = column("Compounded over the span, after costs", unit="fraction")
    benchmark_return: pl.Float64 = column("Compounded over the span", unit="fraction")
    first_month: pl.Date = column("First month", unit="date")
    last_month: pl.Date = column("Last month", unit="date")


@table(room="reports", key=("ticker",), causality="summary")
class RptBetas(Table):
    """Each fund's newest beta in all its forms, and what the tests say about it."""

    ticker: pl.String = column("Ticker with exchange suffix", unit="identifier")
    session: pl.Date = column("Newest session of the fund", unit="date")
    name: pl.String = column("Name of the fund", unit="text", nullable=True)
    asset_class: pl.String = column("Asset class", unit="category", nullable=True)
    beta: pl.Float64 = column("To the market fund of its exchange, 252 sessions", unit="ratio", nullable=True)
    beta_error_robust: pl.Float64 = column("Its standard error (White)", unit="ratio", nullable=True)
    r_squared: pl.Float64 = column("Share of the variance explained", unit="fraction", nullable=True)
    residual_volatility: pl.Float64 = column("Volatility that the market leaves over", unit="fraction per year", nullable=True)
    n: pl.Int64 = column("Known pairs of returns behind it", unit="count")
    beta_vasicek: pl.Float64 = column("Drawn towards the members' mean by precision", unit="ratio", nullable=True)
    beta_ewma: pl.Float64 = column("Exponentially weighted", unit="ratio", nullable=True)
    tested: pl.Date = column("Session of the tests: the last quarter's end", unit="date", nullable=True)
    beta_calm: pl.Float64 = column("Beta after a low VIX", unit="ratio", nullable=True)
    beta_stressed: pl.Float64 = column("Beta after a high VIX", unit="ratio", nullable=True)
    conditional_p_holm: pl.Float64 = column("Corrected p of no difference", unit="probability", nullable=True)
    conditional_verdict: pl.String = column("Whether the difference stands", unit="category", nullable=True)
    break_session: pl.Date = column("First session of the new beta, if there is one", unit="date", nullable=True)
    beta_before: pl.Float64 = column("Beta before it", unit="ratio", nullable=True)
    beta_after: pl.Float64 = column("Beta since", unit="ratio", nullable=True)
    stability_p_holm: pl.Float64 = column("Corrected p of one beta throughout", unit="probability", nullable=True)
    stability_verdict: pl.String = column("Whether the break stands", unit="category", nullable=True)


@table(room="reports", key=("event", "rank_peak", "ticker"), causality="summary", allow_empty=True)
class RptMacroReplay(Table):
    """Two crises, fund by fund: macro and geopolitical adjustments, and what followed them."""

    event: pl.String = column("Event", unit="identifier")
    rank_peak: pl.Float64 = column("1 is the most favoured at the peak; ties share", unit="rank")
    ticker: pl.String = column("Fund", unit="identifier")
    name: pl.String = column("Its name, or its ticker where none is known", unit="text")
    title: pl.String = column("Event in words", unit="text")
    before: pl.Date = column("First session of the event", unit="date")
    peak: pl.Date = column("Session on which adjustments had moved furthest", unit="date")
    after: pl.Date = column("Last session", unit="date")
    macro_before: pl.Float64 = column("Macro multiplier before", unit="ratio", nullable=True)
    geo_before: pl.Float64 = column("Geopolitical multiplier before", unit="ratio", nullable=True)
    macro_peak: pl.Float64 = column("Macro multiplier at the peak", unit="ratio")
    geo_peak: pl.Float64 = column("Geopolitical multiplier at the peak", unit="ratio")
    macro_after: pl.Float64 = column("Macro multiplier after", unit="ratio", nullable=True)
    geo_after: pl.Float64 = column("Geopolitical multiplier after", unit="ratio", nullable=True)
    rank_before: pl.Float64 = column("Rank before", unit="rank", nullable=True)
    rank_after: pl.Float64 = column("Rank after", unit="rank", nullable=True)
    move: pl.Float64 = column("Change of the logarithm of their product to the peak", unit="log ratio", nullable=True)
    place_by_move: pl.Int64 = column("1 is the fund that moved most", unit="count", ge=1)
    return_following: pl.Float64 = column("Return from the open after the peak over 21 sessions", unit="fraction", nullable=True)
    outcome: pl.String = column("Whether adjustment and return lay on the same side of the funds' medians", unit="category")
    mean_ic: pl.Float64 = column("Mean rank correlation of both over the event's sessions", unit="correlation", nullable=True)
    mean_ic_error: pl.Float64 = column("Its HAC standard error", unit="correlation", nullable=True)
    verdict: pl.String = column("What that decides: an event alone is always too short", unit="category", nullable=True)
    macro_as_of: pl.Date = column("Oldest reference period of the macro inputs", unit="date", nullable=True)
    geo_as_of: pl.Date = column("Reference period of the geopolitical input", unit="date", nullable=True)
    vintage: pl.String = column("`latest`: no claim of skill rests on it", unit="category")
    reason: pl.String = column("What moved the multipliers most", unit="text")


@table(room="reports", key=("dimension",), causality="summary")
class RptMarketContext(Table):
    """The market around the newest session: each macro dimension with what it means, and the regime beside it."""

    session: pl.Date = column("Newest session", unit="date")
    dimension: pl.String = column("Macro dimension", unit="category")
    value: pl.Float64 = column("Newest value of its first series", unit="as the series", nullable=True)
    z: pl.Float64 = column("Distance from its own past", unit="z-score", nullable=True)
    z_change_21: pl.Float64 = column("Change of that over 21 sessions", unit="z-score", nullable=True)
    meaning: pl.String = column("What it says, in words", unit="text")
    as_of: pl.Date = column("Oldest reference period that it rests on", unit="date", nullable=True)
    released_at: Instant = column("Newest release", unit="UTC instant", nullable=True)
    vintage: pl.String = column("`latest` if an input is a final revision", unit="category", nullable=True)
    regime: pl.String = column("Market regime", unit="category", nullable=True)
    regime_reason: pl.String = column("Which condition decided", unit="text", nullable=True)
    stressed: pl.Float64 = column("Probability of the stressed state", unit="fraction", nullable=True)
    stressed_21: pl.Float64 = column("The same, 21 sessions ahead", unit="fraction", nullable=True)


@table(room="reports", key=("ticker",), causality="summary", allow_empty=True)
class RptMacroTilts(Table):
    """What the macro and geopolitical multipliers moved in the newest ranks, fund by fund."""

    ticker: pl.String = column("Fund", unit="identifier")
    session: pl.Date = column("Session of the scores", unit="date")
    name: pl.String = column("Fund name", unit="text", nullable=True)
    asset_class: pl.String = column("Broad class", unit="category", nullable=True)
    rank: pl.Int64 = column("Rank of the score, 1 is best", unit="count", ge=1)
    rank_without: pl.Int64 = column("Rank that it would have without both parts", unit="count", ge=1)
    places_gained: pl.Int64 = column("Places that both parts moved it up; negative is down", unit="count")
    score: pl.Float64 = column("Composite score", unit="z-score")
    macro_part: pl.Float64 = column("What the macro state adds to it", unit="z-score")
    geo_part: pl.Float64 = column("What the geopolitical state adds", unit="z-score")
    macro_multiplier: pl.Float64 = column("Above 1 where the macro state favours the fund", unit="ratio", gt=0)
    geo_multiplier: pl.Float64 = column("Above 1 where the geopolitical state favours it", unit="ratio", gt=0)
    macro_as_of: pl.Date = column("Oldest reference period among the macro inputs", unit="date", nullable=True)
    geo_as_of: pl.Date = column("Reference period of the geopolitical input", unit="date", nullable=True)
    vintage: pl.String = column("`latest` if an input is a final revision: no claim rests on it", unit="category", nullable=True)
    reason: pl.String = column("What moved the multipliers most", unit="text", nullable=True)


@table(room="reports", key=("asset_class",), causality="summary", allow_empty=True)
class RptVolatilityTerm(Table):
    """How much the most traded fund of each asset class swings: forecasts over three horizons beside what was realised."""

    asset_class: pl.String = column("Broad class", unit="category")
    ticker: pl.String = column("Its most traded fund", unit="identifier")
    name: pl.String = column("Fund name", unit="text", nullable=True)
    session: pl.Date = column("Newest session", unit="date")
    daily_value: pl.Float64 = column("Mean traded value per session", unit="base currency", gt=0)
    garch_21: pl.Float64 = column("GARCH forecast over the next 21 sessions", unit="fraction per year", nullable=True)
    garch_63: pl.Float64 = column("The same over 63", unit="fraction per year", nullable=True)
    garch_252: pl.Float64 = column("The same over 252", unit="fraction per year", nullable=True)
    composite: pl.Float64 = column("All estimators combined by past loss", unit="fraction per year", nullable=True)
    realised_30: pl.Float64 = column("Realised over 30 sessions", unit="fraction per year", nullable=True)
    realised_90: pl.Float64 = column("The same over 90", unit="fraction per year", nullable=True)
    realised_252: pl.Float64 = column("The same over 252", unit="fraction per year", nullable=True)
    volatility: pl.Float64 = column("The forecast that portfolios use", unit="fraction per year", nullable=True)
    source: pl.String = column("Where that comes from", unit="category")


@table(room="reports", key=("start",), causality="summary")
class RptRegimes(Table):
    """Spells of each market state with what the market did in them: history to read, and to doubt the rule by."""

    start: pl.Date = column("First session in the state", unit="date")
    end: pl.Date = column("Last session; unknown while it lasts", unit="date", nullable=True)
    is_open: pl.Boolean = column("Still in the state at the newest session", unit="flag")
    regime: pl.String = column("State", unit="category")
    sessions: pl.Int64 = column("Sessions in the state", unit="sessions", ge=1)
    market_return: pl.Float64 = column(
        "Market's total return from the close before the spell to its last close", unit="fraction", nullable=True
    )
    return_when_known: pl.Float64 = column(
        "The same from the first close in the state, which told of it, to the close that told of the next",
        unit="fraction",
        nullable=True,
    )
    max_drawdown: pl.Float64 = column(
        "Largest fall from a high since the close before the spell, positive", unit="fraction", nullable=True, ge=0
    )
    mean_vix: pl.Float64 = column("Mean VIX in the spell", unit="index points", nullable=True)
    mean_stressed: pl.Float64 = column(
        "Mean filtered probability of the stressed state in the spell", unit="fraction", nullable=True, ge=0, le=1
    )


@table(room="reports", key=("estimator",), causality="summary", allow_empty=True)
class RptCovarianceStability(Table):
    """One row per covariance estimator: condition, steadiness, and how the months that followed compare with the sample covariance."""

    estimator: pl.String = column("Name in COVARIANCE_ESTIMATORS", unit="category")
    n_months: pl.Int64 = column("Months judged", unit="count", gt=0)
    first_session: pl.Date = column("First month's end", unit="date")
    last_session: pl.Date = column("Last month's end", unit="date")
    mean_assets: pl.Float64 = column("Mean number of funds", unit="count")
    mean_shrinkage: pl.Float64 = column("Mean intensity, where it shrinks", unit="fraction", nullable=True)
    repaired_share: pl.Float64 = column("Share of months in which it had to be made definite", unit="fraction", ge=0, le=1)
    median_condition_number: pl.Float64 = column("Of the correlation matrix", unit="ratio", ge=1)
    median_effective_rank: pl.Float64 = column("Sources of risk that it sees", unit="count", ge=1)
    median_first_share: pl.Float64 = column("Share of the first eigenvalue", unit="fraction")
    mean_first_share_change: pl.Float64 = column(
        "Mean absolute change of that from month to month", unit="fraction", nullable=True
    )
    median_leading_angle: pl.Float64 = column(
        "Turn of the leading eigenvectors from month to month", unit="radians", nullable=True
    )
    median_gross_exposure: pl.Float64 = column("Of the portfolio of least variance", unit="ratio")
    median_realised_over_expected: pl.Float64 = column(
        "Its volatility in the month after over what the estimate promised", unit="ratio", nullable=True
    )
    min_variance_volatility: pl.Float64 = column(
        "Its volatility in the month after, geometric mean", unit="fraction per year", nullable=True
    )
    min_variance_low: pl.Float64 = column("Lower end of the 95 % interval", unit="fraction per year", nullable=True)
    min_variance_high: pl.Float64 = column("Upper end of the 95 % interval", unit="fraction per year", nullable=True)
    min_variance_change: pl.Float64 = column("Against the sample covariance", unit="fraction", nullable=True)
    min_variance_change_low: pl.Float64 = column("Lower end of the 95 % interval", unit="fraction", nullable=True)
    min_variance_change_high: pl.Float64 = column("Upper end of the 95 % interval", unit="fraction", nullable=True)
    min_variance_p_holm: pl.Float64 = column("Corrected p of no difference", unit="probability", nullable=True)
    min_variance_verdict: pl.String = column("What stands after correction", unit="category")
    balanced_volatility: pl.Float64 = column(
        "Long-only, of funds geared to equal volatility, in units of one of them", unit="ratio", nullable=True
    )
    balanced_low: pl.Float64 = column("Lower end of the 95 % interval", unit="ratio", nullable=True)
    balanced_high: pl.Float64 = column("Upper end of the 95 % interval", unit="ratio", nullable=True)
    balanced_change: pl.Float64 = column("Against the sample covariance", unit="fraction", nullable=True)
    balanced_p_holm: pl.Float64 = column("Corrected p of no difference", unit="probability", nullable=True)
    balanced_verdict: pl.String = column("What stands after correction", unit="category")
    log_likelihood: pl.Float64 = column("Of the months after, per session and fund", unit="nats", nullable=True)
    log_likelihood_low: pl.Float64 = column("Lower end of the 95 % interval", unit="nats", nullable=True)
    log_likelihood_high: pl.Float64 = column("Upper end of the 95 % interval", unit="nats", nullable=True)
    log_likelihood_change: pl.Float64 = column("Against the sample covariance", unit="nats", nullable=True)
    log_likelihood_p_holm: pl.Float64 = column("Corrected p of no difference", unit="probability", nullable=True)
    log_likelihood_verdict: pl.String = column("What stands after correction", unit="category")


@table(room="reports", key=("estimator",), causality="summary", allow_empty=True)
class RptVolatilityEvaluation(Table):
    """Volatility estimators of 21 sessions beside a year's standard deviation: both outcomes, over all funds."""

    estimator: pl.String = column("Column of `volatilities`", unit="category")
    funds: pl.Int64 = column("Funds with enough outcomes", unit="count", ge=0)
    outcomes: pl.Int64 = column("Monthly outcomes of all funds", unit="count", ge=0)
    better: pl.Float64 = column(
        "Share of these funds on which it lost less, after Holm", unit="fraction", nullable=True, ge=0, le=1
    )
    worse: pl.Float64 = column("Share on which it lost more", unit="fraction", nullable=True, ge=0, le=1)
    no_difference: pl.Float64 = column("Share on which neither can be told", unit="fraction", nullable=True, ge=0, le=1)
    qlike: pl.Float64 = column("Mean loss over sessions", unit="nats", nullable=True, ge=0)
    qlike_difference: pl.Float64 = column("Benchmark's loss less its own, mean over sessions", unit="nats", nullable=True)
    dm: pl.Float64 = column("Diebold-Mariano statistic of the session means", unit="t", nullable=True)
    dm_p: pl.Float64 = column("Two-sided p-value", unit="probability", nullable=True, ge=0, le=1)
    dm_p_adjusted: pl.Float64 = column(
        "The same for all estimators together (Holm); the verdict is its", unit="probability", nullable=True, ge=0, le=1
    )
    mz_slope: pl.Float64 = column("Mincer-Zarnowitz slope over all funds", unit="ratio", nullable=True)
    mz_slope_median: pl.Float64 = column("Median slope of the funds", unit="ratio", nullable=True)
    unbiased: pl.Float64 = column(
        "Share of funds on which intercept 0 and slope 1 are not rejected at 5 %", unit="fraction", nullable=True, ge=0, le=1
    )
    verdict: pl.String = column("On all funds together", unit="category")


@table(room="reports", key=("strategy", "holder", "benchmark", "factor"), causality="summary", allow_empty=True)
class RptFactorExposures(Table):
    """Newest factor exposures of each strategy beside its benchmarks, and of every fund that it holds, with drift alarms."""

    strategy: pl.String = column("Strategy", unit="identifier")
    holder: pl.String = column("PORTFOLIO, or a fund that it holds", unit="identifier")
    benchmark: pl.String = column("What the portfolio is held against; `none` in a fund's row", unit="identifier")
    factor: pl.String = column("Factor; `unknown` where nothing is known of the fund", unit="identifier")
    session: pl.Date = column("Newest rebalance", unit="date")
    factor_session: pl.Date = column("Newest factor session that had been published", unit="date", nullable=True)
    weight: pl.Float64 = column("Target weight; 1 for the portfolio", unit="fraction")
    loading: pl.Float64 = column("Loading", unit="ratio", nullable=True)
    error: pl.Float64 = column("Standard error by Newey and West", unit="ratio", nullable=True)
    active: pl.Float64 = column("Loading less that of the benchmark", unit="ratio", nullable=True)
    active_error: pl.Float64 = column("Standard error of the difference", unit="ratio", nullable=True)
    coverage: pl.Float64 = column("Weight with known exposures", unit="fraction")
    r_squared: pl.Float64 = column("Share of the fund's variance that factors explain", unit="fraction", nullable=True)
    is_weak: pl.Boolean = column("Factors explain less than half", unit="flag", nullable=True)
    match: pl.String = column("How fund and factor set belong together, see factor_fits", unit="category", nullable=True)
    alarm: pl.Boolean = column("Drift alarm; unknown where the fund has too few windows", unit="flag", nullable=True)
    drift: pl.String = column("The verdict on drift in words", unit="text", nullable=True)


@table(room="reports", key=("strategy",), causality="summary")
class RptDecisions(Table):
    """What each strategy decided over time: how often it traded or stayed, what staying saved, and what it gave up."""

    strategy: pl.String = column("Strategy, or mandate", unit="identifier")
    first_session: pl.Date = column("First decision", unit="date")
    last_session: pl.Date = column("Newest decision", unit="date")
    decisions: pl.Int64 = column("Decisions", unit="count", ge=1)
    trades: pl.Int64 = column("Targets taken because they pay, the first one included", unit="count", ge=0)
    forced: pl.Int64 = column("Targets taken because a limit was broken or a fund left", unit="count", ge=0)
    held_by_band: pl.Int64 = column("Stayed: no weight was far enough from its target", unit="count", ge=0)
    held_by_cost: pl.Int64 = column("Stayed: the gain was not worth the cost", unit="count", ge=0)
    held_unsolved: pl.Int64 = column("Stayed: nothing could be solved", unit="count", ge=0)
    turnover: pl.Float64 = column("Turnover of all trades", unit="fraction", ge=0)
    turnover_saved: pl.Float64 = column("Turnover of trades not made", unit="fraction", ge=0)
    cost: pl.Float64 = column("Cost of all trades", unit="fraction of net asset value", ge=0)
    cost_saved: pl.Float64 = column("Cost of trades not made", unit="fraction of net asset value", ge=0)
    median_gain: pl.Float64 = column("Median expected gain after the first decision", unit="fraction per horizon", nullable=True)
    median_hurdle: pl.Float64 = column("Median hurdle after the first decision", unit="fraction", nullable=True)
    gain_forgone: pl.Float64 = column("Expected gains that staying gave up", unit="fraction", nullable=True)
    newest_verdict: pl.String = column("Newest verdict", unit="category")
    newest_breach: pl.String = column("Limits that the newest holdings broke", unit="text")


@table(room="reports", key=("strategy", "ticker"), causality="summary", allow_empty=True)
class RptTradeList(Table):
    """What to trade after each portfolio's newest decision, from real or model holdings to target."""

    strategy: pl.String = column("Strategy, or mandate", unit="identifier")
    ticker: pl.String = column("Permanent name of the fund", unit="identifier")
    session: pl.Date = column("Decided at this session's close", unit="date")
    traded_ticker: pl.String = column("What an order names", unit="identifier", nullable=True)
    side: pl.String = column("buy or sell", unit="category", isin=["buy", "sell"])
    reason: pl.String = column("Why", unit="text")
    holdings: pl.String = column("Trades start from `stated` holdings or those of the `model`", unit="category")
    stated_on: pl.Date = column("Day of the statement", unit="date", nullable=True)
    previous_weight: pl.Float64 = column("Weight before", unit="fraction", ge=0)
    weight: pl.Float64 = column("Target weight", unit="fraction", ge=0)
    price: pl.Float64 = column("Newest close", unit="listing currency", nullable=True)
    priced_on: pl.Date = column("Its session", unit="date", nullable=True)
    shares_before: pl.Float64 = column("Held", unit="shares", nullable=True)
    shares_after: pl.Float64 = column("To be held", unit="shares", nullable=True)
    shares: pl.Float64 = column("To trade; negative: to sell", unit="shares", nullable=True)
    trade_value: pl.Float64 = column("The same in money", unit="base currency")
    cost_value: pl.Float64 = column("Expected cost of the trade", unit="base currency", ge=0)
    base_currency: pl.String = column("Base currency", unit="ISO 4217")
    verdict: pl.String = column("What was decided", unit="category")
