-- Where each strategy's return over its benchmarks came from, by year and in all: asset classes, trading, costs, and priced factors.
with effects as (
    select strategy, benchmark, month, 'holdings' as kind, effect, line, value, null as error, portfolio_return, benchmark_return, link
    from attribution
    union all by name
    select strategy, benchmark, month, 'factors' as kind, 'factor' as effect, factor as line, value, error, portfolio_return,
        benchmark_return, link
    from factor_attribution
),
spanned as (
    select cast(year(month) as varchar) as span, * from effects
    union all by name
    select 'all' as span, * from effects
),
months as (
    select distinct span, kind, strategy, benchmark, month, portfolio_return, benchmark_return
    from spanned
),
-- logarithms of growth add up; Carino's coefficient of the span makes the months' effects add up to its active return
spans as (
    select
        span, kind, strategy, benchmark,
        min(month) as first_month, max(month) as last_month, count(*) as months,
        sum(ln(1 + portfolio_return) order by month) as own,
        sum(ln(1 + benchmark_return) order by month) as other
    from months
    group by all
),
linked as (
    select
        *,
        exp(own) - 1 as portfolio_return,
        exp(other) - 1 as benchmark_return,
        case when abs(exp(own) - exp(other)) < 1e-10 then exp(-other) else (own - other) / (exp(own) - exp(other)) end as link,
        case when abs(exp(own) - exp(other)) < 1e-10 then 12.0 / months
             else (exp(own * 12 / months) - exp(other * 12 / months)) / (exp(own) - exp(other)) end as yearly
    from spans
)
select
    e.strategy, e.benchmark, e.span, e.kind, e.effect, e.line,
    sum(e.value * e.link order by e.month) / any_value(s.link) as value,
    sum(e.value * e.link order by e.month) / any_value(s.link) * any_value(s.yearly) as annual,
    -- a window's loading serves twelve months, so their errors are taken to go together
    sum(e.error * e.link order by e.month) / any_value(s.link) as error,
    any_value(s.portfolio_return) as portfolio_return,
    any_value(s.benchmark_return) as benchmark_return,
    any_value(s.first_month) as first_month,
    any_value(s.last_month) as last_month
from spanned as e
join linked as s
    using (span, kind, strategy, benchmark)
group by e.strategy, e.benchmark, e.span, e.kind, e.effect, e.line
order by e.strategy, e.benchmark, e.span, e.kind, e.effect, e.line
