-- A month's effects sum to its active return.
select strategy, benchmark, month, sum(value) as effects, any_value(portfolio_return - benchmark_return) as active
from attribution
group by strategy, benchmark, month
having abs(sum(value) - any_value(portfolio_return - benchmark_return)) > 1e-12
