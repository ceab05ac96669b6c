-- Findings per session and rule, beside the bars of that session and the rows refused.
with bars as (
    select session, count(*) as bars
    from stg_prices
    group by session
),
refused as (
    select session, rule, count(*) as refused
    from quarantine
    where session is not null
    group by session, rule
),
found as (
    select
        session,
        rule,
        case
            when bool_or(severity = 'error') then 'error'
            when bool_or(severity = 'warning') then 'warning'
            else 'info'
        end                     as severity,
        count(*)                as findings,
        count(distinct ticker)  as tickers,
        min(ticker || ': ' || found)  as example
    from quality_findings
    group by session, rule
)
select
    f.session,
    f.rule,
    f.severity,
    f.findings,
    f.tickers,
    coalesce(r.refused, 0)  as refused,
    coalesce(b.bars, 0)     as bars,
    f.example
from found as f
left join refused as r
    on r.session = f.session and r.rule = f.rule
left join bars as b
    on b.session = f.session
