-- The market around the newest session: each macro dimension with what it means, and the regime beside it.
with newest as (
    select max(session)  as session
    from macro_state
),
label as (
    select r.session, r.regime, r.reason
    from regimes as r
    join newest as n
        on r.session <= n.session
    qualify row_number() over (order by r.session desc) = 1
),
stress as (
    select p.stressed, p.stressed_21
    from regime_probabilities as p
    join newest as n
        on p.session <= n.session
    qualify row_number() over (order by p.session desc) = 1
)
select
    m.session,
    m.dimension,
    m.value,
    m.z,
    m.z_change_21,
    m.meaning,
    m.as_of,
    m.released_at,
    m.vintage,
    l.regime,
    l.reason       as regime_reason,
    s.stressed,
    s.stressed_21
from macro_state as m
join newest as n
    on n.session = m.session
left join label as l
    on true
left join stress as s
    on true
