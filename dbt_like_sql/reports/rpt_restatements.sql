-- Values that a source gave otherwise later, per fetch, table and ticker: how much of the stored past was rewritten, and by how much.
with parts as (
    select
        *,
        try_cast(old_value as double)  as before,
        try_cast(new_value as double)  as after
    from raw_corrections
)
select
    known_at,
    dataset,
    ticker,
    string_agg(distinct field, ', ' order by field)                           as fields,
    count(*)                                                                  as changes,
    count(distinct session)                                                   as sessions,
    min(session)                                                              as first_session,
    max(session)                                                              as last_session,
    max(abs(after / before - 1)) filter (where before <> 0 and isfinite(after / before))  as largest_change
from parts
group by known_at, dataset, ticker
