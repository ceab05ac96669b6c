-- The ten deepest drawdowns of each strategy, after costs.
with placed as (
    select
        *,
        row_number() over (partition by strategy order by depth desc, peak)  as place
    from drawdowns
)
select strategy, place, peak, trough, recovery, depth, sessions_under, is_open
from placed
where place <= 10
