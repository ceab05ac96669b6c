-- A month's factor contributions sum to its active return.
select strategy, benchmark, month, sum(value) as contributions, any_value(portfolio_return - benchmark_return) as active
from factor_attribution
group by strategy, benchmark, month
having abs(sum(value) - any_value(portfolio_return - benchmark_return)) > 1e-12
