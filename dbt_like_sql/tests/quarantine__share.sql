-- More than one bar in two hundred refused: the source is broken, and a run on the rest would mislead.
-- A bar that steps back because another source speaks for it is not broken, and neither counts nor is it counted with.
with refused as (
    select count(*) as n
    from quarantine
    where dataset in ('raw_prices', 'stg_prices') and rule <> 'second_source'
),
stepped_back as (
    select count(*) as n
    from quarantine
    where dataset = 'stg_prices' and rule = 'second_source'
),
bars as (
    select count(*) as n
    from stg_prices
)
select r.n as refused, b.n - s.n as bars
from refused as r
cross join stepped_back as s
cross join bars as b
where r.n > 0.005 * (b.n - s.n)
