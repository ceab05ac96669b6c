"""What a user may set about the lab, the importance of features and the search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from etf_pipeline.forecasting.parameters import ForecastParameters


@dataclass(frozen=True)
class LabParameters:
    """The grid of models, horizons and training spans, and how each is judged.

    Attributes
    ----------
    models : tuple of str
        Names in `forecasting.MODELS`, or dotted names of scikit-learn regressors.
    baselines : tuple of str
        Names in `forecasting.BASELINES`, judged beside the models.
    horizons : tuple of int
        Sessions from the fill to the end of the label. [sessions]
    spans : tuple of str
        ``expanding``: everything before the window; ``rolling``: the last `rolling_train` sessions.
    per_fund_models : tuple of str
        Models that are also fitted to each fund alone.
    per_fund_horizons : tuple of int
        Horizons at which they are. [sessions]
    exchange : str
        Main exchange.
    first_train, step, embargo : int
        As in `ForecastParameters`; the defaults cut twenty years into 24 windows. [sessions]
    rolling_train : int
        Longest rolling span. [sessions]
    train_every : int
        Training uses every so-many-th session. [sessions]
    trees : int
        Trees of a forest: fewer than in production, since a grid compares.
    min_leaf : int
        Smallest leaf of a tree. [rows]
    quantile : float
        Share of funds on each side of the long-short spread. [fraction]
    cpcv_models : tuple of str
        Models that go through combinatorial purged cross-validation.
    cpcv_horizon : int
        Its horizon. [sessions]
    cpcv_folds, cpcv_test_folds : int
        Folds, and how many are tested at once.
    seed : int
        Seed of everything random.
    n_jobs : int
        Threads that fit a forest; results do not depend on it.
    """

    models: tuple[str, ...] = ("random_forest", "ridge", "lightgbm_rf", "gradient_boosting")
    baselines: tuple[str, ...] = ("historical_mean",)
    horizons: tuple[int, ...] = (5, 21, 63)
    spans: tuple[str, ...] = ("expanding", "rolling")
    per_fund_models: tuple[str, ...] = ("ridge",)
    per_fund_horizons: tuple[int, ...] = (21,)
    exchange: str = "XNYS"
    first_train: int = 756
    step: int = 168
    embargo: int = 5
    rolling_train: int = 1260
    train_every: int = 5
    trees: int = 40
    min_leaf: int = 200
    quantile: float = 0.2
    cpcv_models: tuple[str, ...] = ("lightgbm_rf", "ridge")
    cpcv_horizon: int = 21
    cpcv_folds: int = 8
    cpcv_test_folds: int = 2
    seed: int = 7
    n_jobs: int = 2

    def forecast(self, horizon: int, span: str = "expanding", scheme: str = "pooled") -> ForecastParameters:
        """How the forecasting room would do it, at this horizon, span and scheme."""
        longest = self.rolling_train if span == "rolling" else 0
        return _forecast(self, horizon=horizon, scheme=scheme, max_train=longest)


@dataclass(frozen=True)
class ImportanceParameters:
    """How the importance of features is measured.

    Attributes
    ----------
    models : tuple of str
        Models to ask.
    horizon : int
        Sessions from the fill to the end of the label. [sessions]
    exchange : str
        Main exchange.
    first_train, step, embargo, train_every : int
        As in `ForecastParameters`. [sessions]
    test_every : int
        Forecasts of every so-many-th session are judged: neighbours say almost the same. [sessions]
    trees : int
        Trees of a forest.
    min_leaf : int
        Smallest leaf of a tree. [rows]
    repeats : int
        Shuffles per window.
    cluster_distance : float
        Features whose clusters are closer than this, in 1 less absolute rank correlation, are one cluster. [fraction]
    seed : int
        Seed of everything random.
    n_jobs : int
        Threads that fit a forest; results do not depend on it.
    """

    models: tuple[str, ...] = ("lightgbm_rf", "ridge")
    horizon: int = 21
    exchange: str = "XNYS"
    first_train: int = 756
    step: int = 168
    embargo: int = 5
    train_every: int = 5
    test_every: int = 5
    trees: int = 40
    min_leaf: int = 200
    repeats: int = 2
    cluster_distance: float = 0.5
    seed: int = 7
    n_jobs: int = 2

    def forecast(self) -> ForecastParameters:
        """The forecasting room's parameters."""
        return _forecast(self, horizon=self.horizon, max_train=0)


@dataclass(frozen=True)
class SearchParameters:
    """How hyper-parameters are searched for.

    Attributes
    ----------
    models : tuple of str
        Models to tune; each needs a line in `forecasting.lab.search.SPACES`.
    horizon : int
        Sessions from the fill to the end of the label. [sessions]
    exchange : str
        Main exchange.
    first_train, step, embargo, train_every : int
        As in `ForecastParameters`. [sessions]
    search_every : int
        A search in every so-many-th window; its choice holds until the next. [windows]
    configurations : int
        Random configurations beside the default.
    inner_folds : int
        Inner walk-forward folds in each training span.
    inner_train : int
        Sessions before the first inner fold. [sessions]
    rungs : int
        Rounds of halving: the first learns from every ``2 ** (rungs - 1)``-th training session, the last from all.
    keep : float
        Share of the configurations that survive a round. [fraction]
    trees : int
        Trees of an ensemble while searching and in the nested evaluation.
    min_leaf : int
        Smallest leaf of a tree, by default. [rows]
    seed : int
        Seed of everything random.
    n_jobs : int
        Threads that fit a forest; results do not depend on it.
    """

    models: tuple[str, ...] = ("lightgbm_rf", "ridge")
    horizon: int = 21
    exchange: str = "XNYS"
    first_train: int = 756
    step: int = 168
    embargo: int = 5
    train_every: int = 5
    search_every: int = 4
    configurations: int = 16
    inner_folds: int = 3
    inner_train: int = 378
    rungs: int = 3
    keep: float = 0.34
    trees: int = 30
    min_leaf: int = 200
    seed: int = 7
    n_jobs: int = 2

    def forecast(self, **changed: float) -> ForecastParameters:
        """The forecasting room's parameters, with some of them changed."""
        return _forecast(self, horizon=self.horizon, max_train=0, **changed)


SHARED = ("exchange", "first_train", "step", "embargo", "train_every", "trees", "min_leaf", "seed", "n_jobs")
"""What a study sets under the names of the forecasting room; everything else has that room's defaults."""


def _forecast(study: LabParameters | ImportanceParameters | SearchParameters, **changed: Any) -> ForecastParameters:
    return ForecastParameters(**{name: getattr(study, name) for name in SHARED} | changed)
