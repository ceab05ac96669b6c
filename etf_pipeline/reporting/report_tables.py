"""The tables that the report is made of."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pandas as pd


@dataclass(frozen=True)
class ReportTables:
    """One frame per table that the report reads, as its contract gives it."""

    raw_source: pd.DataFrame
    rpt_edge: pd.DataFrame
    rpt_current_weights: pd.DataFrame
    rpt_performance: pd.DataFrame
    rpt_nav_monthly: pd.DataFrame
    rpt_drawdowns: pd.DataFrame
    rpt_costs: pd.DataFrame
    rpt_stress: pd.DataFrame
    rpt_universe: pd.DataFrame
    rpt_survivorship: pd.DataFrame
    rpt_lifecycle: pd.DataFrame
    rpt_data_quality: pd.DataFrame
    rpt_quality_trend: pd.DataFrame
    rpt_quality_newest: pd.DataFrame
    rpt_restatements: pd.DataFrame
    forecast_bias: pd.DataFrame
    forecast_windows: pd.DataFrame
    regimes: pd.DataFrame
    optimizer_solutions: pd.DataFrame
    regime_probabilities: pd.DataFrame
    rpt_regimes: pd.DataFrame
    rpt_market_context: pd.DataFrame
    rpt_macro_tilts: pd.DataFrame
    rpt_volatility_term: pd.DataFrame
    rpt_betas: pd.DataFrame
    rpt_factor_exposures: pd.DataFrame
    rpt_volatility_evaluation: pd.DataFrame
    rpt_covariance_stability: pd.DataFrame
    rpt_scoring: pd.DataFrame
    macro_skill: pd.DataFrame
    rpt_macro_replay: pd.DataFrame
    rpt_attribution: pd.DataFrame
    rpt_decisions: pd.DataFrame
    rpt_trade_list: pd.DataFrame

    @property
    def strategies(self) -> list[str]:
        """Strategies with current weights, the leading one first."""
        names = sorted(self.rpt_current_weights["strategy"].unique())
        return sorted(names, key=lambda name: (name != "max_sharpe", name == "equal_weight", name))

    @property
    def books(self) -> list[str]:
        """Strategies, then benchmarks: everything with a backtest."""
        rest = sorted(set(self.rpt_performance["strategy"]) - set(self.strategies))
        return [*self.strategies, *rest]

    def ordered(self, frame: pd.DataFrame, *then: str) -> pd.DataFrame:
        """Rows in the order of `books`, then by columns."""
        place = {name: i for i, name in enumerate(self.books)}
        return frame.assign(_book=frame["strategy"].map(place)).sort_values(["_book", *then], kind="stable").drop(columns="_book")


TABLE_NAMES = tuple(field.name for field in fields(ReportTables))
"""Names of the tables, in order."""
