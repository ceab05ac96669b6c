"""Is there an edge? From what a run left to the ledger of trials, the tests of significance, and what luck alone would give.

Three tables come of it. `trial_ledger` counts what was tried; `overfitting` deflates each strategy's Sharpe ratio by that count
and asks whether choosing among them was worth anything; `significance_tests` holds every question that was asked of forecasts
and strategies, corrected for all of them together.

A strategy is what the portfolio room decides; a benchmark is what anybody could hold without it (a fund, a fixed mix, equal
weights). Benchmarks stand in the ledger as `manual` and are not counted: nobody chooses them for their record.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.measures import session_risk_free
from etf_pipeline.panel import Floats, wide
from etf_pipeline.validation.claims import Claim, forecast_claims
from etf_pipeline.validation.comparison import paired_bootstrap
from etf_pipeline.validation.configurations import Configuration, current_configuration
from etf_pipeline.validation.prediction_returns import rank_correlations
from etf_pipeline.validation.ratios import BootstrapParameters
from etf_pipeline.validation.significance import effective_sample_size
from etf_pipeline.validation.tables import OverfittingParameters, overfitting_table, significance_table, strategy_row
from etf_pipeline.validation.trials import TRIAL_KINDS, append_trials, count_trials, trial

STRATEGIES_OF, MODELS_OF = "performance", "forecast_windows"
"""Tables of `configurations` whose settings make a strategy, or a model, another one."""

COUNTED = tuple(kind for kind in TRIAL_KINDS if kind != "manual")
"""Kinds of trial that deflate."""

ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class EdgeParameters:
    """How records are judged.

    Attributes
    ----------
    benchmarks : tuple of str
        Strategies of the portfolio room that need no skill, and are benchmarks beside those that the backtest adds.
    against : str
        Benchmark that strategies must beat together; the first one there is where it is missing, the bill where there is none.
    n_blocks : int
        Blocks of the cross-validation behind the probability of overfitting; even.
    confidence : float
        Probability that the deflated Sharpe ratio must reach. [probability]
    resamples : int
        Draws of every bootstrap.
    seed : int
        Equal seeds give equal figures.
    """

    benchmarks: tuple[str, ...] = ("equal_weight",)
    against: str = "equal_weight"
    n_blocks: int = 16
    confidence: float = 0.95
    resamples: int = 1000
    seed: int = 20


@dataclass(frozen=True)
class Records:
    """Net returns over the bill, one column per strategy or benchmark, on the sessions that all share.

    Attributes
    ----------
    excess : DataFrame of shape (n_sessions, n_books)
        [fraction]
    benchmarks : tuple of str
        Columns that nobody chose.
    """

    excess: pd.DataFrame
    benchmarks: tuple[str, ...]

    @property
    def strategies(self) -> list[str]:
        """Columns that somebody chose."""
        return [name for name in self.excess.columns if name not in self.benchmarks]

    def yardstick(self, name: str) -> Floats:
        """The benchmark of that name, else the first one, else zero: the bill over itself."""
        held = name if name in self.benchmarks else next(iter(self.benchmarks), None)
        return self.excess[held].to_numpy(dtype=np.float64) if held else np.zeros(len(self.excess))


def net_records(
    backtest_ledger: pd.DataFrame,
    target_weights: pd.DataFrame,
    fct_macro: pd.DataFrame,
    configurations: pd.DataFrame,
    parameters: EdgeParameters,
) -> Records:
    """What the ledgers earned over the bill after costs, from the first session after the first decision was filled for.

    Parameters
    ----------
    backtest_ledger, target_weights, fct_macro, configurations : DataFrame
        Tables of those names. The bill is the one that the backtest credited to cash.

    Notes
    -----
    The first row of a ledger holds the cash before any fill and earns nothing; it is left out, as in `performance`.
    """
    net = backtest_ledger[backtest_ledger["cost_basis"] == "net"]
    returns = net.pivot(index="session", columns="strategy", values="daily_return").sort_index().dropna()
    settings = current_configuration(configurations, STRATEGIES_OF).settings
    bill = session_risk_free(fct_macro, pd.DatetimeIndex(returns.index), settings["backtest_ledger"]["bill_series"])
    decided = set(target_weights["strategy"]) - set(parameters.benchmarks)
    excess = returns.sub(bill, axis=0).iloc[1:]
    return Records(excess, tuple(name for name in excess.columns if name not in decided))


def ledger_of_trials(
    previous: pd.DataFrame,
    configurations: pd.DataFrame,
    records: Records,
    member_forecasts: pd.DataFrame,
    realised_errors: pd.DataFrame,
    data_version: str,
    *,
    searched: Sequence[pd.DataFrame] = (),
) -> pd.DataFrame:
    """The table `trial_ledger`: what it held, with this run's strategies and models, and what searches tried.

    Parameters
    ----------
    previous, configurations, member_forecasts, realised_errors : DataFrame
        Tables of those names; the ledger as it stands, possibly empty.
    data_version : str
        On which data the figures rest.
    searched : sequence of DataFrame
        Further tables of the ledger's columns.
    """
    rows = [{str(key): value for key, value in row.items()} for table in searched for row in table.to_dict("records")]
    rows += _strategy_trials(records, current_configuration(configurations, STRATEGIES_OF), data_version)
    fitted = current_configuration(configurations, MODELS_OF)
    rows += _model_trials(member_forecasts, _Outcomes.of(realised_errors), fitted, data_version)
    return append_trials(previous, rows)


def _strategy_trials(records: Records, made: Configuration, data_version: str) -> list[dict[str, Any]]:
    """Strategies under the settings of everything upstream; benchmarks, which have none of their own, beside them."""
    rows = []
    for name in map(str, records.excess.columns):
        held = name in records.benchmarks
        rows.append(
            trial(
                "manual" if held else "backtest_strategy",
                name,
                {} if held else made.settings,
                seen=made.first_seen,
                run=made.first_run,
                data_version=data_version,
                code_version=made.code_version,
                excess_returns=records.excess[name].to_numpy(dtype=np.float64),
            )
        )
    return rows


def _model_trials(members: pd.DataFrame, outcome: _Outcomes, made: Configuration, data_version: str) -> list[dict[str, Any]]:
    """Models under the settings of everything upstream, judged by their mean rank correlation."""
    rows = []
    for name, part in members.groupby("model", sort=True):
        ic = rank_correlations(outcome.beside(part, "forecast"), outcome.values)
        ic = ic[~np.isnan(ic)]
        row = trial(
            "forecast_model",
            str(name),
            made.settings,
            seen=made.first_seen,
            run=made.first_run,
            data_version=data_version,
            code_version=made.code_version,
            metric="information_coefficient",
            value=float(ic.mean()) if len(ic) else math.nan,
        )
        rows.append(row | {"n_obs": len(ic)})
    return rows


def edge_claims(
    member_forecasts: pd.DataFrame,
    forecasts: pd.DataFrame,
    realised_errors: pd.DataFrame,
    reference: pd.DataFrame,
    records: Records,
    parameters: EdgeParameters,
) -> pd.DataFrame:
    """The table `significance_tests`: every question asked of each model, of the ensemble and of each strategy.

    Parameters
    ----------
    member_forecasts, forecasts, realised_errors : DataFrame
        Tables of those names; the horizon is that of the ensemble.
    reference : DataFrame
        `dim_etf`: the asset class of each fund, within which forecasts must rank.
    """
    horizon = int(forecasts["horizon"].iloc[0])
    outcome = _Outcomes.of(realised_errors)
    members = member_forecasts[member_forecasts["horizon"] == horizon]
    subjects = {str(name): (part, "forecast") for name, part in members.groupby("model", sort=True)}
    subjects[ENSEMBLE] = (forecasts, "expected_return")
    told = reference.set_index("ticker")["asset_class"].reindex(outcome.tickers).fillna("unknown")
    classes = pd.factorize(told)[0].astype(np.int64)
    claims: list[Claim] = []
    for name, (rows, column) in subjects.items():
        after, before = outcome.beside(rows, column), outcome.beside(rows, "raw_forecast")
        claims += forecast_claims(name, after, outcome.values, horizon, before=before, classes=classes)
    return significance_table([*claims, *strategy_claims(records, parameters)])


def strategy_claims(records: Records, parameters: EdgeParameters) -> list[Claim]:
    """That each strategy's Sharpe ratio is above that of each benchmark, one-sided.

    Notes
    -----
    Paired stationary bootstrap: the same blocks of sessions are drawn for both, so that what moves both cancels.
    """
    drawing = BootstrapParameters(resamples=parameters.resamples, seed=parameters.seed)
    claims = []
    for name in records.strategies:
        own = records.excess[name].to_numpy(dtype=np.float64)
        for other in records.benchmarks:
            held = records.excess[other].to_numpy(dtype=np.float64)
            found = paired_bootstrap(own, held, _annual_sharpe, parameters=drawing)
            p = found.p_value / 2 if found.difference > 0 else 1 - found.p_value / 2
            claims.append(
                Claim(
                    *(f"sharpe_over_{other}", name, 1, found.difference, np.nan, p, found.n),
                    n_effective=effective_sample_size(own - held, 1),
                    note="difference of annual Sharpe ratios after costs, paired bootstrap",
                )
            )
    return claims


def judged_records(records: Records, ledger: pd.DataFrame, parameters: EdgeParameters) -> pd.DataFrame:
    """The table `overfitting`: strategies deflated by everything in the ledger, benchmarks beside them.

    Notes
    -----
    Every record is scaled to the benchmark's volatility, which leaves Sharpe ratios as they are and makes the tests of
    superiority compare them: without it, a strategy that holds more bonds would lose to one that holds more risk.
    A benchmark is the only trial of itself: its ratio is not deflated, and nothing is concluded of it.
    """
    p, chosen = parameters, records.strategies
    frames = []
    if chosen:
        yardstick = records.yardstick(p.against)
        how = OverfittingParameters(p.n_blocks, p.confidence, p.resamples, p.seed)
        trials = count_trials(ledger, COUNTED)
        frames.append(overfitting_table(_at_volatility_of(yardstick, records.excess[chosen]), yardstick, trials, how))
    held = [
        strategy_row(name, records.excess[name].to_numpy(dtype=np.float64), 1, 0.0, p.confidence) for name in records.benchmarks
    ]
    if held:
        frames.append(pd.DataFrame(held).assign(pbo=np.nan, spa_p=np.nan, in_mcs=False, verdict="benchmark"))
    return pd.concat(frames, ignore_index=True)


def _at_volatility_of(yardstick: Floats, excess: pd.DataFrame) -> pd.DataFrame:
    sigma, target = excess.std(ddof=1), float(np.std(yardstick, ddof=1))
    return excess * (target / sigma).where((sigma > 0) & (target > 0), 1.0)


def _annual_sharpe(x: Floats) -> Floats:
    ratio: Floats = x.mean(axis=-1) / x.std(axis=-1, ddof=1) * np.sqrt(SESSIONS_PER_YEAR)
    return ratio


@dataclass(frozen=True)
class _Outcomes:
    """What came of forecasts, wide: sessions down, funds across."""

    sessions: pd.DatetimeIndex
    tickers: pd.Index[str]
    values: Floats

    @classmethod
    def of(cls, realised_errors: pd.DataFrame) -> _Outcomes:
        sessions = pd.DatetimeIndex(np.sort(realised_errors["session"].unique()))
        tickers = pd.Index(np.sort(realised_errors["ticker"].unique().astype(object)))
        return cls(sessions, tickers, wide(realised_errors, "realised_return", sessions, tickers))

    def beside(self, forecasts: pd.DataFrame, column: str) -> Floats:
        """A column of forecasts on the same axes."""
        return wide(forecasts, column, self.sessions, self.tickers)
