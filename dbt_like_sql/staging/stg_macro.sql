-- Macro series by release instant.
select
    upper(series)                 as series,
    period,
    value,
    unit,
    available_at,
    vintage
from raw_macro
