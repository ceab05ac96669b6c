-- Tickers that each fund has traded under, as the provider tells it. One that goes on is valid to the last year-end that a
-- nanosecond timestamp can hold.
select
    upper(trim(fund))                                   as ticker,
    upper(trim(ticker))                                 as traded_ticker,
    cast(valid_from as date)                            as valid_from,
    coalesce(cast(valid_to as date), date '2261-12-31') as valid_to
from raw_ticker_history
