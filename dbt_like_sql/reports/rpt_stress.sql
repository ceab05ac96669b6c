-- Stress results of the current weights, the worst scenario first and simulations after them, with the fund and the factor that
-- hurt most.
with worst as (
    select
        strategy,
        scenario,
        arg_min(ticker, contribution)  as worst_ticker,
        min(contribution)              as worst_contribution
    from stress_contributions
    group by strategy, scenario
),

worst_factors as (
    select
        strategy,
        scenario,
        arg_min(factor, contribution)  as worst_factor,
        min(contribution)              as worst_factor_contribution
    from stress_factors
    group by strategy, scenario
)

select
    r.strategy,
    -- a CVaR over a year is no event: it does not stand before what has happened
    row_number() over (partition by r.strategy order by r.kind = 'monte_carlo', r.profit, r.scenario)  as place,
    r.scenario,
    r.title,
    r.kind,
    r.horizon,
    r.profit,
    r.low,
    r.high,
    r.standard_error,
    r.coverage,
    w.worst_ticker,
    w.worst_contribution,
    f.worst_factor,
    f.worst_factor_contribution
from stress_results as r
left join worst as w
    on w.strategy = r.strategy and w.scenario = r.scenario
left join worst_factors as f
    on f.strategy = r.strategy and f.scenario = r.scenario
