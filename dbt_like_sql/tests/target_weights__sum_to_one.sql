-- Weights of a strategy and session, cash included, that do not sum to one.
select strategy, session, sum(weight) as total
from target_weights
group by strategy, session
having abs(sum(weight) - 1) > 1e-8
