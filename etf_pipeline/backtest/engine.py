"""The backtest: fold decided weights over prices, before and after costs, and say what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.backtest.drawdowns import drawdowns_table
from etf_pipeline.backtest.ledger import ledger_table, positions_table, trades_table
from etf_pipeline.backtest.market import Axes, make_axes, make_events, make_market
from etf_pipeline.backtest.parameters import BacktestParameters
from etf_pipeline.backtest.performance import Track, Window, performance_table
from etf_pipeline.backtest.plans import decisions_of, free, make_plan
from etf_pipeline.backtest.state import NO_COSTS, SCALED, Events, Fold, Market, Plan, Rules
from etf_pipeline.costs import CostParameters, TransactionCostModel
from etf_pipeline.errors import DataError


@dataclass(frozen=True)
class BacktestResult:
    """Tables of a backtest, as declared in `schemas.backtest`."""

    ledger: pd.DataFrame
    positions: pd.DataFrame
    trades: pd.DataFrame
    performance: pd.DataFrame
    drawdowns: pd.DataFrame


class Backtester:
    """Keeps the ledgers of several strategies and of their benchmarks over one market.

    Parameters
    ----------
    parameters : BacktestParameters, optional
        How the ledger is kept.
    costs : CostParameters, optional
        How trades are priced: those of the optimiser, so that both know one cost.

    Notes
    -----
    Nothing is estimated here: the weights were decided with what was known at a close, they fill at the next session's open
    (or close), at costs that were known when they were decided. Every table but `performance` is causal.
    """

    def __init__(self, parameters: BacktestParameters | None = None, costs: CostParameters | None = None) -> None:
        self.parameters = parameters or BacktestParameters()
        self.costs = TransactionCostModel(costs or CostParameters())

    def run(
        self,
        target_weights: pd.DataFrame,
        prices: pd.DataFrame,
        actions: pd.DataFrame,
        liquidity: pd.DataFrame,
        macro: pd.DataFrame,
    ) -> BacktestResult:
        """See `run_backtest`."""
        decisions = decisions_of(target_weights, prices, self.parameters)
        wanted = set().union(*(set(d.frame["ticker"]) for d in decisions.values()))
        start = min(d.sessions[0] for d in decisions.values())
        axes = make_axes(wanted, start, prices, actions, self.parameters.exchange)
        prices = prices.loc[prices["ticker"].isin(axes.tickers) & (prices["session"] >= start)]
        market = make_market(prices, macro, axes, self.parameters)
        events = make_events(prices, actions, axes, self.parameters)
        plans = {name: make_plan(d, liquidity, axes, self.parameters, self.costs) for name, d in decisions.items()}
        folds = {
            (name, basis): self._fold(market, events, plan if basis == "net" else free(plan), basis)
            for name, plan in plans.items()
            for basis in ("gross", "net")
        }
        return self._result(folds, plans, market, axes)

    def _fold(self, market: Market, events: Events, plan: Plan, basis: str) -> Fold:
        from etf_pipeline.backtest.fold import run_fold

        p, terms = self.parameters, self.costs.terms if basis == "net" else NO_COSTS
        return run_fold(market, events, plan, Rules(p.initial_value, p.fill == "open", p.absence, SCALED, terms))

    def _result(self, folds: dict[tuple[str, str], Fold], plans: dict[str, Plan], market: Market, axes: Axes) -> BacktestResult:
        net = {name: fold for (name, basis), fold in folds.items() if basis == "net"}
        ledgers = {key: ledger_table(fold, axes, *key) for key, fold in folds.items()}
        ledger = pd.concat(ledgers.values(), ignore_index=True)
        falls = [
            drawdowns_table(
                ledgers[name, "net"]["nav"].to_numpy(),
                axes.sessions,
                name,
                threshold=self.parameters.drawdown,
                exchange=self.parameters.exchange,
            )
            for name in net
        ]
        return BacktestResult(
            ledger,
            pd.concat([positions_table(fold, axes, name) for name, fold in net.items()], ignore_index=True),
            pd.concat([trades_table(fold, axes, name) for name, fold in net.items()], ignore_index=True),
            self._performance(ledgers, plans, market, axes),
            pd.concat([fall for fall in falls if len(fall)] or falls[:1], ignore_index=True),
        )

    def _performance(
        self, ledgers: dict[tuple[str, str], pd.DataFrame], plans: dict[str, Plan], market: Market, axes: Axes
    ) -> pd.DataFrame:
        """Measures from the session in which the last strategy was first invested, so that all share one window."""
        first = max((int(plan.rows[0]) for plan in plans.values() if len(plan.rows)), default=len(axes.sessions))
        if len(axes.sessions) - first < 2:
            raise DataError(
                f"performance needs 2 sessions after every strategy's first fill; prices end on {axes.sessions[-1].date()}, "
                f"{len(axes.sessions) - first} after the last of them. Load later prices or start earlier."
            )
        columns = ("daily_return", "turnover")
        tracks = [
            Track(name, basis, *(np.ascontiguousarray(frame[c].to_numpy()[first:]) for c in columns))
            for (name, basis), frame in ledgers.items()
        ]
        return performance_table(tracks, Window(axes.sessions[first:], market.rates[first:]), self.parameters)


def run_backtest(
    target_weights: pd.DataFrame,
    prices: pd.DataFrame,
    actions: pd.DataFrame,
    liquidity: pd.DataFrame,
    macro: pd.DataFrame,
    parameters: BacktestParameters | None = None,
    costs: CostParameters | None = None,
) -> BacktestResult:
    """Backtest every strategy in `target_weights`, and the benchmarks, before and after costs.

    Parameters
    ----------
    target_weights : DataFrame
        `target_weights`: `session` (decided at its close), `strategy`, `ticker`, `weight`. [fraction]
    prices : DataFrame
        `fct_prices`, in whatever share basis; splits and dividends are those that the rows carry.
    actions : DataFrame
        `stg_actions`: mergers, renames, liquidations, and the pay dates of dividends.
    liquidity : DataFrame
        `liquidity`: half-spread, daily volatility and traded value as known at each close.
    macro : DataFrame
        `fct_macro`, for the bill that cash earns.
    parameters : BacktestParameters, optional
    costs : CostParameters, optional
        How trades are priced.

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
      (at equal value where it had none); a liquidation becomes a receivable then.
    - A holding that has no bar for `absence` sessions, and no action that says why, is sold at its last price without cost.
    - A target without a price at the fill is skipped and stays in cash; weights are fractions of net asset value after costs,
      scaled down where receivables or funds that cannot trade leave less than that.
    """
    return Backtester(parameters, costs).run(target_weights, prices, actions, liquidity, macro)
