-- Sessions in which net asset value is not cash plus receivables plus holdings.
select strategy, cost_basis, session, nav, cash, receivables, holdings_value
from backtest_ledger
where abs(nav - cash - receivables - holdings_value) > 1e-9 * nav
