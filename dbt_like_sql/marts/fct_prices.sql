-- One clean bar per (ticker, session): staging less the quarantine, with the dividend and split that take effect at its open.
-- An ex-date without a usable bar takes effect at the next one, and an action that was told late at the first bar at whose close it
-- was known: nothing is lost, and nothing is known early.
-- @increment: lookback=1 stg_actions=ex_date quarantine=session raw_sessions=session
with bars as (
    select p.*, s.closes_at
    from stg_prices as p
    left join raw_sessions as s
        on s.exchange = p.exchange and s.session = p.session
    anti join quarantine as q
        on q.dataset = 'stg_prices' and q.source = p.source and q.source_row = p.source_row
),
actions as (
    select a.*
    from stg_actions as a
    anti join quarantine as q
        on q.dataset = 'stg_actions' and q.source = a.source and q.source_row = a.source_row
),
effects as (
    select a.ticker, greatest(due.session, told.session)  as session, a.kind, a.value
    from actions as a
    asof join bars as due
        on a.ticker = due.ticker and a.ex_date <= due.session
    asof join bars as told
        on a.ticker = told.ticker and a.available_at <= told.closes_at
    where a.kind in ('split', 'dividend')
),
per_session as (
    select
        ticker,
        session,
        sum(value) filter (where kind = 'dividend')   as dividend,
        product(value) filter (where kind = 'split')  as split_ratio
    from effects
    group by ticker, session
)
select
    b.session,
    b.ticker,
    b.open,
    b.high,
    b.low,
    b.close,
    b.volume,
    b.close * b.volume                                                                as traded_value,
    case when b.adjustment = 'split_dividend' then 0 else coalesce(e.dividend, 0) end as dividend,
    case when b.adjustment = 'raw' then coalesce(e.split_ratio, 1) else 1 end         as split_ratio,
    b.currency,
    b.exchange,
    b.adjustment
from bars as b
left join per_session as e
    on e.ticker = b.ticker and e.session = b.session
