"""Nested evaluation: what the search chose in each training span, held against the default on the test window after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from etf_pipeline import calendars
from etf_pipeline.code_version import code_version
from etf_pipeline.forecasting.design import Design
from etf_pipeline.forecasting.lab.parameters import SearchParameters
from etf_pipeline.forecasting.lab.pieces import PROGRESS, cells_of, content, designs, fit_and_forecast, kept, key_of, thinned
from etf_pipeline.forecasting.lab.search import METRIC, Configuration, Found, draw_configurations, id_of, named, search_window
from etf_pipeline.forecasting.windows import WindowCache
from etf_pipeline.panel import Floats
from etf_pipeline.validation import (
    Window,
    append_trials,
    clustered_mean,
    diebold_mariano,
    holm,
    rank_correlations,
    trial,
    walk_forward,
)
from etf_pipeline.validation.prediction_returns import MINIMUM_EFFECTIVE
from etf_pipeline.validation.trials import canonical

SIZE = 0.05
"""Chance that any verdict of the table is wrong where searching changes nothing."""


def search_hyper_parameters(
    features: pd.DataFrame,
    returns: pd.DataFrame,
    membership: pd.DataFrame,
    reference: pd.DataFrame,
    previous: pd.DataFrame,
    parameters: SearchParameters | None = None,
    cache: WindowCache | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Search, then judge the search.

    Parameters
    ----------
    previous : DataFrame
        `search_trials` as it stands: what was tried is never forgotten.
    cache : WindowCache, optional
        Keeps every evaluation as it is made: a killed search goes on where it was.

    Returns
    -------
    trials, windows, results : DataFrame
        `search_trials`, `search_windows` and `search_results`.

    Notes
    -----
    A trial is first seen when the last session of the data that it was first tried on closed: no clock, so that equal data give
    equal tables.
    """
    p = parameters or SearchParameters()
    design = designs((features, returns, membership, reference), (p.horizon,), p.forecast())[p.horizon]
    windows = walk_forward(design.sessions, p.forecast().windows)
    fresh: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for model in p.models:
        found = {w.number: search_window(model, w, design, p, cache) for w in windows[:: p.search_every]}
        fresh += _trials(model, list(found.values()), design, p)
        forecasts = np.full((2, *design.label.shape), np.nan)
        for w in windows:
            rows.append(_nested(model, w, found[w.number - w.number % p.search_every], forecasts, design, p, cache))
        results.append(_result(model, rows[-len(windows) :], windows, forecasts, design, p))
    return append_trials(previous, fresh), pd.DataFrame(rows), _with_verdicts(pd.DataFrame(results))


def _trials(model: str, found: list[Found], design: Design, p: SearchParameters) -> list[dict[str, Any]]:
    """Ledger rows: each configuration once, its score the mean over the searched spans at the last round that it reached."""
    close = calendars.closes(p.exchange, design.sessions[-1:]).iloc[0]
    told = {
        "seen": close,
        "run": f"search of {design.sessions[-1].date()}",
        "data_version": key_of(*(f.evaluations for f in found))[:16],
        "code_version": code_version(search_window),
    }
    rows = []
    for number, configuration in enumerate(draw_configurations(model, p)):
        last = [f.last(number) for f in found]
        row = trial(
            "search", model, named(model, configuration, p), **told, metric=METRIC, value=float(np.mean([e.score for e in last]))
        )
        rows.append(row | {"n_obs": sum(e.n for e in last)})
    return rows


def _nested(
    model: str, window: Window, found: Found, forecasts: Floats, design: Design, p: SearchParameters, cache: WindowCache | None
) -> dict[str, Any]:
    """A row of `search_windows`; writes what the chosen and the default say of the window into `forecasts`."""
    configurations = draw_configurations(model, p)
    best = configurations[found.chosen]
    span = slice(window.test_start, window.test_stop)
    for place, configuration in enumerate((best, configurations[0])):
        forecasts[place, span] = _forecast(model, configuration, window, design, p, cache)[span]
    PROGRESS.info("search, %s: window %d judged", model, window.number)
    label = design.label[span]
    known = ~np.isnan(label) & ~np.isnan(forecasts[0][span])
    zero = float(np.sum(label[known] ** 2))
    outer = [1 - float(np.sum((f[span][known] - label[known]) ** 2)) / zero if zero > 0 else np.nan for f in forecasts]
    ic = [_mean(rank_correlations(f[span], label)) for f in forecasts]
    return {
        "model": model,
        "horizon": p.horizon,
        "window": window.number,
        "searched_in": found.window,
        "trial_id": id_of(model, best, p),
        "configuration": canonical(named(model, best, p)),
        "is_default": found.chosen == 0,
        "inner_chosen": found.last(found.chosen).score,
        "inner_default": found.last(0).score,
        "n_test": int(known.sum()),
        "outer_chosen": outer[0],
        "outer_default": outer[1],
        "ic_chosen": ic[0],
        "ic_default": ic[1],
    }


def _forecast(
    model: str, configuration: Configuration, window: Window, design: Design, p: SearchParameters, cache: WindowCache | None
) -> Floats:
    train = cells_of(thinned(np.arange(window.train_start, window.train_stop), p.train_every), design, ended=True)
    test = cells_of(np.arange(window.test_start, window.test_stop), design, ended=False)
    parameters = p.forecast(**configuration)
    key = key_of(model, parameters, content(design, train, labels=True), content(design, test, labels=False))
    piece = kept(
        cache,
        "lab_outer",
        key,
        lambda: pa.table({"prediction": fit_and_forecast(model, parameters, design, train, test)}),
    )
    wide = np.full(design.label.shape, np.nan)
    wide[test] = piece["prediction"].to_numpy()
    return wide


def _result(
    model: str,
    rows: list[dict[str, Any]],
    windows: list[Window],
    forecasts: Floats,
    design: Design,
    p: SearchParameters,
) -> dict[str, Any]:
    """A row of `search_results` without its verdict: both forecasters on identical rows of all test windows."""
    span = slice(windows[0].test_start, len(design.sessions) - p.forecast().label_sessions)
    label = design.label[span]
    known = ~np.isnan(label) & design.member[span]
    chosen, default = (np.where(known, f[span], np.nan) for f in forecasts)
    losses = [np.where(known, (f - label) ** 2, 0.0).sum(axis=1) for f in (default, chosen)]
    gain = diebold_mariano(losses[0], losses[1], p.horizon, counts=known.sum(axis=1).astype(np.float64))
    better = rank_correlations(chosen, label) - rank_correlations(default, label)
    sure = ~np.isnan(better)
    ic = clustered_mean(np.where(sure, better, 0.0), sure.astype(np.float64), p.horizon)
    return {
        "model": model,
        "horizon": p.horizon,
        "configurations": p.configurations + 1,
        "windows": len(rows),
        "inner_gain": float(np.mean([row["inner_chosen"] - row["inner_default"] for row in rows])),
        "outer_gain": float((losses[0].sum() - losses[1].sum()) / np.where(known, label**2, 0.0).sum()),
        "dm_p_value": gain.p_positive,
        "ic_gain": ic.mean,
        "ic_p_value": ic.p_positive,
        "n_effective": gain.n_effective,
    }


def _with_verdicts(results: pd.DataFrame) -> pd.DataFrame:
    """Verdicts on squared error, by Holm over the models; where the default was always chosen there is no difference."""
    p = results["dm_p_value"].to_numpy(dtype=np.float64)
    few = (results["n_effective"] < MINIMUM_EFFECTIVE).to_numpy()
    p = np.where(few, np.nan, p)
    verdict = np.select([few, holm(p) < SIZE, holm(1.0 - p) < SIZE], ["insufficient", "improved", "worse"], "no_difference")
    return results.assign(verdict=verdict)


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan
