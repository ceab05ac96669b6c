-- Adaptive weights against others, one line per comparison: differences on the same sessions, and what they decide.
with difference as (
    select subject, against, measure, regime, estimate, ci_low, ci_high, p_adjusted, n, verdict, note
    from scoring_comparison
    where against <> 'nothing'
),
level as (
    select subject, measure, estimate
    from scoring_comparison
    where against = 'nothing' and regime = 'all'
),
compared as (
    select
        d.subject,
        d.against,
        max(d.n) filter (where d.measure = 'ic' and d.regime = 'all')                        as sessions,
        max(s.estimate) filter (where d.measure = 'ic' and d.regime = 'all')                 as ic,
        max(a.estimate) filter (where d.measure = 'ic' and d.regime = 'all')                 as ic_against,
        max(d.estimate) filter (where d.measure = 'ic' and d.regime = 'all')                 as ic_difference,
        max(d.ci_low) filter (where d.measure = 'ic' and d.regime = 'all')                   as ic_ci_low,
        max(d.ci_high) filter (where d.measure = 'ic' and d.regime = 'all')                  as ic_ci_high,
        max(d.p_adjusted) filter (where d.measure = 'ic' and d.regime = 'all')               as ic_p_adjusted,
        max(d.estimate) filter (where d.measure = 'ic_within_class' and d.regime = 'all')    as ic_within_class_difference,
        max(d.p_adjusted) filter (where d.measure = 'ic_within_class' and d.regime = 'all')  as ic_within_class_p_adjusted,
        max(d.estimate) filter (where d.measure = 'top_excess' and d.regime = 'all')         as top_excess_difference,
        max(d.p_adjusted) filter (where d.measure = 'top_excess' and d.regime = 'all')       as top_excess_p_adjusted,
        max(s.estimate) filter (where d.measure = 'turnover' and d.regime = 'all')           as turnover,
        max(a.estimate) filter (where d.measure = 'turnover' and d.regime = 'all')           as turnover_against,
        max(d.estimate) filter (where d.measure = 'ic' and d.regime = 'bull')                as ic_difference_bull,
        max(d.estimate) filter (where d.measure = 'ic' and d.regime = 'bear')                as ic_difference_bear,
        max(d.estimate) filter (where d.measure = 'ic' and d.regime = 'sideways')            as ic_difference_sideways,
        max(d.verdict) filter (where d.measure = 'ic' and d.regime = 'bull')                 as verdict_bull,
        max(d.verdict) filter (where d.measure = 'ic' and d.regime = 'bear')                 as verdict_bear,
        max(d.verdict) filter (where d.measure = 'ic' and d.regime = 'sideways')             as verdict_sideways,
        max(d.verdict) filter (where d.measure = 'ic' and d.regime = 'all')                  as verdict_ic,
        max(d.verdict) filter (where d.measure = 'ic_within_class' and d.regime = 'all')     as verdict_within_class,
        max(d.verdict) filter (where d.measure = 'top_excess' and d.regime = 'all')          as verdict_top_excess,
        max(d.note) filter (where d.measure = 'ic_within_class' and d.regime = 'all')        as note
    from difference as d
    left join level as s
        on s.subject = d.subject and s.measure = d.measure
    left join level as a
        on a.subject = d.against and a.measure = d.measure
    group by d.subject, d.against
)
-- Ranking funds of different classes is passed by a preference for the class that did better: it decides nothing alone.
select
    c.*,
    case
        when c.verdict_within_class = 'not_judged' then 'not_judged'
        when 'adaptive_better' in (c.verdict_within_class, c.verdict_top_excess)
            and 'adaptive_worse' not in (c.verdict_within_class, c.verdict_top_excess) then 'adaptive_better'
        when 'adaptive_worse' in (c.verdict_within_class, c.verdict_top_excess)
            and 'adaptive_better' not in (c.verdict_within_class, c.verdict_top_excess) then 'adaptive_worse'
        when c.verdict_within_class = 'insufficient' then 'insufficient'
        else 'no_difference'
    end  as verdict
from compared as c
