-- Stated holdings at their price: that of the statement, else the newest close up to its day. Cash is worth its amount.
with closes as (
    select h.strategy, h.as_of, h.ticker, max(p.session) as session
    from raw_holdings as h
    join fct_prices as p
        on p.ticker = h.ticker and p.session <= h.as_of
    group by h.strategy, h.as_of, h.ticker
)
select
    h.strategy,
    h.as_of,
    h.ticker,
    h.shares,
    case when h.ticker = 'CASH' then 1 else coalesce(h.price, p.close) end             as price,
    case when h.ticker = 'CASH' or h.price is not null then h.as_of else c.session end  as priced_on,
    h.shares * case when h.ticker = 'CASH' then 1 else coalesce(h.price, p.close) end   as value,
    h.available_at
from raw_holdings as h
left join closes as c
    on c.strategy = h.strategy and c.as_of = h.as_of and c.ticker = h.ticker
left join fct_prices as p
    on p.ticker = c.ticker and p.session = c.session
