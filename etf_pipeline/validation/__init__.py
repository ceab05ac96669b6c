"""Validation room: which sessions a model may learn from, and what one may conclude from how it did.

Labels of h sessions overlap, so neighbouring errors are one observation told h times: training is purged by the end of each
label, and every test here is robust to serial correlation. Figures fall into splits (`walk_forward`, `combinatorial_purged`,
`nested`), skill (`ic_summary`, `robust_pesaran_timmermann`, `diebold_mariano`, `paired_bootstrap`), luck (`deflated_sharpe`,
`backtest_overfitting`, `superior_predictive_ability`, the trial ledger), the way there (`trade_drawdowns`, `time_to_profit`) and
risk (`kupiec`, `acerbi_szekely`). "No edge" is an answer.
"""

from __future__ import annotations

from etf_pipeline.validation.claims import Claim, forecast_claims
from etf_pipeline.validation.combinatorial import (
    CombinatorialParameters,
    CombinatorialSplit,
    backtest_paths,
    combinatorial_purged,
)
from etf_pipeline.validation.comparison import (
    ObservationTest,
    PairedDifference,
    observation_t_test,
    paired_bootstrap,
)
from etf_pipeline.validation.configurations import Configuration, current_configuration, record_configurations
from etf_pipeline.validation.deflation import (
    SharpeMoments,
    deflated_sharpe,
    effective_trials,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_moments,
)
from etf_pipeline.validation.direction import (
    DirectionTest,
    dynamic_pesaran_timmermann,
    hit_rate,
    hits,
    pesaran_timmermann,
    robust_pesaran_timmermann,
)
from etf_pipeline.validation.edge import (
    EdgeParameters,
    Records,
    edge_claims,
    judged_records,
    ledger_of_trials,
    net_records,
    strategy_claims,
)
from etf_pipeline.validation.multiplicity import benjamini_yekutieli, holm
from etf_pipeline.validation.overfitting import Overfitting, backtest_overfitting
from etf_pipeline.validation.prediction_returns import (
    mean_by_regime,
    prediction_sharpe,
    quantile_long_short,
    rank_correlations,
    sharpe_by_regime,
    sign_timed,
)
from etf_pipeline.validation.ratios import (
    BootstrapParameters,
    ICSummary,
    RatioTest,
    bootstrap_ratio,
    ic_summary,
    ratio_test,
)
from etf_pipeline.validation.significance import (
    MeanTest,
    bandwidth,
    bartlett_variance,
    clustered_mean,
    diebold_mariano,
    effective_sample_size,
    fixed_b_critical_value,
    fixed_b_p_value,
    information_coefficient,
    mean_test,
)
from etf_pipeline.validation.superiority import (
    SuperiorityParameters,
    model_confidence_set,
    stepwise_superior,
    superior_predictive_ability,
)
from etf_pipeline.validation.survival import SurvivalCurve, kaplan_meier
from etf_pipeline.validation.tables import OverfittingParameters, overfitting_table, significance_table
from etf_pipeline.validation.trade_paths import (
    TimeToProfit,
    on_total_return,
    time_to_profit,
    time_to_profit_by_regime,
    trade_drawdowns,
)
from etf_pipeline.validation.trials import (
    TRIAL_KINDS,
    Trials,
    append_trials,
    count_trials,
    trial,
    trial_id,
)
from etf_pipeline.validation.var_tests import (
    ShortfallParameters,
    VarTest,
    acerbi_szekely,
    christoffersen_coverage,
    christoffersen_independence,
    kupiec,
    standard_tail,
    violations,
)
from etf_pipeline.validation.walk_forward import (
    Fold,
    WalkForwardParameters,
    Window,
    nested,
    purged_folds,
    walk_forward,
)

__all__ = [
    "TRIAL_KINDS",
    "BootstrapParameters",
    "Claim",
    "CombinatorialParameters",
    "CombinatorialSplit",
    "Configuration",
    "DirectionTest",
    "EdgeParameters",
    "Fold",
    "ICSummary",
    "MeanTest",
    "ObservationTest",
    "Overfitting",
    "OverfittingParameters",
    "PairedDifference",
    "RatioTest",
    "Records",
    "SharpeMoments",
    "ShortfallParameters",
    "SuperiorityParameters",
    "SurvivalCurve",
    "TimeToProfit",
    "Trials",
    "VarTest",
    "WalkForwardParameters",
    "Window",
    "acerbi_szekely",
    "append_trials",
    "backtest_overfitting",
    "backtest_paths",
    "bandwidth",
    "bartlett_variance",
    "benjamini_yekutieli",
    "bootstrap_ratio",
    "christoffersen_coverage",
    "christoffersen_independence",
    "clustered_mean",
    "combinatorial_purged",
    "count_trials",
    "current_configuration",
    "deflated_sharpe",
    "diebold_mariano",
    "dynamic_pesaran_timmermann",
    "edge_claims",
    "effective_sample_size",
    "effective_trials",
    "expected_maximum_sharpe",
    "fixed_b_critical_value",
    "fixed_b_p_value",
    "forecast_claims",
    "hit_rate",
    "hits",
    "holm",
    "ic_summary",
    "information_coefficient",
    "judged_records",
    "kaplan_meier",
    "kupiec",
    "ledger_of_trials",
    "mean_by_regime",
    "mean_test",
    "minimum_track_record",
    "model_confidence_set",
    "nested",
    "net_records",
    "observation_t_test",
    "on_total_return",
    "overfitting_table",
    "paired_bootstrap",
    "pesaran_timmermann",
    "prediction_sharpe",
    "probabilistic_sharpe",
    "purged_folds",
    "quantile_long_short",
    "rank_correlations",
    "ratio_test",
    "record_configurations",
    "robust_pesaran_timmermann",
    "sharpe_by_regime",
    "sharpe_moments",
    "sign_timed",
    "significance_table",
    "standard_tail",
    "stepwise_superior",
    "strategy_claims",
    "superior_predictive_ability",
    "time_to_profit",
    "time_to_profit_by_regime",
    "trade_drawdowns",
    "trial",
    "trial_id",
    "violations",
    "walk_forward",
]
