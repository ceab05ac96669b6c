-- Spells of each market state: from when to when, what the market did, and what volatility and the hidden Markov model said.
-- A state is known at its first session's close: `return_when_known` runs from there to the close that ends it.
with marked as (
    select
        r.session,
        r.regime,
        r.vix,
        r.index_close,
        p.stressed,
        lag(r.index_close) over (order by r.session)              as previous_close,
        lead(r.index_close) over (order by r.session)             as next_close,
        r.regime is distinct from lag(r.regime) over (order by r.session)  as begins
    from regimes as r
    left join regime_probabilities as p
        on p.session = r.session
),
numbered as (
    select *, count(*) filter (where begins) over (order by session)  as spell
    from marked
),
fallen as (
    select
        *,
        greatest(
            max(index_close) over (partition by spell order by session),
            first_value(previous_close) over (partition by spell order by session)
        )                           as high,
        max(spell) over ()          as newest_spell
    from numbered
),
spells as (
    select
        spell,
        any_value(regime)                                as regime,
        min(session)                                     as "start",
        max(session)                                     as last_session,
        any_value(spell = newest_spell)                  as is_open,
        count(*)                                         as sessions,
        arg_max(index_close, session)                    as last_close,
        arg_min(index_close, session)                    as first_close,
        arg_min_null(previous_close, session)            as close_before,
        arg_max_null(next_close, session)                as close_after,
        max(1 - index_close / high)                      as max_drawdown,
        avg(vix)                                         as mean_vix,
        avg(stressed)                                    as mean_stressed
    from fallen
    group by spell
)
select
    "start",
    case when not is_open then last_session end              as "end",
    is_open,
    regime,
    sessions,
    last_close / coalesce(close_before, first_close) - 1      as market_return,
    coalesce(close_after, last_close) / first_close - 1       as return_when_known,
    max_drawdown,
    mean_vix,
    mean_stressed
from spells
