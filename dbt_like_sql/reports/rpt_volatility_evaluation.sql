-- Volatility estimators beside a year's standard deviation: on how many funds better, worse or neither, and on all together.
with funds as (
    select
        estimator,
        count(*)                                         as funds,
        avg(cast(verdict = 'better' as double))          as better,
        avg(cast(verdict = 'worse' as double))           as worse,
        avg(cast(verdict = 'no_difference' as double))   as no_difference,
        median(mz_slope)                                 as mz_slope_median,
        avg(cast(mz_p >= 0.05 as double))                as unbiased
    from volatility_evaluation
    where ticker <> 'all' and verdict <> 'too_few'
    group by estimator
)
select
    p.estimator,
    coalesce(f.funds, 0)  as funds,
    p.n                   as outcomes,
    f.better,
    f.worse,
    f.no_difference,
    p.qlike,
    p.qlike_difference,
    p.dm,
    p.dm_p,
    p.dm_p_adjusted,
    p.mz_slope,
    f.mz_slope_median,
    f.unbiased,
    p.verdict
from volatility_evaluation as p
left join funds as f
    on f.estimator = p.estimator
where p.ticker = 'all'
