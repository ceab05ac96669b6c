-- Findings per month and rule, beside the bars of the month: is the source getting better or worse?
with bars as (
    select date_trunc('month', session) as month, count(*) as bars
    from stg_prices
    group by all
),
refused as (
    select date_trunc('month', session) as month, rule, count(*) as refused
    from quarantine
    where session is not null
    group by all
),
found as (
    select
        date_trunc('month', session)  as month,
        rule,
        count(*)                      as findings,
        count(distinct ticker)        as tickers
    from quality_findings
    group by all
)
select
    cast(f.month as date)          as month,
    f.rule,
    r.severity,
    f.findings,
    f.tickers,
    coalesce(q.refused, 0)         as refused,
    coalesce(b.bars, 0)            as bars,
    1e5 * f.findings / b.bars      as per_hundred_thousand
from found as f
left join quality_rules as r
    on r.rule = f.rule
left join refused as q
    on q.month = f.month and q.rule = f.rule
left join bars as b
    on b.month = f.month
