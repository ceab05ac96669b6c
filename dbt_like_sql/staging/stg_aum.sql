-- Assets under management under the permanent names of their funds.
-- @increment: stg_ticker_history=valid_from
select
    coalesce(h.ticker, upper(trim(a.ticker)))  as ticker,
    cast(a.as_of as date)                      as as_of,
    a.aum_value,
    a.available_at
from raw_aum as a
left join stg_ticker_history as h
    on h.traded_ticker = upper(trim(a.ticker)) and a.as_of between h.valid_from and h.valid_to
