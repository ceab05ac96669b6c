-- Daily bars as the source gives them, one row per source line, upper-case tickers.
-- Renames and casts only: a bad row is refused by `quality`, never filtered out here.
select
    cast(session as date)         as session,
    upper(trim(ticker))           as ticker,
    cast(open as double)          as open,
    cast(high as double)          as high,
    cast(low as double)           as low,
    cast(close as double)         as close,
    cast(volume as double)        as volume,
    upper(currency)               as currency,
    exchange,
    adjustment,
    source,
    source_row
from raw_prices
