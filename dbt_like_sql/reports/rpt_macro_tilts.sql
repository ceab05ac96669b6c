-- What the macro and geopolitical multipliers moved in the newest ranks, fund by fund, and what they rest on.
with newest as (
    select max(session)  as session
    from scores
),
ranked as (
    select
        s.*,
        -- the score without both parts, ranked as scores are
        rank() over (order by s.score - s.macro_part - s.geo_part desc, s.ticker)  as rank_without
    from scores as s
    join newest as n
        on n.session = s.session
)
select
    r.ticker,
    r.session,
    e.name,
    e.asset_class,
    r.rank,
    r.rank_without,
    r.rank_without - r.rank    as places_gained,
    r.score,
    r.macro_part,
    r.geo_part,
    r.macro_multiplier,
    r.geo_multiplier,
    r.macro_as_of,
    r.geo_as_of,
    m.vintage,
    m.reason
from ranked as r
left join dim_etf as e
    on e.ticker = r.ticker
left join macro_adjustments as m
    on m.ticker = r.ticker and m.session = r.session
