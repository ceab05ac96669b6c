-- Edge or no edge, and why: one row per claim on a strategy or forecast, and one over all. Benchmarks claim nothing; correcting
-- bias earns nothing by itself and is judged in `forecast_bias`.
with tests as (
    select
        *,
        count(*) filter (where p_adjusted is not null) over ()                             as n_tests,
        max(case when test = 'observation_t' then statistic end) over (partition by subject) as naive_t,
        max(case when test = 'observation_t' then n end) over (partition by subject)         as naive_n
    from significance_tests
),
claims as (
    select
        case when starts_with(test, 'sharpe_over_') then 'strategy' else 'forecast' end  as kind,
        subject,
        test                                                                            as claim,
        case
            when test = 'ic' then 'Funds that it ranks higher do better afterwards.'
            when test = 'ic_within_class' then 'Among funds of one asset class, those that it ranks higher do better afterwards.'
            when test = 'long_short' then 'The funds it likes best beat those it likes least, before costs.'
            when test = 'timing' then 'Going with the sign of its forecasts beats holding all funds, before costs.'
            when test = 'direction' then 'It tells rises from falls better than chance would.'
            else 'It earns more for its risk than ' || replace(regexp_replace(replace(test, 'sharpe_over_', ''), '([0-9])_([0-9])', '\1/\2'), '_', ' ') || '.'
        end                                                                             as statement,
        case decision when 'significant' then 'edge' when 'insufficient' then 'not_enough_data' else 'no_edge' end as verdict,
        case
            when test = 'ic' then 'Mean rank correlation '
            when test = 'ic_within_class' then 'Mean rank correlation within classes '
            when test = 'direction' then 'Right signs beyond chance '
            when test = 'long_short' then 'Annual Sharpe ratio before costs '
            when test = 'timing' then 'Annual Sharpe ratio beyond holding all, before costs, '
            else 'Annual Sharpe ratio after costs, less that of the benchmark, '
        end
        || coalesce(format('{:.3f}', estimate), 'unknown')
        || case
            when p_adjusted is not null
                then '; by luck alone so good a figure has a chance of '
                || case when p_value < 0.0001 then 'under 0.0001' else format('{:.4f}', p_value) end
                || case when p_adjusted < 0.0001 then ', or under 0.0001' else format(', or {:.4f}', p_adjusted) end
                || format(' once all {} tests count', n_tests)
                || ' (under 0.05 is needed)'
            else '; too little independent data to test'
        end
        || format('. Its {:,} observations are worth {:,.0f} independent ones', n, coalesce(n_effective, 0))
        || case
            when test in ('ic', 'ic_within_class') and naive_t is not null
                then format('; taking all {:,} rows for independent would have said t = {:.1f}', naive_n, naive_t)
            else ''
        end
        || '.'                                                                          as why,
        estimate,
        p_value,
        p_adjusted,
        n                                                                               as n_obs,
        n_effective
    from tests
    where valid and test <> 'bias_correction'
),
-- 685 sessions: the shortest record that could put an annual Sharpe ratio of 1 above zero at 95 %
judged as (
    select
        *,
        sharpe * sqrt(252)                                                              as sharpe_annual,
        sr0 * sqrt(252)                                                                 as luck_annual,
        n_obs / 252.0                                                                   as years,
        min_track_record / 252.0                                                        as years_needed,
        case when verdict = 'edge' then 'edge' when n_obs < 685 then 'not_enough_data' else 'no_edge' end as answer,
        row_number() over (order by dsr desc nulls last, strategy)                      as place
    from overfitting
    where verdict <> 'benchmark'
),
told as (
    select
        *,
        format('Sharpe ratio {:.2f} a year after costs over {:.1f} years', sharpe_annual, years)
        || format('; the best of {} trials without any skill would show {:.2f}', n_trials, luck_annual)
        || format('. Confidence that its true ratio is above that: {:.0f} % (95 % is needed)', 100 * dsr)     as ratio,
        case
            when years_needed is null then ' No length of such a record would prove a ratio above zero.'
            when years_needed > years then format(' Such a record would need {:.1f} years to be above zero.', years_needed)
            else ''
        end                                                                             as record,
        format('In {:.0f} % of the ways to cut history, the strategy with the best record then fell behind', 100 * pbo)
        || ' (under 50 % is needed).'                                                   as choice,
        format('Luck alone would beat the benchmark as well as the best here with a chance of {:.3f}', spa_p)
        || ' (under 0.050 is needed).'                                                  as luck
    from judged
),
strategies as (
    select
        'strategy'                                                                      as kind,
        strategy                                                                        as subject,
        'skill'                                                                         as claim,
        'Its record after costs is better than luck.'                                   as statement,
        answer                                                                          as verdict,
        coalesce(ratio, 'Its record has no spread, so that nothing can be said') || '.' || record || coalesce(' ' || choice, '')
        || coalesce(' ' || luck, '')                                                    as why,
        sharpe_annual                                                                   as estimate,
        1 - psr                                                                         as p_value,
        1 - dsr                                                                         as p_adjusted,
        n_obs,
        cast(null as double)                                                            as n_effective
    from told
),
overall as (
    select
        'overall'                                                                       as kind,
        'all'                                                                           as subject,
        'edge'                                                                          as claim,
        'There is an edge here that luck does not explain.'                             as statement,
        case
            when bool_or(answer = 'edge') then 'edge'
            when bool_and(answer = 'not_enough_data') then 'not_enough_data'
            else 'no_edge'
        end                                                                             as verdict,
        format('{} of {} strategies and ', count(*) filter (where answer = 'edge'), count(*))
        || (select format('{} of {} claims on forecasts stand. ', count(*) filter (where verdict = 'edge'), count(*)) from claims where kind = 'forecast')
        || 'The best record is that of ' || max(replace(strategy, '_', ' ')) filter (where place = 1) || ': '
        || coalesce(max(ratio) filter (where place = 1), 'it has no spread') || '.'
        || coalesce(' ' || max(choice), '') || coalesce(' ' || max(luck), '')           as why,
        max(sharpe_annual) filter (where place = 1)                                     as estimate,
        max(1 - psr) filter (where place = 1)                                           as p_value,
        max(1 - dsr) filter (where place = 1)                                           as p_adjusted,
        max(n_obs) filter (where place = 1)                                             as n_obs,
        cast(null as double)                                                            as n_effective
    from told
    having count(*) > 0
),
answers as (
    select * from overall
    union all
    select * from strategies
    union all
    select * from claims
)
select
    a.kind,
    a.subject,
    a.claim,
    a.statement,
    a.verdict,
    a.why,
    a.estimate,
    a.p_value,
    a.p_adjusted,
    a.n_obs,
    a.n_effective,
    o.psr,
    o.dsr,
    o.n_trials,
    o.min_track_record,
    o.pbo,
    o.spa_p,
    o.in_mcs
from answers as a
left join overfitting as o
    on a.kind = 'strategy' and a.claim = 'skill' and o.strategy = a.subject
