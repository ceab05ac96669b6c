-- Newest factor exposures of each strategy beside its benchmarks, and of every fund that it holds, with drift alarms.
with newest as (
    select strategy, max(session) as session
    from portfolio_exposures
    group by strategy
),
held as (
    select w.strategy, w.session, w.ticker, w.weight
    from target_weights as w
    join newest as n
        on n.strategy = w.strategy and n.session = w.session
    where w.weight > 0 and w.ticker <> 'CASH'
)
select
    p.strategy,
    'PORTFOLIO'                       as holder,
    p.benchmark,
    p.factor,
    p.session,
    p.factor_session,
    cast(1.0 as double)               as weight,
    p.loading,
    p.error,
    p.active,
    p.active_error,
    p.coverage,
    cast(null as double)              as r_squared,
    cast(null as boolean)             as is_weak,
    cast(null as varchar)             as match,
    cast(null as boolean)             as alarm,
    cast(null as varchar)             as drift
from portfolio_exposures as p
join newest as n
    on n.strategy = p.strategy and n.session = p.session
union all
select
    h.strategy,
    h.ticker                          as holder,
    'none'                            as benchmark,
    coalesce(e.factor, 'unknown')     as factor,
    h.session,
    f.factor_session,
    h.weight,
    e.loading,
    e.error,
    cast(null as double)              as active,
    cast(null as double)              as active_error,
    case when e.loading is null then 0.0 else 1.0 end  as coverage,
    f.r_squared,
    f.is_weak,
    f.match,
    d.alarm,
    d.reason                          as drift
from held as h
left join factor_exposures as e
    on e.ticker = h.ticker and e.session = h.session
left join factor_fits as f
    on f.ticker = h.ticker and f.session = h.session
left join style_drift as d
    on d.ticker = h.ticker and d.session = h.session
