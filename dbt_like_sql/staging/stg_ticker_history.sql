-- Tickers that each fund has traded under, as the provider tells it.
select
    upper(trim(fund))                                   as ticker,
    upper(trim(ticker))                                 as traded_ticker,
    cast(valid_from as date)                            as valid_from,
    coalesce(cast(valid_to as date), date '9999-12-31') as valid_to
from raw_ticker_history
