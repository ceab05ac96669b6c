-- Survivors less all funds, one row per study.
with held as (
    select screens, rule, count(*) filter (where held_to_end) as n_held_to_end
    from survivorship_endings
    group by screens, rule
),
gaps as (
    select
        screens,
        rule,
        asset_class,
        min(start)                                               as start,
        max("end")                                               as "end",
        max(n_funds)                                             as n_funds,
        max(n_ended)                                             as n_ended,
        max("full") filter (where measure = 'cagr')              as cagr_full,
        max(survivors) filter (where measure = 'cagr')           as cagr_survivors,
        max(gap) filter (where measure = 'cagr')                 as cagr_gap,
        max(ci_low) filter (where measure = 'cagr')              as cagr_gap_low,
        max(ci_high) filter (where measure = 'cagr')             as cagr_gap_high,
        max(gap) filter (where measure = 'sharpe')               as sharpe_gap,
        max(ci_low) filter (where measure = 'sharpe')            as sharpe_gap_low,
        max(ci_high) filter (where measure = 'sharpe')           as sharpe_gap_high,
        max(gap) filter (where measure = 'max_drawdown')         as max_drawdown_gap,
        max(verdict) filter (where measure = 'cagr')             as verdict
    from survivorship
    group by screens, rule, asset_class
)
select
    g.screens,
    g.rule,
    g.asset_class,
    g.start,
    g."end",
    g.n_funds,
    g.n_ended,
    case when g.asset_class = 'all' then coalesce(h.n_held_to_end, 0) end  as n_held_to_end,
    g.cagr_full,
    g.cagr_survivors,
    g.cagr_gap,
    g.cagr_gap_low,
    g.cagr_gap_high,
    g.sharpe_gap,
    g.sharpe_gap_low,
    g.sharpe_gap_high,
    g.max_drawdown_gap,
    g.verdict
from gaps as g
left join held as h
    on h.screens = g.screens and h.rule = g.rule
