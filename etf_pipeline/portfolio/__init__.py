"""Portfolio room: what should be held, and why?

At each rebalance session the room turns scores, forecasts, current volatilities and shrunk correlations into weights: the
largest Sharpe ratio or utility after costs, the smallest variance or expected shortfall (cone programmes), equal or budgeted
risk contributions (coordinate descent), hierarchical risk parity, Black-Litterman's blend, and equal weights as a benchmark.
A fund is held with 2-15 % or not at all, near-duplicates share one cap, one-day VaR stays under its limit, groups, issuers,
turnover, tracking error and expected shortfall may be limited too, and cash enters only where a limit leaves no choice. Every
portfolio carries a certificate of its optimality with the limits that bind and what they cost, or the names of the limits that
cannot be met, by how much, and the fall-back that was taken.

`problem` says what is solved, `constraints` and `limits` what is allowed. `cone` and `rows` write the programme, `working_set`
keeps it small, `selection` chooses a support, `polish` finds the last digits, `convex` puts them together; `max_sharpe`,
`mean_variance`, `black_litterman`, `risk_parity` and `hrp` are the strategies. `optimality` and `certificate` prove,
`diagnosis` names what conflicts, `fallback` steps down, `beliefs`, `inputs` and `rebalancing` prepare. `mandates` are portfolios
with terms of their own (`mandated`, `limit_settings`, `currency`), `holdings` says where a rebalance starts, `decisions` whether
it pays; `build` runs them all, `solved` remembers what was solved before and `books` writes the tables.
"""

from etf_pipeline.portfolio.books import Built, traded_weights
from etf_pipeline.portfolio.build import build_portfolios
from etf_pipeline.portfolio.currency import LedgerMoney, ledger_money
from etf_pipeline.portfolio.decisions import Decision, Outlook, decide, yearly_gain
from etf_pipeline.portfolio.ex_ante import ExAnte, ex_ante, risk_contributions
from etf_pipeline.portfolio.fallback import FALLBACKS
from etf_pipeline.portfolio.limits import cluster_limits, group_limits, issuer_limits
from etf_pipeline.portfolio.mandates import Portfolio, Universe, check_mandate, mandate_rows, portfolios_of
from etf_pipeline.portfolio.optimizer import ENGINES, OPTIMIZERS, PortfolioOptimizer, base_strategy
from etf_pipeline.portfolio.parameters import PortfolioParameters
from etf_pipeline.portfolio.problem import Attempt, GroupLimit, Problem, ShadowPrice, Solution, Views
from etf_pipeline.portfolio.risk_parity import parity_weights

__all__ = [
    "ENGINES",
    "FALLBACKS",
    "OPTIMIZERS",
    "Attempt",
    "Built",
    "Decision",
    "ExAnte",
    "GroupLimit",
    "LedgerMoney",
    "Outlook",
    "Portfolio",
    "PortfolioOptimizer",
    "PortfolioParameters",
    "Problem",
    "ShadowPrice",
    "Solution",
    "Universe",
    "Views",
    "base_strategy",
    "build_portfolios",
    "check_mandate",
    "cluster_limits",
    "decide",
    "ex_ante",
    "group_limits",
    "issuer_limits",
    "ledger_money",
    "mandate_rows",
    "parity_weights",
    "portfolios_of",
    "risk_contributions",
    "traded_weights",
    "yearly_gain",
]
