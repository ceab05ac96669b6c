"""What a user may set about forecasting.

One horizon per set of parameters: the tables hold the horizon that scores and portfolios consume, so that every night fits one
set of models. Other horizons are other parameters, ``replace(parameters, horizon=5)``, through the same function.
"""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.validation import WalkForwardParameters


@dataclass(frozen=True)
class ForecastParameters:
    """Models, target, windows and correction.

    Attributes
    ----------
    models : tuple of str
        Members of the ensemble: names in `forecasting.MODELS`, or any class with `fit` and `predict` by its dotted name, such as
        ``lightgbm.LGBMRegressor(n_estimators=50)``.
    baselines : tuple of str
        Names in `forecasting.BASELINES`, judged beside the models and of no weight; to give one weight, name it in `models`.
    scheme : str
        ``pooled``: one model learns from all funds. ``per_fund``: one model per fund on its own history, as the action plan has
        it; a fund with too short a history has its shrunk mean.
    features : tuple of str
        Columns of `features` to learn from; empty for all.
    exchange : str
        Main exchange, whose closes say when a label was known.
    fund_effect : bool
        Whether a feature says how much a fund returned before, shrunk (`fund_effects`). Off: on 129 ETFs since 2006 it lowered
        the mean rank correlation, from 0.034 to 0.029 (ridge) and from 0.042 to 0.040 (forest).
    horizon : int
        Sessions from the fill to the end of the label. [sessions]
    first_train : int
        Sessions with members before the first forecast. [sessions]
    step : int
        Length of a test window: models are refitted this often. [sessions]
    max_train : int
        Longest training span; 0 lets it expand. [sessions]
    embargo : int
        Sessions between the end of the last training label and the first forecast. [sessions]
    train_every : int
        Training uses every so-many-th session: neighbouring labels overlap almost wholly. [sessions]
    inner_folds : int
        Purged folds inside each training span, to measure bias out of fold.
    estimate_every : int
        Correction and weights are estimated anew this often. [sessions]
    min_realised : int
        Sessions of realised errors before the correction rests on them; inner folds serve until then. [sessions]
    min_class_funds : int
        Funds that an asset class needs, by then, for a column and a correction line of its own; a smaller class shares those
        of all, because what it would learn is the past of its few funds. [count]
    shrink_weights : float
        How far ensemble weights are drawn to equal ones. [fraction]
    prior_labels : float
        Labels without overlap that the mean of its class counts for, beside a fund's own; 120 are ten years of months: funds of
        a class differ by a tenth of what one month's return deviates. [count]
    min_fund_rows : int
        Training rows that a fund needs for a model of its own (`per_fund`). [rows]
    trees : int
        Trees of a forest, steps of boosting.
    min_leaf : int
        Smallest leaf of a tree. [rows]
    sample : float
        Share of the training rows that each tree draws. [fraction]
    split_features : float
        Share of the features tried at each split. [fraction]
    leaves : int
        Most leaves of a tree of `lightgbm_rf`. [count]
    boosting_rate : float
        Step of `gradient_boosting`. [fraction]
    boosting_leaves : int
        Most leaves of its trees. [count]
    ridge_penalty : float
        Ridge penalty per training row, on standardised features.
    seed : int
        Seed of everything random.
    n_jobs : int
        Threads that fit `random_forest`; results do not depend on it.
    """

    models: tuple[str, ...] = ("lightgbm_rf", "ridge")
    baselines: tuple[str, ...] = ("historical_mean", "zero")
    scheme: str = "pooled"
    features: tuple[str, ...] = ()
    exchange: str = "XNYS"
    fund_effect: bool = False
    horizon: int = 21
    first_train: int = 756
    step: int = 189
    max_train: int = 2520
    embargo: int = 5
    train_every: int = 5
    inner_folds: int = 3
    estimate_every: int = 21
    min_realised: int = 252
    min_class_funds: int = 5
    shrink_weights: float = 0.5
    prior_labels: float = 120.0
    min_fund_rows: int = 50
    trees: int = 100
    min_leaf: int = 200
    sample: float = 0.3
    split_features: float = 0.33
    leaves: int = 64
    boosting_rate: float = 0.05
    boosting_leaves: int = 8
    ridge_penalty: float = 0.1
    seed: int = 7
    n_jobs: int = 2

    @property
    def judged(self) -> tuple[str, ...]:
        """Models and baselines, each once."""
        return tuple(dict.fromkeys((*self.models, *self.baselines)))

    @property
    def label_sessions(self) -> int:
        """Sessions from a forecast's close to the end of its label: one to the fill, then the horizon."""
        return self.horizon + 1

    @property
    def windows(self) -> WalkForwardParameters:
        """How history is cut."""
        return WalkForwardParameters(self.first_train, self.step, self.max_train, self.label_sessions, self.embargo)
