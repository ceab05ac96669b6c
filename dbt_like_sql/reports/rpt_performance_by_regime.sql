-- Results in each market state as it was known before the session, one row per strategy, cost basis and state.
select
    strategy,
    cost_basis,
    regime,
    max(n_sessions)                                           as n_sessions,
    max(share)                                                as share,
    max(value) filter (where measure = 'mean_return')         as mean_return,
    max(value) filter (where measure = 'active_return')       as active_return,
    max(ci_low) filter (where measure = 'active_return')      as active_return_low,
    max(ci_high) filter (where measure = 'active_return')     as active_return_high,
    max(value) filter (where measure = 'volatility')          as volatility,
    max(value) filter (where measure = 'sharpe')              as sharpe,
    max(ci_low) filter (where measure = 'sharpe')             as sharpe_low,
    max(ci_high) filter (where measure = 'sharpe')            as sharpe_high,
    max(value) filter (where measure = 'max_drawdown')        as max_drawdown
from performance_by_regime
group by strategy, cost_basis, regime
