-- Net asset value at each month's last session, after costs; returns are time-weighted.
with monthly as (
    select
        strategy,
        cast(date_trunc('month', session) as date)  as month,
        max(session)                                as session,
        arg_max(nav, session)                       as nav,
        exp(sum(ln(1 + daily_return) order by session)) - 1 as monthly_return
    from backtest_ledger
    where cost_basis = 'net'
    group by strategy, cast(date_trunc('month', session) as date)
)
select
    strategy,
    month,
    session,
    nav,
    -- the first month is the one in which the ledger opens, and no whole one
    case when month > min(month) over (partition by strategy) then monthly_return end as monthly_return
from monthly
