-- Two crises, fund by fund: how macro and geopolitical adjustments moved, and whether what they favoured did better afterwards.
with judged as (
    select
        *,
        macro_peak * geo_peak                                            as tilt,
        median(macro_peak * geo_peak) over (partition by event)          as middle_tilt,
        median(return_following) over (partition by event)               as middle_return
    from macro_replays
)
select
    j.event,
    j.rank_peak,
    j.ticker,
    coalesce(d.name, j.ticker)                                           as name,
    j.title,
    j.before,
    j.peak,
    j.after,
    j.macro_before,
    j.geo_before,
    j.macro_peak,
    j.geo_peak,
    j.macro_after,
    j.geo_after,
    j.rank_before,
    j.rank_after,
    j.move,
    row_number() over (partition by j.event order by abs(j.move) desc nulls last, j.ticker)  as place_by_move,
    j.return_following,
    case
        when j.return_following is null then 'return unknown'
        when j.tilt = j.middle_tilt or j.return_following = j.middle_return then 'neither'
        when (j.tilt > j.middle_tilt) = (j.return_following > j.middle_return) then 'right side'
        else 'wrong side'
    end                                                                  as outcome,
    s.mean_ic,
    s.error                                                              as mean_ic_error,
    s.verdict,
    j.macro_as_of,
    j.geo_as_of,
    j.vintage,
    j.reason
from judged as j
left join dim_etf as d
    on d.ticker = j.ticker
left join macro_skill as s
    on s.scope = j.event and s.part = 'both'
