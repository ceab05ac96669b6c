-- One row per fund that has a clean bar: what it is. Facts that do not change over its life, and nothing that looks ahead.
with traded as (
    select
        ticker,
        max(currency)  as currency,
        max(exchange)  as exchange
    from fct_prices
    group by ticker
)
select
    t.ticker,
    coalesce(r.traded_ticker, t.ticker)  as traded_ticker,
    r.name,
    coalesce(r.asset_class, 'unknown')  as asset_class,
    r.category,
    r.family,
    t.currency,
    t.exchange,
    r.inception,
    r.expense_ratio,
    coalesce(r.is_geared, false)        as is_geared
from traded as t
left join stg_reference as r
    on r.ticker = t.ticker
