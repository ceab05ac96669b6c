-- The newest known version of every clean bar, and whether and when its source restated it: what most questions about prices want.
-- @increment: raw_corrections=session stg_ticker_history=valid_from
with restated as (
    select
        coalesce(h.ticker, upper(trim(c.ticker)))  as ticker,
        c.session,
        max(c.known_at)                            as restated_at,
        count(*)                                   as corrections
    from raw_corrections as c
    left join stg_ticker_history as h
        on h.traded_ticker = upper(trim(c.ticker)) and c.session between h.valid_from and h.valid_to
    semi join stg_prices as s  -- a log of another source says nothing of these bars
        on s.source = c.source
    where c.dataset = 'raw_prices'
    group by 1, 2
)
select
    p.session,
    p.ticker,
    p.open,
    p.high,
    p.low,
    p.close,
    p.volume,
    p.dividend,
    p.split_ratio,
    p.adjustment,
    r.restated_at,
    coalesce(r.corrections, 0)  as corrections
from fct_prices as p
left join restated as r
    on r.ticker = p.ticker and r.session = p.session
