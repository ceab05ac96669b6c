-- Strategies or benchmarks with a record, but without a judgement in `overfitting` or a trial in the ledger.
select p.strategy, o.strategy is null as not_judged, t.name is null as not_in_ledger
from (select distinct strategy from performance) as p
left join overfitting as o
    on o.strategy = p.strategy
left join (select distinct name from trial_ledger where kind in ('backtest_strategy', 'manual')) as t
    on t.name = p.strategy
where o.strategy is null or t.name is null
