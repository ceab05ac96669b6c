-- How much the most traded fund of each asset class swings: forecasts over three horizons beside what was realised.
with newest as (
    select max(session)  as session
    from volatilities
)
select
    e.asset_class,
    v.ticker,
    e.name,
    v.session,
    l.daily_value,
    v.garch_21,
    v.garch_63,
    v.garch_252,
    v.composite,
    v.realised_30,
    v.realised_90,
    v.realised_252,
    v.volatility,
    v.source
from volatilities as v
join newest as n
    on n.session = v.session
join dim_etf as e
    on e.ticker = v.ticker
join liquidity as l
    on l.ticker = v.ticker and l.session = v.session
where e.asset_class is not null and l.daily_value is not null
qualify row_number() over (partition by e.asset_class order by l.daily_value desc, v.ticker) = 1
