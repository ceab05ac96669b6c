"""The optimiser's problem of one portfolio on one day: its funds, its limits, its costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.costs import TransactionCostModel
from etf_pipeline.errors import Infeasible, SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.portfolio.inputs import Day, Days, amortisation
from etf_pipeline.portfolio.limit_settings import among, benchmark_weights, group_settings, masks
from etf_pipeline.portfolio.mandates import Portfolio
from etf_pipeline.portfolio.optimizer import BENCHMARKS
from etf_pipeline.portfolio.problem import GroupLimit, Problem
from etf_pipeline.portfolio.rebalancing import candidates

Positions = npt.NDArray[np.intp]

FEWEST_SCENARIOS = 100
"""Sessions that an expected shortfall needs: five of them lie beyond the level."""


@dataclass(frozen=True)
class Terms:
    """What a portfolio may hold and is measured by, on the axis of all tickers.

    Attributes
    ----------
    portfolio : Portfolio
    tickers : Index of shape (n_assets,)
    allowed : ndarray of bool of shape (n_assets,)
        Its universe.
    groups : tuple of GroupLimit
    benchmark : ndarray of shape (n_assets,) or None
        [fraction]
    """

    portfolio: Portfolio
    tickers: pd.Index[Any]
    allowed: npt.NDArray[np.bool_]
    groups: tuple[GroupLimit, ...]
    benchmark: Floats | None

    @classmethod
    def of(cls, portfolio: Portfolio, reference: pd.DataFrame, tickers: pd.Index[Any]) -> Terms:
        """From `dim_etf`.

        Raises
        ------
        SettingsError
            If the universe is empty, a group has no fund, or a fund of the benchmark never has a covariance.
        """
        p = portfolio.parameters
        allowed = portfolio.universe.mask(reference, tickers)
        if not allowed.any():
            raise SettingsError(f"portfolio '{portfolio.name}' may hold none of the {len(tickers)} funds; widen its universe.")
        weights = benchmark_weights(p.benchmark)
        unknown = sorted(set(weights) - set(tickers))
        if unknown:
            raise SettingsError(
                f"benchmark of '{portfolio.name}': {unknown[0]} has no covariance in any session. Choose another."
            )
        groups: tuple[GroupLimit, ...] = ()
        if p.group_limits or p.issuer_limit < 1.0:
            groups = masks(reference, tickers, group_settings(p.group_limits), p.issuer_limit)
        benchmark = np.array([weights.get(ticker, 0.0) for ticker in tickers]) if weights else None
        return cls(portfolio, tickers, allowed, groups, benchmark)

    def members(self, day: Day) -> Positions:
        """Funds of the universe that have a covariance."""
        return np.asarray(day.members[self.allowed[day.members]], dtype=np.intp)

    def choices(self, day: Day, previous: Floats) -> Positions:
        """Funds that the strategy chooses from."""
        p, strategy = self.portfolio.parameters, self.portfolio.strategy
        members = self.members(day)
        if strategy in BENCHMARKS:
            return members
        eligible = np.zeros(len(previous), dtype=bool)
        eligible[members] = True
        eligible &= ~np.isnan(day.score) & day.priced
        count, keep, alike = p.n_candidates, p.keep_rank, None
        if strategy == "risk_parity":
            count, alike = p.n_risk_parity, self._alike(day, p.parity_correlation)
        if strategy == "score_ranking":
            count, keep, alike = p.n_buy, p.sell_rank, self._alike(day, p.twin_correlation)
        chosen = candidates(day.score, eligible, previous > 0, count=count, keep_rank=keep, alike=alike)
        return self._with_needed(day, eligible, chosen) if strategy != "score_ranking" else chosen

    def _with_needed(self, day: Day, eligible: npt.NDArray[np.bool_], chosen: Positions) -> Positions:
        """The candidates, with the best funds of each group that has a floor, and those of the benchmark."""
        wanted = [chosen]
        for group in self.groups:
            if group.lower > 0.0:
                ranked = np.flatnonzero(eligible & group.members)
                ranked = ranked[np.argsort(-day.score[ranked], kind="stable")]
                wanted.append(ranked[: 2 * math.ceil(group.lower / self.portfolio.parameters.upper)])
        if self.benchmark is not None:
            wanted.append(np.flatnonzero(eligible & (self.benchmark > 0.0)))
        return np.unique(np.concatenate(wanted)).astype(np.intp)

    @property
    def worst_rank(self) -> int:
        """The rank down to which a holding stays a candidate."""
        p = self.portfolio.parameters
        return p.sell_rank if self.portfolio.strategy == "score_ranking" else p.keep_rank

    def problem(self, days: Days, i: int, day: Day, chosen: Positions, previous: Floats, value: float) -> Problem:
        """The problem among some members.

        Parameters
        ----------
        days, i, day : Days, int, Day
            What is known.
        chosen : ndarray of shape (n,)
            Positions of the funds.
        previous : ndarray of shape (n_assets,)
            Weights held. [fraction]
        value : float
            Net asset value. [currency of the funds]

        Raises
        ------
        Infeasible
            ``benchmark`` if a fund of the benchmark has no covariance this session.
        """
        p = self.portfolio.parameters
        within = np.searchsorted(day.members, chosen)
        model = TransactionCostModel(p.costs())
        linear, power = model.coefficients(day.half_spread[chosen], day.slope[chosen], value)
        yearly = amortisation(p)
        away = float(previous.sum() - previous[chosen].sum())
        scenarios = None
        if len(chosen) and (p.cvar_limit > 0.0 or self.portfolio.strategy == "cvar"):
            scenarios = _enough(days.scenarios(i, chosen), day)
        return Problem(
            tickers=tuple(self.tickers[chosen]),
            expected_return=day.expected_return[within],
            covariance=day.covariance[np.ix_(within, within)],
            previous=previous[chosen],
            risk_free=day.risk_free,
            linear_cost=linear * yearly,
            impact_cost=power * yearly,
            lower=p.lower,
            upper=p.upper,
            var_limit=p.var_limit if p.var_limit < 1.0 else math.inf,
            correlation=day.correlation[np.ix_(within, within)],
            groups=among(self.groups, chosen),
            turnover_limit=p.turnover_limit if p.turnover_limit < 1.0 else math.inf,
            tracking_error_limit=p.tracking_error_limit or math.inf,
            active_limit=p.active_limit if p.active_limit < 1.0 else math.inf,
            cvar_limit=p.cvar_limit or math.inf,
            scenarios=scenarios,
            risk_aversion=p.risk_aversion,
            sold=max(away, 0.0),  # what has to go costs the same whatever is chosen: it is left out of the objective
            **self._benchmark(day, chosen, within),
        )

    def _alike(self, day: Day, correlation: float) -> npt.NDArray[np.bool_]:
        alike = np.zeros((len(self.tickers), len(self.tickers)), dtype=bool)
        alike[np.ix_(day.members, day.members)] = day.correlation > correlation
        return alike

    def _benchmark(self, day: Day, chosen: Positions, within: Positions) -> dict[str, Any]:
        if self.benchmark is None:
            return {}
        inside = self.benchmark[day.members]
        if inside.sum() < self.benchmark.sum() - 1e-12:
            missing = np.setdiff1d(np.flatnonzero(self.benchmark), day.members)
            raise Infeasible(
                f"the benchmark holds {list(self.tickers[missing])}, without a covariance on {day.session.date()}.",
                reason="benchmark",
            )
        covariance = day.covariance @ inside
        return {
            "benchmark": self.benchmark[chosen],
            "benchmark_covariance": covariance[within],
            "benchmark_variance": float(inside @ covariance),
        }


def _enough(scenarios: Floats, day: Day) -> Floats:
    if len(scenarios) < FEWEST_SCENARIOS:
        raise Infeasible(
            f"expected shortfall needs {FEWEST_SCENARIOS} sessions in which every candidate has a return; up to "
            f"{day.session.date()} there are {len(scenarios)}.",
            reason="scenarios",
        )
    return scenarios
