-- Backtest measures per strategy, before and after costs, beside the market, equal weights, the optimiser without its rule, and plain scores.
with differences as (
    select
        strategy,
        cost_basis,
        replace(measure, 'sharpe_minus_', '')  as reference,
        value,
        measure not in ('sharpe_minus_equal_weight', 'sharpe_minus_max_sharpe_no_rule', 'sharpe_minus_score_ranking')  as is_market
    from performance
    where measure like 'sharpe_minus_%' and measure not like '%_p'
),

chances as (
    select strategy, cost_basis, replace(replace(measure, 'sharpe_minus_', ''), '_p', '')  as reference, value
    from performance
    where measure like 'sharpe_minus_%_p'
),

compared as (
    select
        d.strategy,
        d.cost_basis,
        max(d.value) filter (where d.is_market)                              as sharpe_minus_market,
        max(c.value) filter (where d.is_market)                              as sharpe_minus_market_p,
        max(d.value) filter (where d.reference = 'equal_weight')             as sharpe_minus_equal_weight,
        max(c.value) filter (where d.reference = 'equal_weight')             as sharpe_minus_equal_weight_p,
        max(d.value) filter (where d.reference = 'max_sharpe_no_rule')       as sharpe_minus_no_rule,
        max(c.value) filter (where d.reference = 'max_sharpe_no_rule')       as sharpe_minus_no_rule_p,
        max(d.value) filter (where d.reference = 'score_ranking')            as sharpe_minus_score_ranking,
        max(c.value) filter (where d.reference = 'score_ranking')            as sharpe_minus_score_ranking_p,
        max(b.multiple) filter (where d.is_market)                           as break_even_market,
        max(b.multiple) filter (where d.reference = 'equal_weight')          as break_even_equal_weight
    from differences as d
    left join chances as c on c.strategy = d.strategy and c.cost_basis = d.cost_basis and c.reference = d.reference
    left join break_even as b on b.strategy = d.strategy and b.benchmark = d.reference
    group by d.strategy, d.cost_basis
),

cash as (
    select strategy, multiple, 1e4 * cost_charged as cost_bps, 1e4 * cost_break_even as break_even_cost_bps
    from break_even
    where benchmark = 'CASH'
),

measured as (
    select
        strategy,
        cost_basis,
        min(start)                                              as start,
        max("end")                                              as "end",
        max(value) filter (where measure = 'cagr')              as cagr,
        max(value) filter (where measure = 'volatility')        as volatility,
        max(value) filter (where measure = 'sharpe')            as sharpe,
        max(ci_low) filter (where measure = 'sharpe')           as sharpe_low,
        max(ci_high) filter (where measure = 'sharpe')          as sharpe_high,
        max(value) filter (where measure = 'sortino')           as sortino,
        max(value) filter (where measure = 'calmar')            as calmar,
        max(value) filter (where measure = 'max_drawdown')      as max_drawdown,
        max(value) filter (where measure = 'cvar_95')           as cvar_95,
        max(value) filter (where measure = 'beta')              as beta,
        max(value) filter (where measure = 'alpha')             as alpha,
        max(ci_low) filter (where measure = 'alpha')            as alpha_low,
        max(ci_high) filter (where measure = 'alpha')           as alpha_high,
        max(value) filter (where measure = 'turnover')          as turnover,
        max(value) filter (where measure = 'cost_drag')         as cost_drag
    from performance
    group by strategy, cost_basis
)

select
    m.strategy, m.cost_basis, m.start, m."end", m.cagr, m.volatility, m.sharpe, m.sharpe_low, m.sharpe_high, m.sortino, m.calmar,
    m.max_drawdown, m.cvar_95, m.beta, m.alpha, m.alpha_low, m.alpha_high, m.turnover, m.cost_drag,
    p.sharpe_minus_market, p.sharpe_minus_market_p, p.sharpe_minus_equal_weight, p.sharpe_minus_equal_weight_p,
    p.sharpe_minus_no_rule, p.sharpe_minus_no_rule_p, p.sharpe_minus_score_ranking, p.sharpe_minus_score_ranking_p,
    case when m.cost_basis = 'net' then c.cost_bps end  as cost_bps,
    case when m.cost_basis = 'net' then c.break_even_cost_bps end  as break_even_cost_bps,
    case when m.cost_basis = 'net' then p.break_even_market end  as break_even_market,
    case when m.cost_basis = 'net' then p.break_even_equal_weight end  as break_even_equal_weight
from measured as m
left join compared as p on p.strategy = m.strategy and p.cost_basis = m.cost_basis
left join cash as c on c.strategy = m.strategy
