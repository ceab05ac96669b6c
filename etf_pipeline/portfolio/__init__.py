"""Portfolio room: what should be held, and why?

At each rebalance session the room turns scores, forecasts, current volatilities and shrunk correlations into weights: the
largest Sharpe ratio after costs (a cone programme), equal risk contributions (coordinate descent), and equal weights as a
benchmark. A fund is held with 2-15 % or not at all, near-duplicates share one cap, one-day VaR stays under its limit, and
cash enters only where a limit leaves no choice. Every portfolio carries a certificate of its optimality and the limits that
bind, or the name of the limit that cannot be met and the fall-back that was taken.

`problem` says what is solved, `constraints` refuses what cannot be, `cone`, `max_sharpe`, `selection` and `risk_parity`
solve, `certificate` proves, `fallback` steps down, `beliefs`, `inputs` and `rebalancing` prepare, `build` writes the tables.
"""

from etf_pipeline.portfolio.build import build_portfolios
from etf_pipeline.portfolio.ex_ante import ExAnte, ex_ante, risk_contributions
from etf_pipeline.portfolio.optimizer import ENGINES, OPTIMIZERS, PortfolioOptimizer
from etf_pipeline.portfolio.parameters import PortfolioParameters
from etf_pipeline.portfolio.problem import Attempt, GroupLimit, Problem, ShadowPrice, Solution, Views
from etf_pipeline.portfolio.risk_parity import parity_weights

__all__ = [
    "ENGINES",
    "OPTIMIZERS",
    "Attempt",
    "ExAnte",
    "GroupLimit",
    "PortfolioOptimizer",
    "PortfolioParameters",
    "Problem",
    "ShadowPrice",
    "Solution",
    "Views",
    "build_portfolios",
    "ex_ante",
    "parity_weights",
    "risk_contributions",
]
