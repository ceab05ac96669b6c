"""Validation room: what was tried, what is significant, and how much of the best is luck?"""

import pandas as pd

from etf_pipeline.recipes import makes
from etf_pipeline.validation import EdgeParameters

LEDGER = {
    "backtest_ledger": ("session", "strategy", "cost_basis", "daily_return"),
    "target_weights": ("strategy",),
    "fct_macro": ("session", "series", "value"),
    "member_forecasts": ("session", "ticker", "model", "horizon", "raw_forecast", "forecast"),
    "realised_errors": ("session", "ticker", "realised_return"),
}


@makes("configurations")
def configurations(
    performance: pd.DataFrame, forecast_windows: pd.DataFrame, provenance: pd.DataFrame, previous: pd.DataFrame
) -> pd.DataFrame:
    """The settings of every step behind the strategies' and the models' records, now and ever before."""
    from etf_pipeline.validation import record_configurations

    return record_configurations(previous, provenance)


@makes("trial_ledger", reads=LEDGER, beside=("search_trials",))
def trial_ledger(
    configurations: pd.DataFrame,
    backtest_ledger: pd.DataFrame,
    target_weights: pd.DataFrame,
    fct_macro: pd.DataFrame,
    member_forecasts: pd.DataFrame,
    realised_errors: pd.DataFrame,
    raw_source: pd.DataFrame,
    search_trials: pd.DataFrame,
    previous: pd.DataFrame,
    parameters: EdgeParameters,
) -> pd.DataFrame:
    """Everything that was ever tried, one row per configuration; new data bring its figures up to date and add no trial."""
    from etf_pipeline.validation import ledger_of_trials, net_records

    records = net_records(backtest_ledger, target_weights, fct_macro, configurations, parameters)
    source = raw_source.iloc[0]
    data = f"{source['provider']} to {source['fetched_until']:%Y-%m-%d}"
    return ledger_of_trials(previous, configurations, records, member_forecasts, realised_errors, data, searched=[search_trials])


@makes("significance_tests", reads=LEDGER)
def significance_tests(
    member_forecasts: pd.DataFrame,
    forecasts: pd.DataFrame,
    realised_errors: pd.DataFrame,
    dim_etf: pd.DataFrame,
    configurations: pd.DataFrame,
    backtest_ledger: pd.DataFrame,
    target_weights: pd.DataFrame,
    fct_macro: pd.DataFrame,
    parameters: EdgeParameters,
) -> pd.DataFrame:
    """Every question asked of forecasts and strategies, robust to overlap and corrected for all of them together."""
    from etf_pipeline.validation import edge_claims, net_records

    records = net_records(backtest_ledger, target_weights, fct_macro, configurations, parameters)
    return edge_claims(member_forecasts, forecasts, realised_errors, dim_etf, records, parameters)


@makes("overfitting", reads=LEDGER)
def overfitting(
    trial_ledger: pd.DataFrame,
    configurations: pd.DataFrame,
    backtest_ledger: pd.DataFrame,
    target_weights: pd.DataFrame,
    fct_macro: pd.DataFrame,
    parameters: EdgeParameters,
) -> pd.DataFrame:
    """Each Sharpe ratio deflated by the number of trials, and whether choosing among the strategies was worth anything."""
    from etf_pipeline.validation import judged_records, net_records

    records = net_records(backtest_ledger, target_weights, fct_macro, configurations, parameters)
    return judged_records(records, trial_ledger, parameters)
