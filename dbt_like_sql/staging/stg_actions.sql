-- Corporate actions with upper-case tickers.
select
    upper(trim(ticker))           as ticker,
    cast(ex_date as date)         as ex_date,
    kind,
    value,
    cast(pay_date as date)        as pay_date,
    upper(trim(successor))        as successor,
    upper(currency)               as currency,
    available_at,
    source
from raw_actions
