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
    regime_probabilities: pd.DataFrame,
    rpt_regimes: pd.DataFrame,
    rpt_market_context: pd.DataFrame,
    rpt_macro_tilts: pd.DataFrame,
    rpt_volatility_term: pd.DataFrame,
    rpt_betas: pd.DataFrame,
    rpt_factor_exposures: pd.DataFrame,
    rpt_volatility_evaluation: pd.DataFrame,
    rpt_covariance_stability: pd.DataFrame,
    rpt_scoring: pd.DataFrame,
    macro_skill: pd.DataFrame,
    rpt_macro_replay: pd.DataFrame,
    rpt_attribution: pd.DataFrame,
    rpt_decisions: pd.DataFrame,
    rpt_trade_list: pd.DataFrame,
) -> pd.DataFrame:
    """One self-contained HTML page: is there an edge, what to hold and why, what it earned and what that rests on."""
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
            regime_probabilities=regime_probabilities,
            rpt_regimes=rpt_regimes,
            rpt_market_context=rpt_market_context,
            rpt_macro_tilts=rpt_macro_tilts,
            rpt_volatility_term=rpt_volatility_term,
            rpt_betas=rpt_betas,
            rpt_factor_exposures=rpt_factor_exposures,
            rpt_volatility_evaluation=rpt_volatility_evaluation,
            rpt_covariance_stability=rpt_covariance_stability,
            rpt_scoring=rpt_scoring,
            macro_skill=macro_skill,
            rpt_macro_replay=rpt_macro_replay,
            rpt_attribution=rpt_attribution,
            rpt_decisions=rpt_decisions,
            rpt_trade_list=rpt_trade_list,
        )
    )
