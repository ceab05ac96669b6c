-- Blocking rules broken in the newest session by more of its bars than the settings allow (`quality.block`).
-- The newest session is the newest whose date can be right: a bar dated on a closed day or in the future names none.
with dated as (
    select p.session, p.source, p.source_row
    from stg_prices as p
    anti join quarantine as q
        on
            q.dataset = 'stg_prices' and q.source = p.source and q.source_row = p.source_row
            and q.rule in ('future_date', 'not_a_session', 'unknown_exchange')
),
newest as (
    select session, count(*) as bars
    from dated
    where session = (select max(session) from dated)
    group by session
),
broken as (
    select rule, session, count(*) as findings, min(ticker || ': ' || found) as example
    from quality_findings
    group by rule, session
)
select b.rule, b.session, b.findings, n.bars, r.blocks_above, r.remedy, b.example
from broken as b
inner join newest as n
    on n.session = b.session
inner join quality_rules as r
    on r.rule = b.rule
where r.blocks_above is not null and b.findings > r.blocks_above * n.bars
