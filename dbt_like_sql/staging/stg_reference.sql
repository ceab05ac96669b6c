-- What each fund is, with a plain flag for leveraged and inverse products. Of several tickers of one fund the newest speaks.
-- A row is about the owner that its ticker had when the snapshot was taken, never about an earlier one.
with newest as (
    select ticker, max_by(traded_ticker, valid_from) as traded_ticker
    from stg_ticker_history
    group by ticker
),
owned as (
    select
        coalesce(h.ticker, upper(trim(r.ticker)))           as fund,
        upper(trim(r.ticker))                               as traded_ticker,
        coalesce(h.valid_to, date '2199-12-31')             as until,
        r.*
    from raw_reference as r
    left join stg_ticker_history as h
        on h.traded_ticker = upper(trim(r.ticker)) and cast(r.snapshot_at as date) >= h.valid_from
    qualify row_number() over (partition by upper(trim(r.ticker)) order by h.valid_from desc) = 1
),
named as (
    select *
    from owned
    qualify row_number() over (partition by fund order by until desc, traded_ticker) = 1
)
select
    n.fund                                          as ticker,
    coalesce(newest.traded_ticker, n.traded_ticker) as traded_ticker,
    n.name,
    n.asset_class,
    n.category,
    n.family,
    upper(n.currency)                               as currency,
    n.exchange,
    n.inception,
    n.expense_ratio,
    n.leverage <> 1                                 as is_geared,
    n.leverage,
    n.aum_value,
    n.snapshot_at
from named as n
left join newest
    on newest.ticker = n.fund
