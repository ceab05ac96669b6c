"""What no observer of the simulated market sees: the truth that tests compare estimates with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated import history, indices
from etf_pipeline.providers.simulated.actions import ending_table
from etf_pipeline.providers.simulated.funds import FundSpec
from etf_pipeline.providers.simulated.listings import Listings
from etf_pipeline.providers.simulated.survival import Survival, survival_of
from etf_pipeline.providers.simulated.world import World


@dataclass(frozen=True)
class Predictability:
    """The one planted relation between the past and relative future returns.

    Each session's expected return moves by `strength` standard deviations of the index's own daily noise per unit of signal.
    The signal is the rank, among the indices of the exchange's lasting funds, of the log return from `lookback` to `skip`
    sessions ago, scaled to mean zero and variance one.

    Attributes
    ----------
    lookback, skip : int
        Sessions.
    strength : float
        Expected return over daily noise, per unit of signal. [ratio]
    ic_21_residual, ic_21_residual_spread : float
        The true skill to be found: average Spearman correlation of the signal with what factors leave of the next 21
        sessions' return, across lasting US funds with noise of their own, once every 21 sessions. Mean over 60 seeds and
        standard deviation between seeds. Without planting the mean is 0.002. Among the short-lived funds it is as large.
    ic_21, ic_21_spread, ic_21_without : float
        The same with total returns, across all plain lasting US funds: what momentum scores when nobody takes factors out. A
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
        Terms and fate of every fund. Everything here goes by permanent names: a fund that changed its ticker is one column.
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
        Every fund that ends: `announced_at`, `last_session`, `last_close`, `value`, `pay_date`, `successor`,
        `delisting_return` (what a holder makes from the last close).
    survival : dict of str to Survival
        By exchange: what became of every fund, and how much better those look that lived to the end.
    predictability : Predictability
    faults : DataFrame
        Planted faults: `dataset`, `ticker`, `session`, `rule`, `source_row` (-1 where the fault is an absence). Empty by
        default.
    restatements : DataFrame
        What the vendor's editions say differently: `dataset`, `ticker`, `session`, `field` (`row` for a whole row), `first`,
        `final` and `restated` values. The returns here are those of the final edition.
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
    survival: dict[str, Survival]
    predictability: Predictability
    faults: pd.DataFrame
    restatements: pd.DataFrame


@dataclass(frozen=True)
class Planted:
    """What was changed in the delivered tables."""

    faults: pd.DataFrame
    restatements: pd.DataFrame


def truth_of(
    world: World, listed: dict[str, Listings], start: pd.Timestamp, tickers: tuple[str, ...] | None, planted: Planted
) -> MarketTruth:
    """The truth behind the funds `tickers` (all of them where None) from session `start` on.

    Parameters
    ----------
    listed : dict of str to Listings
        Groups of funds; several may be listed on one exchange. Successors of merged funds are in that named by the exchange.
    """
    days = world.paths.sessions
    groups = list(listed.values())
    endings = pd.concat([ending_table(one, listed[_code(one)]) for one in groups], ignore_index=True)
    loadings = pd.concat([_loadings(one) for one in groups])
    wanted = list(loadings.index) if tickers is None else [t for t in loadings.index if t in tickers]
    codes = list(dict.fromkeys(_code(one) for one in groups if set(_names(one)) & set(wanted)))

    def panel(code: str, part: str, first: bool) -> pd.DataFrame:
        parts = [_listed_only(one, getattr(one.exchange, part), first) for one in groups if _code(one) == code]
        frame = pd.concat(parts, axis=1)
        return frame.loc[start:, [t for t in frame.columns if t in wanted]]

    endings = endings[endings["ticker"].isin(wanted) & (endings["last_session"] >= start)].reset_index(drop=True)
    returns = {code: panel(code, "returns", False) for code in codes}
    funds = tuple(f for one in groups for f in one.exchange.funds if f.ticker in wanted)
    return MarketTruth(
        seed=world.seed,
        funds=funds,
        regimes=history.regimes(days).loc[start:],
        market_variance=pd.Series(world.paths.variance[:-1], index=days).loc[start:],
        factors={code: _factors(listed[code]).loc[start:] for code in codes},
        loadings=loadings.loc[wanted],
        total_returns=returns,
        planted={code: panel(code, "planted", True) for code in codes},
        volatility={code: panel(code, "sigma", True) for code in codes},
        endings=endings,
        survival={code: survival_of([f for f in funds if f.exchange == code], returns[code], endings) for code in codes},
        predictability=Predictability(),
        faults=planted.faults,
        restatements=planted.restatements,
    )


def _code(listings: Listings) -> str:
    return listings.exchange.funds[0].exchange


def _names(listings: Listings) -> list[str]:
    return [fund.ticker for fund in listings.exchange.funds]


def _factors(listings: Listings) -> pd.DataFrame:
    exchange = listings.exchange
    frame = pd.DataFrame(exchange.factors, index=exchange.sessions, columns=list(exchange.factor_names))
    return frame.assign(RF=exchange.bill)


def _loadings(listings: Listings) -> pd.DataFrame:
    return pd.DataFrame(listings.exchange.loadings, index=_names(listings), columns=list(listings.exchange.factor_names))


def _listed_only(listings: Listings, values: Floats, first: bool) -> pd.DataFrame:
    """Values while each fund trades; its `first` session kept or not."""
    traded = listings.listed
    if not first:
        traded = traded & np.vstack([np.zeros((1, traded.shape[1]), dtype=bool), traded[:-1]])
    return pd.DataFrame(np.where(traded, values, np.nan), index=listings.exchange.sessions, columns=_names(listings))
