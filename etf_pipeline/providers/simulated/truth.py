"""What no observer of the simulated market sees: the truth that tests compare estimates with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated import history, indices
from etf_pipeline.providers.simulated.actions import ending_table, tickers_of
from etf_pipeline.providers.simulated.funds import FundSpec
from etf_pipeline.providers.simulated.listings import Listings, last_position
from etf_pipeline.providers.simulated.world import World


@dataclass(frozen=True)
class Predictability:
    """The one planted relation between the past and relative future returns.

    Each session's expected return moves by `strength` standard deviations of the index's own daily noise per unit of signal.
    The signal is the rank, among the exchange's indices, of the log return from `lookback` to `skip` sessions ago, scaled
    to mean zero and variance one.

    Attributes
    ----------
    lookback, skip : int
        Sessions.
    strength : float
        Expected return over daily noise, per unit of signal. [ratio]
    ic_21_residual, ic_21_residual_spread : float
        The true skill to be found: average Spearman correlation of the signal with what factors leave of the next 21
        sessions' return, across US funds with noise of their own, once every 21 sessions. Mean over 60 seeds and standard
        deviation between seeds. Without planting the mean is 0.002.
    ic_21, ic_21_spread, ic_21_without : float
        The same with total returns, across all plain US funds: what momentum scores when nobody takes factors out. A
        good part of it is there without planting, because stocks earned more than bills in most years. One history may
        well show half or double.
    """

    lookback: int = indices.LOOKBACK
    skip: int = indices.SKIP
    strength: float = indices.STRENGTH
    ic_21_residual: float = 0.045
    ic_21_residual_spread: float = 0.012
    ic_21: float = 0.051
    ic_21_spread: float = 0.024
    ic_21_without: float = 0.030


@dataclass(frozen=True)
class MarketTruth:
    """Truth behind one delivered market.

    Attributes
    ----------
    seed : int
    funds : tuple of FundSpec
        Terms and fate of every fund.
    regimes : Series of shape (n_sessions,)
        `calm`, `bear`, `crisis` or `recovery` by New York session.
    market_variance : Series of shape (n_sessions,)
        Conditional variance of the market factor, known at the close before. [fraction squared per session]
    factors : dict of str to DataFrame of shape (n_sessions, n_factors)
        Simple factor returns as each exchange met them, and `RF`, the bill's return known at the close before.
    loadings : DataFrame of shape (n_tickers, n_factors)
        True factor loadings, leverage included. NaN where a factor does not exist on the exchange.
    total_returns, planted, volatility : dict of str to DataFrame of shape (n_sessions, n_tickers)
        By exchange, NaN while not listed: total return [fraction per session; also NaN in a ticker's first session], its
        part that past returns reveal [fraction per session], and conditional standard deviation known at the close before
        [fraction per session; inside pinned crises the realised one is a little lower].
    endings : DataFrame
        Every ticker that ends: `announced_at`, `last_session`, `last_close`, `value`, `pay_date`, `successor`,
        `delisting_return` (what a holder makes from the last close).
    predictability : Predictability
    faults : DataFrame
        Planted faults: `dataset`, `ticker`, `session`, `rule`, `source_row` (-1 where the fault is an absence). Empty by
        default.
    """

    seed: int
    funds: tuple[FundSpec, ...]
    regimes: pd.Series[str]
    market_variance: pd.Series[float]
    factors: dict[str, pd.DataFrame]
    loadings: pd.DataFrame
    total_returns: dict[str, pd.DataFrame]
    planted: dict[str, pd.DataFrame]
    volatility: dict[str, pd.DataFrame]
    endings: pd.DataFrame
    predictability: Predictability
    faults: pd.DataFrame


def truth_of(
    world: World, listed: dict[str, Listings], start: pd.Timestamp, tickers: tuple[str, ...] | None, faults: pd.DataFrame
) -> MarketTruth:
    """The truth behind the funds `tickers` (all of them where None) from session `start` on."""
    days = world.paths.sessions
    endings = pd.concat([ending_table(one) for one in listed.values()], ignore_index=True)
    loadings = pd.concat([_by_ticker(one, one.exchange.loadings.T, one.exchange.factor_names) for one in listed.values()], axis=1)
    wanted = list(loadings.columns) if tickers is None else [t for t in loadings.columns if t in tickers]
    codes = [code for code, one in listed.items() if set(_names(one)) & set(wanted)]

    def panel(code: str, values: Floats, first: bool) -> pd.DataFrame:
        frame = _listed_only(listed[code], values, first)
        return frame.loc[start:, [t for t in frame.columns if t in wanted]]

    return MarketTruth(
        seed=world.seed,
        funds=tuple(f for one in listed.values() for f in one.exchange.funds if f.ticker in wanted),
        regimes=history.regimes(days).loc[start:],
        market_variance=pd.Series(world.paths.variance[:-1], index=days).loc[start:],
        factors={code: _factors(listed[code]).loc[start:] for code in codes},
        loadings=loadings[wanted].T,
        total_returns={code: panel(code, listed[code].exchange.returns, False) for code in codes},
        planted={code: panel(code, listed[code].exchange.planted, True) for code in codes},
        volatility={code: panel(code, listed[code].exchange.sigma, True) for code in codes},
        endings=endings[endings["ticker"].isin(wanted) & (endings["last_session"] >= start)].reset_index(drop=True),
        predictability=Predictability(),
        faults=faults,
    )


def _factors(listings: Listings) -> pd.DataFrame:
    exchange = listings.exchange
    frame = pd.DataFrame(exchange.factors, index=exchange.sessions, columns=list(exchange.factor_names))
    return frame.assign(RF=exchange.bill)


def _names(listings: Listings) -> list[str]:
    """Tickers in the order of the funds; a renamed fund has two."""
    return [name for name, _ in _places(listings)]


def _places(listings: Listings) -> list[tuple[str, int]]:
    """Every ticker with its fund's column."""
    return [(name, j) for j, fund in enumerate(listings.exchange.funds) for name in tickers_of(fund)]


def _by_ticker(listings: Listings, values: Floats, index: tuple[str, ...]) -> pd.DataFrame:
    places = _places(listings)
    return pd.DataFrame(values[:, [j for _, j in places]], index=list(index), columns=[name for name, _ in places])


def _listed_only(listings: Listings, values: Floats, first: bool) -> pd.DataFrame:
    """Values while each ticker trades; its `first` session kept or not."""
    days = listings.exchange.sessions
    places = _places(listings)
    traded = np.zeros((len(days), len(places)), dtype=bool)
    for column, (name, j) in enumerate(places):
        fund = listings.exchange.funds[j]
        traded[:, column] = listings.listed[:, j]
        if fund.ending is not None and fund.ending.kind == "rename":
            last = last_position(fund.ending.last, days)
            traded[: last + 1, column] &= name == fund.ticker
            traded[last + 1 :, column] &= name != fund.ticker
    if not first:
        traded &= np.vstack([np.zeros((1, len(places)), dtype=bool), traded[:-1]])
    return pd.DataFrame(
        np.where(traded, values[:, [j for _, j in places]], np.nan), index=days, columns=[name for name, _ in places]
    )
