"""The provider: a seeded, labelled market with known truth, in a full and a demonstration size."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.errors import SettingsError
from etf_pipeline.providers import Known, RawMarket
from etf_pipeline.providers.simulated import tables
from etf_pipeline.providers.simulated.actions import action_table, announcement_table
from etf_pipeline.providers.simulated.editions import Edition, restate_market, restatements
from etf_pipeline.providers.simulated.fates import draw_fates
from etf_pipeline.providers.simulated.faults import no_faults, plant
from etf_pipeline.providers.simulated.funds import DEMO_START, DEMO_TICKERS
from etf_pipeline.providers.simulated.history import FIRST, LAST
from etf_pipeline.providers.simulated.listings import Listings, list_funds, with_fates
from etf_pipeline.providers.simulated.macro import macro_table
from etf_pipeline.providers.simulated.names import history_table, tickers_of
from etf_pipeline.providers.simulated.truth import MarketTruth, Planted, truth_of
from etf_pipeline.providers.simulated.world import Exchange, World, simulate_world, stream

DEFAULT_SEED = 12
"""Of the first twenty-four seeds one with an ordinary market: return, volatility and predictability near their means."""
PROFILES: dict[str, tuple[str, tuple[str, ...] | None]] = {"full": (FIRST, None), "demo": (DEMO_START, DEMO_TICKERS)}
"""First session and tickers of each size; None for all."""
KNOWN_ASSETS = pd.Timedelta(days=14)
"""A market that begins later still knows the assets that were last published before."""
REJECT_COLUMNS = ("dataset", "source", "source_row", "session", "ticker", "rule", "found", "remedy")


@dataclass(frozen=True)
class SimulatedMarket:
    """A market drawn from a seed. Nothing in it is real but dates, calendars and the size of the great crises.

    Attributes
    ----------
    profile : {"full", "demo"}
        All funds since 2005, or twelve over the last six years: the same numbers, fewer of them.
    seed : int
        Same seed, same bytes, in any process.
    faults : bool
        Whether bad rows are planted; `truth` lists them.
    edition : {"first", "final", "restated"}
        What the vendor said first, says for good, or says after it restated its history (`editions`); `truth` lists the
        differences.

    Examples
    --------
    >>> market = SimulatedMarket.for_profile("demo").fetch()
    >>> market.simulated, market.prices["ticker"].nunique()
    (True, 12)
    """

    profile: str = "full"
    seed: int = DEFAULT_SEED
    faults: bool = False
    edition: Edition = "final"

    @classmethod
    def for_profile(
        cls, profile: str, *, seed: int = DEFAULT_SEED, faults: bool = False, restated: bool = False
    ) -> SimulatedMarket:
        """The market of a profile.

        Raises
        ------
        SettingsError
            If there is no such profile.
        """
        if profile not in PROFILES:
            raise SettingsError(f"the simulated market comes as {' or '.join(PROFILES)}; found '{profile}'. Set ETF_PROFILE.")
        return cls(profile, seed, faults, "restated" if restated else "final")

    @property
    def name(self) -> str:
        """The word that settings choose it by."""
        return "simulated"

    def fetch(self, known: Known | None = None) -> RawMarket:
        """Every raw table, whatever is known; the caller's own copies."""
        market, _ = _delivered(self)
        parts: dict[str, Any] = {f.name: getattr(market, f.name) for f in fields(market)}
        copies: dict[str, Any] = {name: part.copy() for name, part in parts.items() if isinstance(part, pd.DataFrame)}
        return replace(market, **copies)

    def truth(self) -> MarketTruth:
        """What stands behind the tables."""
        start, tickers = PROFILES[self.profile]
        world, listed = _history(self.seed)
        planted = Planted(_delivered(self)[1].copy(), restatements(_whole(self.profile, self.seed)))
        return truth_of(world, listed, pd.Timestamp(start), tickers, planted)


@functools.lru_cache(maxsize=2)
def _history(seed: int) -> tuple[World, dict[str, Listings]]:
    """The hidden history of a seed and its listings by group; remembered per process."""
    world = simulate_world(seed)
    bars, flows = stream(seed, "bars"), stream(seed, "aum")
    listed = {code: _listed(world, exchange, bars, flows) for code, exchange in world.exchanges.items()}
    endless = _listed(world, world.cohort, stream(seed, "cohort_bars"), stream(seed, "cohort_aum"))
    return world, listed | {"cohort": with_fates(endless, draw_fates(endless, stream(seed, "fates")))}


def _listed(world: World, exchange: Exchange, bars: np.random.Generator, flows: np.random.Generator) -> Listings:
    at = np.minimum(world.paths.sessions.searchsorted(exchange.sessions), len(world.paths.sessions) - 1)
    return list_funds(exchange, world.ten_year[at], world.bill_yield[at], bars, flows)


@functools.lru_cache(maxsize=4)
def _delivered(market: SimulatedMarket) -> tuple[RawMarket, pd.DataFrame]:
    whole = restate_market(_whole(market.profile, market.seed), market.edition)
    return plant(whole) if market.faults else (whole, no_faults())


@functools.lru_cache(maxsize=4)
def _whole(profile: str, seed: int) -> RawMarket:
    """The final edition without faults, cut to its profile."""
    world, listed = _history(seed)
    start, tickers = PROFILES[profile]
    first = pd.Timestamp(start)
    groups = list(listed.values())
    funds = [f for one in groups for f in one.exchange.funds if tickers is None or f.ticker in tickers]
    names = {name for f in funds for name in (f.ticker, *tickers_of(f))}

    def cut(frames: Iterable[pd.DataFrame], day: str | None, since: pd.Timestamp = first) -> pd.DataFrame:
        frame = pd.concat(list(frames), ignore_index=True)
        if tickers is not None and "ticker" in frame:
            frame = frame[frame["ticker"].isin(names)]
        return (frame if day is None else frame[frame[day] >= since]).reset_index(drop=True)

    prices = cut((tables.price_table(one) for one in groups), "session")
    actions = cut((action_table(one, listed[one.exchange.funds[0].exchange]) for one in groups), "ex_date")
    return RawMarket(
        prices=prices.assign(source_row=np.arange(len(prices), dtype=np.int64)),
        actions=actions.assign(source_row=np.arange(len(actions), dtype=np.int64)),
        reference=cut((tables.reference_table(one) for one in groups), None),
        aum=cut((tables.aum_table(one) for one in groups), "as_of", first - KNOWN_ASSETS),
        macro=cut([macro_table(world)], None),
        factors=cut([tables.factor_table(world)], "session"),
        rejects=_no_rejects(),
        simulated=True,
        label=f"SIMULATED market, profile {profile}, seed {seed}, {start} to {LAST}: no real prices",
        ticker_history=cut((history_table(one.exchange.funds, one.exchange.sessions) for one in groups), None),
        lifecycle=cut((announcement_table(one) for one in groups), "event_date"),
    )


def _no_rejects() -> pd.DataFrame:
    empty = pd.DataFrame({name: pd.Series(dtype="object") for name in REJECT_COLUMNS})
    return empty.astype({"source_row": "int64", "session": "datetime64[ns]"})
