-- The newest findings, the gravest first within a session, with what to do about each.
with ordered as (
    select
        f.*,
        q.rule is not null  as refused,
        row_number() over (
            order by
                f.session desc,
                case f.severity when 'error' then 0 when 'warning' then 1 else 2 end,
                f.rule, f.ticker, f.dataset, f.source, f.source_row
        )                   as place
    from quality_findings as f
    left join quarantine as q
        on q.dataset = f.dataset and q.source = f.source and q.source_row = f.source_row and q.rule = f.rule
    where f.severity <> 'info'
)
select place, session, ticker, rule, severity, refused, dataset, source, source_row, found, remedy
from ordered
where place <= 50
