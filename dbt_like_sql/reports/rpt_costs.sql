-- Costs per strategy and year, itemised, and the half-spread charged beside what bars of the month before say. Traded is what the
-- ledger counts as traded: mergers, renames and liquidations are not.
with seen as (
    select ticker, date_trunc('month', session) as month, spread, resolution
    from spread_estimates
    where estimator = 'edge' and spread is not null
)

select
    t.strategy,
    cast(year(t.session) as bigint)  as year,
    coalesce(sum(abs(t.value)) filter (where t.kind in ('rebalance', 'delisting')), 0)  as traded_value,
    sum(t.spread_cost)               as spread_cost,
    sum(t.impact_cost)               as impact_cost,
    sum(t.commission)                as commission,
    1e4 * sum(t.spread_cost + t.impact_cost + t.commission)
        / nullif(sum(abs(t.value)) filter (where t.kind in ('rebalance', 'delisting')), 0)  as cost_bps,
    1e4 * sum(t.spread_cost) filter (where t.kind = 'rebalance')
        / nullif(sum(abs(t.value)) filter (where t.kind = 'rebalance'), 0)  as half_spread_bps,
    5e3 * sum(abs(t.value) * s.spread) filter (where t.kind = 'rebalance')
        / nullif(sum(abs(t.value)) filter (where t.kind = 'rebalance' and s.spread is not null), 0)  as half_spread_estimate_bps,
    5e3 * sum(abs(t.value) * s.resolution) filter (where t.kind = 'rebalance')
        / nullif(sum(abs(t.value)) filter (where t.kind = 'rebalance' and s.spread is not null), 0)  as half_spread_resolution_bps
from backtest_trades as t
left join seen as s on s.ticker = t.ticker and s.month = date_trunc('month', t.session) - interval 1 month
group by t.strategy, cast(year(t.session) as bigint)
