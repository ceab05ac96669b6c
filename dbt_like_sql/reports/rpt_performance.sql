-- Backtest measures per strategy, before and after costs.
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
    max(value) filter (where measure = 'turnover')          as turnover,
    max(value) filter (where measure = 'cost_drag')         as cost_drag
from performance
group by strategy, cost_basis
