-- Daily bars as the source gives them, one row per source line, under the permanent name of the fund that traded that session.
-- @increment: stg_ticker_history=valid_from
-- Renames and casts only: a bad row is refused by `quality`, never filtered out here.
select
    cast(p.session as date)                     as session,
    coalesce(h.ticker, upper(trim(p.ticker)))   as ticker,
    upper(trim(p.ticker))                       as traded_ticker,
    cast(p.open as double)                      as open,
    cast(p.high as double)                      as high,
    cast(p.low as double)                       as low,
    cast(p.close as double)                     as close,
    cast(p.volume as double)                    as volume,
    upper(p.currency)                           as currency,
    p.exchange,
    p.adjustment,
    p.source,
    p.source_row
from raw_prices as p
left join stg_ticker_history as h
    on h.traded_ticker = upper(trim(p.ticker)) and p.session between h.valid_from and h.valid_to
