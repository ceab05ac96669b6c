-- What each fund is, with a plain flag for leveraged and inverse products.
select
    upper(trim(ticker))           as ticker,
    name,
    asset_class,
    category,
    family,
    upper(currency)               as currency,
    exchange,
    inception,
    expense_ratio,
    leverage <> 1                 as is_geared,
    leverage,
    aum_value,
    snapshot_at
from raw_reference
