-- Total returns of a session that no fund makes: more than three times, or a loss of two thirds.
select ticker, session, total_return
from fct_returns
where total_return > 2 or total_return < -0.67
