-- Decisions whose gain, hurdle or verdict does not follow from the figures they rest on.
with ratios as (
    select
        *,
        case when target_volatility > 0 then target_volatility else held_volatility end         as at_volatility,
        case when target_volatility > 0 then target_excess / target_volatility else 0 end       as target_sharpe,
        case when held_volatility > 0 then held_excess / held_volatility else 0 end             as held_sharpe,
        risk_aversion / 2 * (held_volatility ** 2 - target_volatility ** 2)                     as variance_gain
    from rebalance_decisions
),
yearly as (
    select
        *,
        case measure
            when 'sharpe' then (target_sharpe - held_sharpe) * at_volatility
            when 'utility' then target_excess - held_excess + variance_gain
            when 'variance' then variance_gain
        end as yearly_gain
    from ratios
)
select strategy, session, verdict, gain, hurdle, yearly_gain
from yearly
where abs(hurdle - cost_hurdle * cost) > 1e-12
    or coalesce(abs(gain - yearly_gain * horizon / 252) > 1e-10, false)
    or (verdict = 'hold_cost' and not coalesce(gain <= hurdle, false))
    or (verdict = 'hold_band' and largest_trade > no_trade_band)
    or (ruled and verdict = 'trade' and (largest_trade <= no_trade_band or coalesce(gain <= hurdle, false)))
    or (verdict = 'forced') <> (breach <> '' and verdict not in ('first', 'hold_fallback'))
    or traded = (verdict like 'hold%')
    or (ruled and verdict in ('trade', 'hold_band', 'hold_cost') and outside_weight > candidate_tolerance + 2e-9)
