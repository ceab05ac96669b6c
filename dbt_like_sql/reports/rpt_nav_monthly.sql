-- Net asset value at each month's last session, after costs.
with monthly as (
    select
        strategy,
        cast(date_trunc('month', session) as date)  as month,
        max(session)                                as session,
        arg_max(nav, session)                       as nav
    from backtest_ledger
    where cost_basis = 'net'
    group by strategy, cast(date_trunc('month', session) as date)
)
select
    strategy,
    month,
    session,
    nav,
    nav / lag(nav) over (partition by strategy order by month) - 1  as monthly_return
from monthly
