-- The lab on one page: each model's figures over all windows, with the p value of its rank correlation after correction.
with figures as (
    select
        model,
        horizon,
        scheme,
        span,
        max(value) filter (where metric = 'hit_rate')           as hit_rate,
        max(value) filter (where metric = 'mean_ic')            as mean_ic,
        max(ci_low) filter (where metric = 'mean_ic')           as mean_ic_low,
        max(ci_high) filter (where metric = 'mean_ic')          as mean_ic_high,
        max(value) filter (where metric = 'icir')               as icir,
        max(value) filter (where metric = 'sharpe_long_short')  as sharpe_long_short,
        max(value) filter (where metric = 'sharpe_sign_timed')  as sharpe_sign_timed,
        max(value) filter (where metric = 'mse_ratio_to_zero')  as mse_ratio_to_zero,
        max(value) filter (where metric = 'trade_drawdown')     as trade_drawdown,
        max(value) filter (where metric = 'sessions_to_profit') as sessions_to_profit,
        max(n_effective) filter (where metric = 'mean_ic')      as n_effective
    from lab_metrics
    where regime = 'all'
    group by model, horizon, scheme, span
),
spans as (
    select model, horizon, scheme, span, count(*) as windows, min(test_start) as start, max(test_end) as "end"
    from lab_windows
    group by model, horizon, scheme, span
),
claims as (
    select
        model,
        horizon,
        scheme,
        span,
        max(p_value) filter (where test = 'ic')                                  as ic_p_value,
        max(p_adjusted) filter (where test = 'ic')                               as ic_p_adjusted,
        string_agg(test, ', ' order by test) filter (where decision = 'significant') as significant
    from lab_tests
    group by model, horizon, scheme, span
)
select
    f.model,
    f.horizon,
    f.scheme,
    f.span,
    s.windows,
    s.start,
    s."end",
    f.hit_rate,
    f.mean_ic,
    f.mean_ic_low,
    f.mean_ic_high,
    f.icir,
    f.sharpe_long_short,
    f.sharpe_sign_timed,
    f.mse_ratio_to_zero,
    f.trade_drawdown,
    f.sessions_to_profit,
    f.n_effective,
    c.ic_p_value,
    c.ic_p_adjusted,
    coalesce(c.significant, 'none') as significant
from figures as f
join claims as c
    on c.model = f.model and c.horizon = f.horizon and c.scheme = f.scheme and c.span = f.span
left join spans as s
    on s.model = f.model and s.horizon = f.horizon and s.scheme = f.scheme and s.span = f.span
