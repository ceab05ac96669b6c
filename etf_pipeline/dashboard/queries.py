"""Every question the dashboard asks, as plain SQL over the tables; ``$names`` are values."""

from __future__ import annotations

from typing import Final

# which run and strategy

SOURCE: Final = "select provider, origin, simulated, label, fetched_until from raw_source"

STRATEGIES: Final = """
-- the most selective first
with newest as (
    select strategy, max(session) as session from target_weights group by strategy
)
select w.strategy, n.session, count(*) as funds
from target_weights as w
join newest as n on n.strategy = w.strategy and n.session = w.session
where w.weight > 0
group by w.strategy, n.session
order by funds, w.strategy
"""

SESSIONS: Final = "select distinct session from target_weights where strategy = $strategy order by session desc"

# today

VERDICT: Final = "select * from rpt_performance where strategy = $strategy order by cost_basis desc"

EDGE: Final = """
select claim, statement, verdict, why, estimate, p_value, p_adjusted, n_obs, n_effective, psr, dsr, n_trials, pbo
from rpt_edge
where subject = $strategy or kind = 'overall'
order by kind, claim
"""

SOLUTION: Final = "select * from optimizer_solutions where strategy = $strategy and session = $session"

WEIGHTS: Final = """
select
    w.ticker, e.name, e.asset_class, w.weight, w.previous_weight, w.weight - w.previous_weight as trade,
    w.expected_return, f.expected_return as forecast, w.volatility, w.risk_contribution, w.cost,
    s.score, s.rank
from target_weights as w
left join dim_etf as e on e.ticker = w.ticker
left join forecasts as f on f.ticker = w.ticker and f.session = w.session
left join scores as s on s.ticker = w.ticker and s.session = w.session
where w.strategy = $strategy and w.session = $session and (w.weight <> 0 or w.previous_weight <> 0)
order by w.weight desc, w.previous_weight desc, w.ticker
"""

SCORE_PARTS: Final = """
select w.ticker, p.part, p.value, s.score, s.rank
from target_weights as w
join scores as s on s.ticker = w.ticker and s.session = w.session
cross join lateral (
    values ('forecast', s.forecast_part), ('momentum', s.momentum_part), ('risk', s.risk_part), ('liquidity', s.liquidity_part),
        ('cost', s.cost_part), ('macro', s.macro_part), ('geo', s.geo_part)
) as p(part, value)
where w.strategy = $strategy and w.session = $session and w.weight > 0
order by s.rank, w.ticker, p.part
"""

# performance

PERFORMANCE: Final = "select * from rpt_performance order by strategy, cost_basis desc"

GROWTH: Final = """
-- growth of one, time-weighted, and the fall from its highest so far; the worst of each month
with grown as (
    select strategy, cost_basis, session, nav,
        exp(sum(ln(1 + daily_return)) over (partition by strategy, cost_basis order by session)) as growth
    from backtest_ledger
),
fallen as (
    select *, 1 - growth / greatest(1, max(growth) over (partition by strategy, cost_basis order by session)) as fall
    from grown
)
select strategy, cost_basis, max(session) as session, arg_max(nav, session) as nav, arg_max(growth, session) as growth,
    max(fall) as drawdown
from fallen
group by strategy, cost_basis, date_trunc('month', session)
order by strategy, cost_basis, session
"""

DRAWDOWNS: Final = "select * from rpt_drawdowns where strategy = $strategy order by place"

BENCHMARKS: Final = (
    "select distinct benchmark, kind from rpt_attribution where strategy = $strategy order by kind desc, benchmark"
)

ATTRIBUTION: Final = """
select effect, line, value, annual, error, portfolio_return, benchmark_return, first_month, last_month
from rpt_attribution
where strategy = $strategy and benchmark = $benchmark and kind = $kind and span = $span
order by abs(value) desc, effect, line
"""

SPANS: Final = """
select distinct span from rpt_attribution
where strategy = $strategy and benchmark = $benchmark and kind = $kind
order by span desc
"""

COSTS: Final = "select * from rpt_costs where strategy = $strategy order by year desc"

# why: one weight, back to the rows it came from

LEDGER_DAY: Final = """
select session, cost_basis, nav, daily_return, cash, holdings_value, dividends, costs, traded_value, turnover, identity_error
from backtest_ledger
where strategy = $strategy and session = (
    select max(session) from backtest_ledger where strategy = $strategy and session <= $session
)
order by cost_basis desc
"""

WEIGHT: Final = "select * from target_weights where strategy = $strategy and session = $session and ticker = $ticker"

TRADES: Final = """
select session, kind, shares, price, value, spread_cost, impact_cost, commission
from backtest_trades
where strategy = $strategy and ticker = $ticker and session <= $session
order by session desc, kind
limit 12
"""

SCORE: Final = "select * from scores where session = $session and ticker = $ticker"

FORECAST: Final = "select * from forecasts where session = $session and ticker = $ticker"

MEMBERS: Final = """
select m.model, m.horizon, m.raw_forecast, m.forecast, m.weight, m.window, w.train_start, w.train_end, w.n_train
from member_forecasts as m
left join forecast_windows as w on w.model = m.model and w.window = m.window
where m.session = $session and m.ticker = $ticker
order by m.model
"""

FEATURES: Final = """
unpivot (select columns(* exclude (session, ticker)) from features where session = $session and ticker = $ticker)
on columns(*) into name feature value value
"""

ESTIMATES: Final = """
select v.volatility, v.source, v.garch_21, v.ewma, v.realised_90, v.realised_252, b.beta, b.beta_error_robust, b.r_squared,
    l.daily_value, l.half_spread
from volatilities as v
left join betas as b on b.session = v.session and b.ticker = v.ticker
left join liquidity as l on l.session = v.session and l.ticker = v.ticker
where v.session = $session and v.ticker = $ticker
"""

PRICES: Final = """
select p.session, p.open, p.high, p.low, p.close, p.volume, p.dividend, p.split_ratio, r.total_return, r.index_close
from fct_prices as p
left join fct_returns as r on r.session = p.session and r.ticker = p.ticker
where p.ticker = $ticker and p.session between $session - interval 1 year and $session
order by p.session desc
"""

RAW_ROWS: Final = """
-- the delivered rows behind the newest prices: the source and the row of it under which each came
select r.*
from stg_prices as s
join raw_prices as r on r.session = s.session and r.source = s.source and r.source_row = s.source_row
where s.ticker = $ticker and s.session between $session - interval 14 day and $session
order by r.session desc
"""

CORRECTIONS: Final = """
select c.known_at, c.session, c.field, c.old_value, c.new_value, c.source, c.source_row
from raw_corrections as c
where c.ticker = $ticker and c.session <= $session
order by c.known_at desc
limit 20
"""

FINDINGS: Final = """
select session, rule, severity, found, remedy, source, source_row
from quality_findings
where ticker = $ticker and session <= $session
order by session desc, rule
limit 20
"""

# market

CONTEXT: Final = "select * from rpt_market_context order by dimension"

DIMENSIONS: Final = "select distinct dimension from macro_state order by dimension"

MACRO_HISTORY: Final = """
select max(session) as session, arg_max(z, session) as z, arg_max(value, session) as value
from macro_state
where dimension = $dimension
group by date_trunc('month', session)
order by session
"""

SPELLS: Final = "select * from rpt_regimes order by start desc"

REGIME_PATH: Final = """
select max(r.session) as session, arg_max(r.index_close, r.session) as index_close, arg_max(p.stressed, r.session) as stressed,
    arg_max(r.regime, r.session) as regime
from regimes as r
left join regime_probabilities as p on p.session = r.session
group by date_trunc('month', r.session)
order by session
"""

TILTS: Final = """
select ticker, name, asset_class, rank, rank_without, places_gained, macro_part, geo_part, reason, vintage, macro_as_of, geo_as_of
from rpt_macro_tilts
order by abs(places_gained) desc, ticker
"""

EVENTS: Final = (
    "select event, any_value(title) as title, max(peak) as peak from rpt_macro_replay group by event order by peak desc"
)

REPLAY: Final = """
select ticker, name, rank_before, rank_peak, rank_after, move, geo_peak, macro_peak, return_following, outcome, vintage, reason
from rpt_macro_replay
where event = $event
order by place_by_move
"""

TERM: Final = "select * from rpt_volatility_term order by ticker"

VOLATILITIES: Final = """
select v.ticker, e.name, e.asset_class, v.volatility, v.source, v.garch_21, v.garch_63, v.garch_252, v.realised_90
from volatilities as v
left join dim_etf as e on e.ticker = v.ticker
where v.session = (select max(session) from volatilities)
order by v.volatility desc nulls last, v.ticker
"""

BETAS: Final = """
select ticker, name, asset_class, beta, beta_error_robust, r_squared, beta_calm, beta_stressed, conditional_verdict,
    stability_verdict, break_session
from rpt_betas
order by beta desc nulls last, ticker
"""

EXPOSURES: Final = """
select benchmark, factor, weight, loading, error, active, active_error, coverage, session, factor_session
from rpt_factor_exposures
where strategy = $strategy and holder = 'PORTFOLIO'
order by benchmark, factor
"""

# risk

STRESS: Final = "select * from rpt_stress where strategy = $strategy order by place"

SCENARIO: Final = """
select ticker, weight, asset_return, contribution, basis
from stress_contributions
where strategy = $strategy and scenario = $scenario
order by contribution, ticker
"""

FACTORS: Final = """
-- what the portfolio leans on, the most first
select b.factor, count(*) as funds, sum(w.weight * b.beta order by b.ticker) as loading, max(b.session) as session
from multi_factor_betas as b
join target_weights as w on w.ticker = b.ticker
where w.strategy = $strategy and w.session = $session
    and b.session = (select max(session) from multi_factor_betas where session <= $session)
group by b.factor
order by abs(loading) desc, b.factor
"""

SHOCKED: Final = """
-- linear: weight times beta times shock, added over funds and factors; the error bound adds the betas' own errors in size
with shocks as (
    select unnest($factors) as factor, unnest($shocks) as shock
),
held as (
    select ticker, weight from target_weights where strategy = $strategy and session = $session
),
loaded as (
    select h.ticker, h.weight, b.factor, b.beta, b.error, s.shock
    from held as h
    join multi_factor_betas as b on b.ticker = h.ticker
    join shocks as s on s.factor = b.factor
    where b.session = (select max(session) from multi_factor_betas where session <= $session)
)
select
    case grouping(ticker, factor) when 3 then 'total' when 2 then 'factor' else 'fund' end as part,
    coalesce(ticker, factor, 'all') as name,
    case when grouping(ticker, factor) = 2 then sum(weight * beta order by ticker, factor) end as loading,
    sum(weight * beta * shock order by ticker, factor) as profit,
    sum(abs(weight * shock) * error order by ticker, factor) as error_bound
from loaded
group by grouping sets ((ticker), (factor), ())
order by part, profit, name
"""

COVERED: Final = """
select sum(weight) filter (where loaded) as covered, sum(weight) filter (where not loaded) as not_covered
from (
    select weight, ticker in (
        select ticker from multi_factor_betas
        where session = (select max(session) from multi_factor_betas where session <= $session)
    ) as loaded
    from target_weights
    where strategy = $strategy and session = $session and ticker <> 'CASH'
)
"""

SCENARIO_FACTORS: Final = """
select factor, unit, shock, basis, factor_return, exposure, contribution
from stress_factors
where strategy = $strategy and scenario = $scenario
order by contribution, factor
"""

LOSSES: Final = "select distinct loss from reverse_stress where strategy = $strategy order by loss"

REVERSE: Final = """
select factor, unit, shock, shock_sd, contribution, distance, probability, horizon
from reverse_stress
where strategy = $strategy and loss = $loss
order by contribution, factor
"""

VAR_BACKTESTS: Final = "select * from var_backtests where strategy = $strategy order by model, level"

# runs

RUN_WEIGHTS: Final = (
    "select strategy, ticker, session, name, weight from rpt_current_weights where weight <> 0 order by strategy, ticker"
)

RUN_PERFORMANCE: Final = (
    "select strategy, cost_basis, cagr, volatility, sharpe, max_drawdown, turnover, cost_drag from rpt_performance"
)

QUALITY: Final = """
select rule, severity, cast(sum(findings) as bigint) as findings, cast(sum(refused) as bigint) as refused, max(month) as newest
from rpt_quality_trend
group by rule, severity
order by findings desc, rule
"""

QUALITY_NEWEST: Final = "select * from rpt_quality_newest order by place limit 50"

RESTATEMENTS: Final = "select * from rpt_restatements order by known_at desc limit 50"
