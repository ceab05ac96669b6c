-- Clean bars whose source row was refused.
select p.ticker, p.session
from fct_prices as p
join stg_prices as s
    on s.ticker = p.ticker and s.session = p.session
join quarantine as q
    on q.source = s.source and q.source_row = s.source_row
where not exists (
    select 1
    from stg_prices as other
    where other.ticker = p.ticker and other.session = p.session and other.source_row <> s.source_row
)
