-- The newest target weights of each strategy, with everything that explains them.
with newest as (
    select strategy, max(session) as session
    from target_weights
    group by strategy
)
select
    w.strategy,
    w.ticker,
    w.session,
    e.name,
    e.asset_class,
    w.weight,
    w.previous_weight,
    w.weight - w.previous_weight  as trade,
    w.expected_return,
    f.expected_return             as forecast,
    w.volatility,
    w.risk_contribution,
    s.score,
    s.rank,
    s.forecast_part,
    s.momentum_part,
    s.risk_part,
    s.liquidity_part,
    s.cost_part,
    s.macro_part,
    s.geo_part,
    s.macro_as_of,
    s.geo_as_of,
    l.half_spread,
    w.cost,
    r.regime,
    s.stressed
from target_weights as w
join newest as n
    on n.strategy = w.strategy and n.session = w.session
left join dim_etf as e
    on e.ticker = w.ticker
left join forecasts as f
    on f.ticker = w.ticker and f.session = w.session
left join scores as s
    on s.ticker = w.ticker and s.session = w.session
left join liquidity as l
    on l.ticker = w.ticker and l.session = w.session
left join regimes as r
    on r.session = w.session
