"""Reports room: what people read. The tables behind it are SQL models; here are the dictionary and the HTML report."""

import pandas as pd

from etf_pipeline.recipes import makes
from etf_pipeline.reporting import tear_sheet as report
from etf_pipeline.schemas import dictionary as contracts


@makes("data_dictionary", version=contracts.version())
def data_dictionary() -> pd.DataFrame:
    """Every column of every table with type, unit, key and meaning, from the contracts."""
    return contracts.dictionary()


@makes("tear_sheet", version=report.version())
def tear_sheet(
    raw_source: pd.DataFrame,
    rpt_edge: pd.DataFrame,
    rpt_current_weights: pd.DataFrame,
    rpt_performance: pd.DataFrame,
    rpt_nav_monthly: pd.DataFrame,
    rpt_drawdowns: pd.DataFrame,
    rpt_costs: pd.DataFrame,
    rpt_stress: pd.DataFrame,
    rpt_universe: pd.DataFrame,
    rpt_survivorship: pd.DataFrame,
    rpt_lifecycle: pd.DataFrame,
    rpt_data_quality: pd.DataFrame,
    rpt_quality_trend: pd.DataFrame,
    rpt_quality_newest: pd.DataFrame,
    rpt_restatements: pd.DataFrame,
    forecast_bias: pd.DataFrame,
    forecast_windows: pd.DataFrame,
    regimes: pd.DataFrame,
    optimizer_solutions: pd.DataFrame,
) -> pd.DataFrame:
    """One self-contained HTML page: is there an edge, what to hold and why, what it earned and could lose, what that rests on."""
    return report.tear_sheet(
        report.ReportTables(
            raw_source=raw_source,
            rpt_edge=rpt_edge,
            rpt_current_weights=rpt_current_weights,
            rpt_performance=rpt_performance,
            rpt_nav_monthly=rpt_nav_monthly,
            rpt_drawdowns=rpt_drawdowns,
            rpt_costs=rpt_costs,
            rpt_stress=rpt_stress,
            rpt_universe=rpt_universe,
            rpt_survivorship=rpt_survivorship,
            rpt_lifecycle=rpt_lifecycle,
            rpt_data_quality=rpt_data_quality,
            rpt_quality_trend=rpt_quality_trend,
            rpt_quality_newest=rpt_quality_newest,
            rpt_restatements=rpt_restatements,
            forecast_bias=forecast_bias,
            forecast_windows=forecast_windows,
            regimes=regimes,
            optimizer_solutions=optimizer_solutions,
        )
    )
