"""The models: what each one is, and any other by its name."""

from __future__ import annotations

import sys
import types
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from etf_pipeline.errors import SettingsError
from etf_pipeline.forecasting import MODELS, ForecastParameters
from etf_pipeline.forecasting.design import build_design
from etf_pipeline.forecasting.dotted import dotted_model
from etf_pipeline.forecasting.models import BinnedForest, code_of, make_model
from etf_pipeline.forecasting.windows import fit_window
from etf_pipeline.validation import walk_forward

SMALL = ForecastParameters(trees=8, min_leaf=40, leaves=12, n_jobs=1)


@pytest.fixture(autouse=True)
def one_thread():
    """As windows are fitted."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def steps() -> tuple[np.ndarray, np.ndarray]:
    """Ranks of five features, of which the first lifts the label by one where it is positive."""
    rng = np.random.default_rng(4)
    X = rng.uniform(-0.5, 0.5, (1500, 5)).astype(np.float32)
    return X, (X[:, 0] > 0) + 0.3 * rng.standard_normal(1500)


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"ridge"}))
def test_every_model_of_trees_finds_a_step_and_repeats_itself(name, steps):
    X, y = steps
    once, again = (make_model(name, SMALL, 40).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(once.predict(X), again.predict(X))
    high, low = once.predict(X)[X[:, 0] > 0.05].mean(), once.predict(X)[X[:, 0] < -0.05].mean()
    assert 0.45 < high - low < 1.1
    other = make_model(name, ForecastParameters(trees=8, min_leaf=40, leaves=12, n_jobs=1, seed=8), 40).fit(X, y)
    assert not np.array_equal(other.predict(X), once.predict(X))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_forecast_does_not_depend_on_the_rows_beside_it(name, steps):
    X, y = steps
    model = make_model(name, SMALL, 8).fit(X, y)
    np.testing.assert_array_equal(model.predict(X[700:720]), model.predict(X)[700:720])


def test_the_binned_forest_is_the_mean_of_trees_with_leaves_as_large_and_as_few_as_set(steps):
    X, y = steps
    forest = BinnedForest(trees=6, leaves=5, min_leaf=60, sample=0.5).fit(X, y)
    trees = [forest.booster_.predict(X, start_iteration=k, num_iteration=1) for k in range(6)]
    np.testing.assert_allclose(forest.predict(X), np.mean(trees, axis=0), rtol=1e-12)
    assert np.ptp(trees, axis=0).max() > 0.01  # each draws its own rows
    table = forest.booster_.trees_to_dataframe()
    leaves = table[table["left_child"].isna()]
    assert leaves["count"].min() >= 60
    assert leaves.groupby("tree_index").size().max() == 5
    assert leaves.groupby("tree_index")["count"].sum().to_numpy() == pytest.approx(
        np.full(6, 750), abs=80
    )  # four standard deviations


def test_the_binned_forest_tries_the_share_of_features_set_and_splits_within_a_bin_of_the_best_place():
    rng = np.random.default_rng(6)
    X = rng.uniform(-0.5, 0.5, (4000, 5)).astype(np.float32)
    y = (X[:, 0] > 0.19) + 0.1 * rng.standard_normal(4000)

    def roots(split_features):
        forest = BinnedForest(trees=20, leaves=4, min_leaf=50, sample=0.6, split_features=split_features).fit(X, y)
        table = forest.booster_.trees_to_dataframe()
        return table[table["node_depth"] == 1]

    every = roots(1.0)
    assert set(every["split_feature"]) == {"Column_0"}
    assert every["threshold"].sub(0.19).abs().max() < 1 / 60  # one of 63 bins
    assert roots(0.2)["split_feature"].nunique() > 2


def test_a_forest_has_no_bias_on_its_own_rows_and_boosting_never_stops_early(steps):
    X, y = steps
    for name in ("random_forest", "lightgbm_rf", "gradient_boosting"):
        model = make_model(name, SMALL, 60).fit(X, y)
        assert abs(np.mean(model.predict(X) - y)) < 0.02
    assert model.n_iter_ == 60


def test_any_estimator_plugs_in_by_its_dotted_name_with_plain_arguments():
    model = make_model("lightgbm.LGBMRegressor(n_estimators=3, verbosity=-1)", ForecastParameters(seed=5), 100)
    settings = model.get_params()
    assert (settings["n_estimators"], settings["verbosity"], settings["random_state"]) == (3, -1, 5)
    assert (
        make_model("sklearn.linear_model.Lasso(random_state=1)", ForecastParameters(seed=5), 1).get_params()["random_state"] == 1
    )


def test_a_class_of_ones_own_needs_no_more_than_fit_and_predict(monkeypatch):
    class Mean:
        def __init__(self, times=1.0):
            self.times = times

        def fit(self, X, y):
            self.mean_ = self.times * y.mean()

        def predict(self, X):
            return np.full(len(X), self.mean_)

    module = types.ModuleType("my_package")
    Mean.__module__ = "my_package"
    module.Mean = Mean
    module.__version__ = "1.2"
    monkeypatch.setitem(sys.modules, "my_package", module)
    model = make_model("my_package.Mean(times=2.0)", SMALL, 1)
    model.fit(np.zeros((4, 1)), np.array([1.0, 2.0, 3.0, 4.0]))
    assert model.predict(np.zeros((1, 1))).tolist() == [5.0]
    before = code_of("my_package.Mean")
    module.__version__ = "1.3"
    assert code_of("my_package.Mean") != before  # what was cached under the older version is not found


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("forest", "knows the models"),
        ("os.system", "fit and predict"),
        ("sklearn.ensemble.Nothing", "finds no"),
        ("no_such_package.Model", "finds no"),
        ("sklearn.linear_model.Lasso(0.5)", "name=value"),
        ("sklearn.linear_model.Lasso(alpha=open('x'))", "name=value"),
        ("sklearn.linear_model.Lasso(**{'alpha': 1})", "name=value"),
        ("__import__('os').system", "name=value"),
        ("sklearn.linear_model.Lasso(alpha=", "name=value"),
        ("sklearn.linear_model.Lasso(alhpa=1)", "alhpa"),
    ],
)
def test_what_is_no_estimator_is_refused_and_never_run(wrong, said):
    with pytest.raises(SettingsError, match=said):
        make_model(wrong, ForecastParameters(), 1)


def test_the_code_behind_a_name_is_its_package_and_source():
    assert "class Lasso" in dotted_model("sklearn.linear_model.Lasso").code()
    assert "lightgbm 4" in code_of("lightgbm_rf")


def test_fold_models_grow_a_third_of_the_trees_and_the_seed_is_the_settings(monkeypatch, predictable, quick):
    grown = []

    def spy(parameters, trees):
        grown.append((trees, parameters.seed))
        return MODELS["ridge"](parameters, trees)

    monkeypatch.setitem(MODELS, "spy", spy)
    p = replace(quick, models=("spy",), trees=31, seed=9)
    design = build_design(**predictable, parameters=p)
    fit_window("spy", walk_forward(design.sessions, p.windows)[1], design, p)
    assert grown == [(31, 9), (10, 9), (10, 9), (10, 9)]
