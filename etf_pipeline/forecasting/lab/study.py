"""The lab: the grid fitted once, judged by every metric and regime, tested with one correction for all, and crossed with itself.

1. Labels of each horizon on one panel (`pieces.designs`).
2. Every model, horizon and training span through every window (`grid`).
3. Its figures by regime (`metrics`), and its claims, corrected over the whole grid (`claims`).
4. Some models again by combinatorial purged cross-validation: a distribution instead of one path (`paths`).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from etf_pipeline.forecasting.lab.claims import claims_of, lab_tests
from etf_pipeline.forecasting.lab.grid import forecast_cells
from etf_pipeline.forecasting.lab.metrics import Judged, Prices, metric_rows, states_of
from etf_pipeline.forecasting.lab.parameters import LabParameters
from etf_pipeline.forecasting.lab.paths import combinatorial_paths
from etf_pipeline.forecasting.lab.pieces import PROGRESS, designs
from etf_pipeline.forecasting.windows import WindowCache


@dataclass(frozen=True)
class LabResult:
    """The lab's tables.

    Attributes
    ----------
    windows, metrics, tests, paths : DataFrame
        `lab_windows`, `lab_metrics`, `lab_tests` and `lab_paths`.
    """

    windows: pd.DataFrame
    metrics: pd.DataFrame
    tests: pd.DataFrame
    paths: pd.DataFrame


def run_lab(
    features: pd.DataFrame,
    returns: pd.DataFrame,
    membership: pd.DataFrame,
    reference: pd.DataFrame,
    bars: pd.DataFrame,
    regimes: pd.DataFrame,
    parameters: LabParameters | None = None,
    cache: WindowCache | None = None,
) -> LabResult:
    """Judge every model of the grid on sessions that it never saw.

    Parameters
    ----------
    features, returns, membership, reference, bars, regimes : DataFrame
        `features`, `fct_returns`, `universe_membership`, `dim_etf`, `fct_prices` and `regimes`.
    cache : WindowCache, optional
        Reuses pieces whose inputs and settings are the same; results do not depend on it.

    Raises
    ------
    DataError
        If there are no members, or not enough sessions for one window.
    """
    p = parameters or LabParameters()
    horizons = tuple(dict.fromkeys((*p.horizons, p.cpcv_horizon))) if p.cpcv_models else p.horizons
    panels = designs((features, returns, membership, reference), horizons, p.forecast(horizons[0]))
    prices = Prices.of(returns, bars, panels[horizons[0]])
    states = states_of(regimes, panels[horizons[0]].sessions)
    windows, metrics, claims = [], [], []
    for made in forecast_cells(panels, p, cache):
        design = panels[made.cell.horizon]
        judged = Judged(made.forecast, design.label, prices, made.cell.horizon, p.quantile)
        windows.append(made.windows)
        metrics.append(metric_rows(judged, states).assign(**made.cell.head()))
        claims += claims_of(made, design, p.quantile)
        PROGRESS.info("%s, %d sessions, %s: judged", made.cell.model, made.cell.horizon, made.cell.span)
    return LabResult(
        windows=pd.concat([frame for frame in windows if len(frame)], ignore_index=True),
        metrics=pd.concat(metrics, ignore_index=True),
        tests=lab_tests(claims),
        paths=combinatorial_paths(panels[p.cpcv_horizon], p, cache) if p.cpcv_models else _no_paths(),
    )


def _no_paths() -> pd.DataFrame:
    return pd.DataFrame(columns=["model", "horizon", "path", "metric", "value", "n", "n_effective"])
