-- Funds that ended, or whose end is announced, as far as is known by now.
select
    l.ticker,
    e.name,
    e.asset_class,
    l.inception,
    l.first_session,
    l.announced_at,
    l.last_session,
    l.fate,
    l.liquidation_value,
    l.pay_date,
    l.successor,
    l.ratio,
    l.basis,
    l.known_from,
    l.evidence
from dim_lifecycle as l
left join dim_etf as e
    on e.ticker = l.ticker
where l.is_current and l.fate <> 'listed'
