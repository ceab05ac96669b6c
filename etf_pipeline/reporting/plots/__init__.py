"""Pictures of tables for the Dagster UI: what a person would look at first, drawn from the table alone.

A plot reshapes rows for display (pivots, counts, thins, picks the newest session) and computes nothing that a reader could
take for a result of its own. It asks for the columns it draws, so that a table of millions of rows is not turned into objects.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as arrow

from etf_pipeline.reporting.figures import blank, png
from etf_pipeline.reporting.plots import attribution, betas, estimates, forecasts, markets, portfolios, results
from etf_pipeline.schemas import from_arrow

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Plot:
    """How one table is drawn.

    Attributes
    ----------
    function : callable
        From a frame with at least one row to a figure.
    columns : tuple of str
        What it reads.
    """

    function: Callable[[pd.DataFrame], Figure]
    columns: tuple[str, ...]

    def __call__(self, frame: pd.DataFrame) -> Figure:
        """Draw the frame; a frame without rows gives a picture that says so."""
        if frame.empty:
            return blank((self.function.__doc__ or "").splitlines()[0].rstrip("."))
        return self.function(frame)


PLOTS: Mapping[str, Plot] = {
    "quality_findings": Plot(markets.findings, ("session", "severity")),
    "fct_returns": Plot(markets.growth, ("session", "ticker", "index_close")),
    "universe_membership": Plot(markets.membership, ("session", "reason")),
    "regimes": Plot(markets.regimes, ("session", "regime", "vix", "distance_200", "index_close")),
    "regime_probabilities": Plot(markets.regime_probabilities, ("session", "index_close", "stressed", "stressed_21")),
    "liquidity": Plot(markets.liquidity, ("session", "ticker", "daily_value", "half_spread", "reference_cost")),
    "volatilities": Plot(estimates.volatilities, ("session", "ticker", "garch_21", "ewma", "realised_252")),
    "betas": Plot(betas.rolling, ("session", "ticker", "beta")),
    "covariance_health": Plot(estimates.covariance_health, ("session", "n_assets", "shrinkage", "condition_number")),
    "covariance_stability": Plot(
        estimates.covariance_stability, ("session", "estimator", "condition_number", "balanced_volatility")
    ),
    "scores": Plot(
        estimates.scores,
        ("session", "ticker", "regime", "rank", "score", *estimates.PARTS),
    ),
    "forecast_windows": Plot(forecasts.windows, ("model", "window", "test_start", "test_bias", "information_coefficient")),
    "forecast_bias": Plot(
        forecasts.bias,
        ("model", "asset_class", "horizon", "in_sample_bias", "out_of_fold_bias", "ci_low", "ci_high", "corrected_bias"),
    ),
    "target_weights": Plot(portfolios.target_weights, ("session", "strategy", "ticker", "weight")),
    "portfolio_exposures": Plot(portfolios.exposures, ("session", "strategy", "benchmark", "factor", "active", "active_error")),
    "optimizer_solutions": Plot(portfolios.solutions, ("session", "strategy", "status", "turnover", "cash", "var_1d")),
    "backtest_ledger": Plot(results.ledger, ("session", "strategy", "cost_basis", "nav")),
    "drawdowns": Plot(results.drawdowns, ("strategy", "peak", "trough", "recovery", "depth", "is_open", "available_at")),
    "attribution": Plot(attribution.holdings, ("strategy", "benchmark", "month", "effect", "value")),
    "factor_attribution": Plot(attribution.factors, ("strategy", "benchmark", "month", "factor", "value")),
    "stress_results": Plot(results.stress, ("strategy", "scenario", "title", "profit", "standard_error")),
}
"""Every table that has a picture, by name."""


def draw(name: str, table: arrow.Table) -> bytes:
    """The picture of a table as PNG, 900 x 420 pixels; equal for equal tables.

    Parameters
    ----------
    name : str
        A key of `PLOTS`.
    table : Table
        The table as its contract stores it; other columns are ignored.
    """
    plot = PLOTS[name]
    wanted = table.select(list(plot.columns))
    for i, field in enumerate(wanted.schema):
        if arrow.types.is_string(field.type):
            wanted = wanted.set_column(i, field.name, wanted.column(i).dictionary_encode())
    return png(plot(from_arrow(wanted)))


@functools.cache
def plots_version() -> str:
    """Sixteen hexadecimal digits that change when the code of this room does: a picture is kept no longer than its code."""
    here = Path(__file__).parents[1]
    texts = [f"{path.relative_to(here).as_posix()}\n{path.read_text(encoding='utf-8')}" for path in sorted(here.rglob("*.py"))]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


__all__ = ["PLOTS", "Plot", "draw", "plots_version"]
