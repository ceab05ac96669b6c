"""Betas to a few tradable factors at once: equity, rates, credit, commodity, gold, each the return of funds that one can hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.conventions import HOME_MARKETS
from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.risk.beta.pairing import BILL, Grid, Integers, grids, home_word, market_funds

COLUMNS = ("session", "ticker", "factor", "beta", "error", "t", "vif", "r_squared", "n", "model")

EXACT = 1e-9
"""An error below this is rounding: the fund is made of the factors, and there is nothing to test."""


@dataclass(frozen=True)
class MultiFactorParameters:
    """Which factors, and when.

    Attributes
    ----------
    factors : tuple of str
        ``name=LONG`` or ``name=LONG-SHORT``: the excess return of a fund, or the difference of two. `home_equity` is the market
        fund of the exchange. Factors whose funds are not listed there are left out.
    window : int
        Sessions of the rolling regression. [sessions]
    min_sessions : int
        Known ones without which a fund has no betas, and a factor no place in the model. [sessions]
    months : tuple of int
        Months at whose last session betas are estimated.
    exchange : str
        Main exchange: factors and funds are those listed there, or counted in the same market.
    bill_series : str
        Series that is taken off returns in US dollars; empty to take off nothing.
    """

    factors: tuple[str, ...] = ("equity=home_equity", "rates=IEF", "credit=HYG-IEF", "commodity=DBC", "gold=GLD")
    window: int = 252
    min_sessions: int = 126
    months: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    exchange: str = "XNYS"
    bill_series: str = BILL

    def __post_init__(self) -> None:
        """Refuse what cannot be read or fitted."""
        named(self.factors)
        if not len(self.factors) + 2 < self.min_sessions <= self.window:
            raise SettingsError(
                f"multi_factor_betas needs more than {len(self.factors) + 2} sessions and min_sessions <= window; "
                f"found {self.min_sessions} and {self.window}."
            )

    @property
    def lookback(self) -> int:
        """Sessions before a row that it may depend on."""
        return self.window + 2


def named(factors: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Long and short fund of each factor; the short one is empty for a plain return.

    Raises
    ------
    SettingsError
        If a factor has another form, or two have one name.

    Examples
    --------
    >>> named(("rates=IEF", "credit=HYG-IEF"))
    {'rates': ('IEF', ''), 'credit': ('HYG', 'IEF')}
    """
    found: dict[str, tuple[str, str]] = {}
    for text in factors:
        name, _, legs = text.partition("=")
        long, dash, short = legs.partition("-")
        if not name or not long or bool(dash) != bool(short) or name in found:
            raise SettingsError(
                f"factors are named once each, as name=LONG or name=LONG-SHORT, such as credit=HYG-IEF; found '{text}'."
            )
        found[name] = (long, short)
    return found


def multi_factor_betas(
    returns: pd.DataFrame,
    funds: pd.DataFrame,
    macro: pd.DataFrame,
    calendar: pd.DataFrame,
    parameters: MultiFactorParameters | None = None,
) -> pd.DataFrame:
    """Rolling betas of every fund to several factors at once, at the last session of each month.

    Parameters
    ----------
    returns, funds, macro, calendar : DataFrame
        `fct_returns`, `dim_etf`, `fct_macro` and `raw_sessions`.
    parameters : MultiFactorParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame of shape (n_rows, 10)
        `multi_factor_betas`, one row per fund, month's end and factor of the model.

    Notes
    -----
    Least squares with an intercept and Newey-West errors. The factors are not orthogonalised: each beta is what the fund moves
    with its factor while the others stand still, and `vif` says how much wider its error is (squared) for their moving together.
    A factor with fewer than `min_sessions` known sessions in the window has no place in that window's model; `model` names those
    that have, because a beta means something else without its neighbours. Sessions in which a factor of the model is unknown are
    left out.
    """
    p = parameters or MultiFactorParameters()
    home = HOME_MARKETS[p.exchange].equity if p.exchange in HOME_MARKETS else ""
    parts = [
        _of_window(grid, factors, model, ends, p)
        for grid in grids(returns, funds, macro, market_funds(()), p.bill_series)
        if grid.market_fund == home and home
        for factors in [factor_returns(grid, p)]
        for model, ends in models(factors, grid.ends(calendar, p.months), p).items()
    ]
    return pd.concat([*parts], ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def factor_returns(grid: Grid, parameters: MultiFactorParameters) -> dict[str, Floats]:
    """Return of each factor at each session of the grid; unknown where one of its funds is. [fraction]"""
    legs = {name: [home_word(leg, parameters.exchange) for leg in pair] for name, pair in named(parameters.factors).items()}
    return {name: grid.of(long) - (grid.of(short) if short else 0.0) for name, (long, short) in legs.items()}


def models(factors: dict[str, Floats], ends: Integers, parameters: MultiFactorParameters) -> dict[tuple[str, ...], Integers]:
    """Ends of windows by the factors that are known well enough in them."""
    grouped: dict[tuple[str, ...], list[int]] = {}
    for end in ends:
        span = slice(max(0, end - parameters.window + 1), end + 1)
        known = tuple(name for name, values in factors.items() if np.isfinite(values[span]).sum() >= parameters.min_sessions)
        if known:
            grouped.setdefault(known, []).append(int(end))
    return {model: np.array(places, dtype=np.intp) for model, places in grouped.items()}


def _of_window(
    grid: Grid, factors: dict[str, Floats], model: tuple[str, ...], ends: Integers, p: MultiFactorParameters
) -> pd.DataFrame:
    from etf_pipeline.risk.beta.least_squares import trailing_fits

    x = np.column_stack([np.ones(len(grid.sessions)), *(factors[name] for name in model)])
    k = x.shape[1]
    fits = trailing_fits(grid.excess, x, grid.traded, ends, p.window, p.min_sessions)
    fund, end = np.nonzero(np.isfinite(fits[:, :, 0]))
    found, inflation = fits[fund, end], inflations(x, ends, p.window)
    parts = []
    for j, name in enumerate(model, start=1):
        beta, error = found[:, j], np.sqrt(np.maximum(found[:, k + j * (k + 1)], 0.0))
        parts.append(
            pd.DataFrame(
                {
                    "session": grid.sessions[ends][end],
                    "ticker": grid.tickers[fund],
                    "factor": name,
                    "beta": beta,
                    "error": error,
                    "t": np.divide(beta, error, out=np.full(len(beta), np.nan), where=error > EXACT),
                    "vif": inflation[end, j - 1],
                    "r_squared": found[:, -2],
                    "n": found[:, -1].astype(np.int64),
                    "model": "+".join(model),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def inflations(x: Floats, ends: Integers, window: int) -> Floats:
    """Variance inflation of each regressor but the first, of shape (n_ends, k - 1): the diagonal of the inverse correlations."""
    out = np.full((len(ends), x.shape[1] - 1), np.nan)
    for i, end in enumerate(ends):
        rows = x[max(0, end - window + 1) : end + 1, 1:]
        rows = rows[np.isfinite(rows).all(axis=1)]
        scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0) if len(rows) > x.shape[1] else rows[:0]
        if len(scaled) and np.isfinite(scaled).all():
            out[i] = np.diag(np.linalg.pinv(scaled.T @ scaled / len(scaled)))
    return out
