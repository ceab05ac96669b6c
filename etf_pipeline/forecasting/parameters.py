"""What a user may set about forecasting."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.validation import WalkForwardParameters


@dataclass(frozen=True)
class ForecastParameters:
    """Models, target, windows and correction.

    Attributes
    ----------
    models : tuple of str
        Names in `forecasting.MODELS`, or dotted names of scikit-learn regressors such as
        ``sklearn.ensemble.HistGradientBoostingRegressor``.
    features : tuple of str
        Columns of `features` to learn from; empty for all.
    exchange : str
        Main exchange, whose closes say when a label was known.
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
    trees : int
        Trees of the forest.
    min_leaf : int
        Smallest leaf of a tree. [rows]
    sample : float
        Share of the training rows that each tree draws. [fraction]
    split_features : float
        Share of the features tried at each split. [fraction]
    ridge_penalty : float
        Ridge penalty per training row, on standardised features.
    seed : int
        Seed of everything random.
    n_jobs : int
        Threads that fit a forest; results do not depend on it.
    """

    models: tuple[str, ...] = ("random_forest", "ridge")
    features: tuple[str, ...] = ()
    exchange: str = "XNYS"
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
    trees: int = 100
    min_leaf: int = 200
    sample: float = 0.3
    split_features: float = 0.33
    ridge_penalty: float = 0.1
    seed: int = 7
    n_jobs: int = 2

    @property
    def label_sessions(self) -> int:
        """Sessions from a forecast's close to the end of its label: one to the fill, then the horizon."""
        return self.horizon + 1

    @property
    def windows(self) -> WalkForwardParameters:
        """How history is cut."""
        return WalkForwardParameters(self.first_train, self.step, self.max_train, self.label_sessions, self.embargo)
