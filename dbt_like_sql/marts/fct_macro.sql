-- Each macro series as it was known at the close of each session of the main exchange.
-- @increment: raw_sessions=session stg_macro=available_at
with days as (
    select s.session, s.closes_at
    from raw_sessions as s
    semi join fct_prices as p
        on p.session = s.session and p.exchange = s.exchange
    where s.is_main
),
wanted as (
    select d.session, d.closes_at, m.series
    from days as d
    cross join (select distinct series from stg_macro) as m
),
released as (
    select *, max(period) over (partition by series order by available_at)  as newest_period
    from stg_macro
),
-- of periods released at one instant the newest counts, and a late revision of an older one does not hide a newer
current_values as (
    select *
    from released
    where period = newest_period
)
select
    w.session,
    w.series,
    m.value,
    m.period,
    m.available_at  as released_at,
    m.vintage
from wanted as w
asof join current_values as m
    on w.series = m.series and w.closes_at >= m.available_at
