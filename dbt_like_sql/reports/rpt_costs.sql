-- Costs per strategy and year, itemised. Traded is what the ledger counts as traded: mergers, renames and liquidations are not.
select
    strategy,
    cast(year(session) as bigint)  as year,
    coalesce(sum(abs(value)) filter (where kind in ('rebalance', 'delisting')), 0)  as traded_value,
    sum(spread_cost)               as spread_cost,
    sum(impact_cost)               as impact_cost,
    sum(commission)                as commission,
    1e4 * sum(spread_cost + impact_cost + commission)
        / nullif(sum(abs(value)) filter (where kind in ('rebalance', 'delisting')), 0)  as cost_bps
from backtest_trades
group by strategy, cast(year(session) as bigint)
