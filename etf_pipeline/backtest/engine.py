"""The backtest: fold decided weights over prices, before and after costs, and say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from etf_pipeline.backtest.arrays import NO_COSTS, SCALED, Events, Fold, Market, Plan, Rules
from etf_pipeline.backtest.drawdowns import drawdowns_table
from etf_pipeline.backtest.ledger import ledger_table, positions_table, trades_table
from etf_pipeline.backtest.market import Axes, make_axes, make_events, make_market
from etf_pipeline.backtest.parameters import BacktestParameters
from etf_pipeline.backtest.plans import Decisions, check_flows, decisions_of, free, make_flows, make_plan, make_trading
from etf_pipeline.backtest.study import performance
from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.costs import TransactionCostModel


@dataclass(frozen=True)
class Books:
    """Ledgers as arrays.

    Attributes
    ----------
    axes, market : Axes, Market
        What they were kept on.
    plans : dict
        By name: what was to be held.
    folds : dict
        By (name, cost basis): what came of it.
    """

    axes: Axes
    market: Market
    plans: dict[str, Plan]
    folds: dict[tuple[str, str], Fold]


@dataclass(frozen=True)
class Kept:
    """Causal tables of a backtest, as declared in `schemas.backtest`."""

    ledger: pd.DataFrame
    positions: pd.DataFrame
    trades: pd.DataFrame
    drawdowns: pd.DataFrame


@dataclass(frozen=True)
class BacktestResult(Kept):
    """All tables of a backtest."""

    measured: Callable[[pd.DataFrame], pd.DataFrame] = field(repr=False)

    @cached_property
    def performance(self) -> pd.DataFrame:
        """`performance`: what the ledgers say, with intervals that take thousands of resamples; made when it is asked for."""
        return self.measured(self.ledger)


class Backtester:
    """Keeps the ledgers of several strategies and of their benchmarks over one market.

    Parameters
    ----------
    parameters : BacktestParameters, optional
        How the ledger is kept, and how trades are priced.

    Notes
    -----
    Nothing is estimated here: the weights were decided with what was known at a close, they fill at the next session's open
    (or close), at costs that were known when they were decided. Every table but `performance` is causal.
    """

    def __init__(self, parameters: BacktestParameters | None = None) -> None:
        self.parameters = parameters or BacktestParameters()
        self.costs = TransactionCostModel(self.parameters.costs)

    def run(
        self,
        target_weights: pd.DataFrame,
        prices: pd.DataFrame,
        returns: pd.DataFrame,
        actions: pd.DataFrame,
        liquidity: pd.DataFrame,
        macro: pd.DataFrame,
        flows: pd.DataFrame | None = None,
    ) -> BacktestResult:
        """See `run_backtest`."""
        kept = self.kept(target_weights, prices, actions, liquidity, macro, flows)
        return BacktestResult(**vars(kept), measured=lambda ledger: performance(ledger, returns, macro, self.parameters))

    def kept(
        self,
        target_weights: pd.DataFrame,
        prices: pd.DataFrame,
        actions: pd.DataFrame,
        liquidity: pd.DataFrame,
        macro: pd.DataFrame,
        flows: pd.DataFrame | None = None,
        values: Mapping[str, float] | None = None,
    ) -> Kept:
        """The ledgers and what is read off them; tables as in `run_backtest`.

        `values` are what strategies begin with, `initial_value` where they do not say. [base currency]
        """
        decisions = decisions_of(target_weights, prices, self.parameters)
        return self._tables(self.keep(decisions, prices, actions, liquidity, macro, flows=flows, values=values))

    def keep(
        self,
        decisions: dict[str, Decisions],
        prices: pd.DataFrame,
        actions: pd.DataFrame,
        liquidity: pd.DataFrame,
        macro: pd.DataFrame,
        bases: tuple[str, ...] = ("gross", "net"),
        flows: pd.DataFrame | None = None,
        values: Mapping[str, float] | None = None,
    ) -> Books:
        """Keep the ledgers of some decisions on one market; tables as in `run_backtest`, `values` as in `kept`."""
        begin = values or {}
        check_flows(flows, decisions)
        wanted = set().union(*(set(d.frame["ticker"]) for d in decisions.values()))
        start = min(d.sessions[0] for d in decisions.values())
        axes = make_axes(wanted, start, prices, actions, self.parameters.exchange)
        prices = prices.loc[prices["ticker"].isin(axes.tickers) & (prices["session"] >= start)]
        market = make_market(prices, macro, axes, self.parameters)
        events = make_events(prices, actions, axes, self.parameters)
        trading = make_trading(liquidity, axes, self.parameters, self.costs)
        plans = {
            name: make_plan(d, trading, axes, self.parameters.exchange, make_flows(flows, name, axes))
            for name, d in decisions.items()
        }
        folds = {
            (name, basis): self._fold(
                market, events, plan if basis == "net" else free(plan), basis, begin.get(name, self.parameters.initial_value)
            )
            for name, plan in plans.items()
            for basis in bases
        }
        return Books(axes, market, plans, folds)

    def _fold(self, market: Market, events: Events, plan: Plan, basis: str, value: float) -> Fold:
        from etf_pipeline.backtest.fold import run_fold

        p, terms = self.parameters, self.costs.terms if basis == "net" else NO_COSTS
        rules = Rules(
            value, p.fill == "open", p.absence, SCALED, terms, p.delisting_haircut, p.lot, p.minimum_ticket,
            p.borrow_limit, p.borrow_spread / SESSIONS_PER_YEAR, p.flows_at_once,
        )  # fmt: skip
        return run_fold(market, events, plan, rules)

    def _tables(self, books: Books) -> Kept:
        folds, axes = books.folds, books.axes
        net = {name: fold for (name, basis), fold in folds.items() if basis == "net"}
        ledgers = {key: ledger_table(fold, axes, *key) for key, fold in folds.items()}
        falls = [self._drawdowns(ledgers[name, "net"], name) for name in net]
        return Kept(
            pd.concat(ledgers.values(), ignore_index=True),
            pd.concat([positions_table(fold, axes, name) for name, fold in net.items()], ignore_index=True),
            pd.concat([trades_table(fold, axes, name) for name, fold in net.items()], ignore_index=True),
            pd.concat([fall for fall in falls if len(fall)] or falls[:1], ignore_index=True),
        )

    def _drawdowns(self, ledger: pd.DataFrame, name: str) -> pd.DataFrame:
        growth, sessions = (1.0 + ledger["daily_return"]).cumprod().to_numpy(), pd.DatetimeIndex(ledger["session"])
        p = self.parameters
        return drawdowns_table(growth, sessions, name, threshold=p.drawdown, exchange=p.exchange)


def run_backtest(
    target_weights: pd.DataFrame,
    prices: pd.DataFrame,
    returns: pd.DataFrame,
    actions: pd.DataFrame,
    liquidity: pd.DataFrame,
    macro: pd.DataFrame,
    parameters: BacktestParameters | None = None,
    flows: pd.DataFrame | None = None,
) -> BacktestResult:
    """Backtest every strategy in `target_weights`, and the benchmarks, before and after costs.

    Parameters
    ----------
    target_weights : DataFrame
        `target_weights`: `session` (decided at its close), `strategy`, `ticker`, `weight`. [fraction]
    prices : DataFrame
        `fct_prices`, in whatever share basis; splits and dividends are those that the rows carry.
    returns : DataFrame
        `fct_returns`: the total-return indices that the benchmarks' ledgers are held against.
    actions : DataFrame
        `fct_actions`: mergers, renames, liquidations, and the pay dates of dividends.
    liquidity : DataFrame
        `liquidity`: half-spread, daily volatility and traded value as known at each close.
    macro : DataFrame
        `fct_macro`, for the bill that cash earns.
    parameters : BacktestParameters, optional
    flows : DataFrame, optional
        Money that comes or goes: `strategy`, `date`, `amount`. [base currency]

    Returns
    -------
    BacktestResult
        Ledger, positions, trades, performance and drawdowns.

    Raises
    ------
    DataError
        If nothing is decided, a benchmark or the bill is missing, or a fund is not priced in the base currency.

    Notes
    -----
    - Shares of a split fund multiply before the open; a dividend is a receivable from the ex-date until it is paid.
    - A merger or rename applies before the first open after the old ticker's last session, at the successor's last close
      (at equal value where it had none); a liquidation becomes a receivable then. Nothing applies before it was announced and
      its terms were known (`value_known_at`): until then the holding stands at its last close and cannot be sold.
    - A holding that has no bar for `absence` sessions, and no action that says why, is sold at its last price, less
      `delisting_haircut`, without cost.
    - A target without a price at the fill is skipped and stays in cash; weights are fractions of net asset value after costs,
      scaled down where receivables or funds that cannot trade leave less than that.
    """
    return Backtester(parameters).run(target_weights, prices, returns, actions, liquidity, macro, flows)
