-- More than one bar in two hundred refused: the source is broken, and a run on the rest would mislead.
with refused as (
    select count(*) as n
    from quarantine
),
bars as (
    select count(*) as n
    from stg_prices
)
select r.n as refused, b.n as bars
from refused as r
cross join bars as b
where r.n > 0.005 * b.n
