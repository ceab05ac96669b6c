"""The provider: a seeded, labelled market with known truth, in a full and a demonstration size."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from etf_pipeline.errors import SettingsError
from etf_pipeline.providers import Known, RawMarket
from etf_pipeline.providers.simulated import tables
from etf_pipeline.providers.simulated.actions import action_table
from etf_pipeline.providers.simulated.faults import no_faults, plant
from etf_pipeline.providers.simulated.funds import DEMO_START, DEMO_TICKERS
from etf_pipeline.providers.simulated.history import FIRST, LAST
from etf_pipeline.providers.simulated.listings import Listings, list_funds
from etf_pipeline.providers.simulated.macro import macro_table
from etf_pipeline.providers.simulated.truth import MarketTruth, truth_of
from etf_pipeline.providers.simulated.world import World, simulate_world, stream

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

    Examples
    --------
    >>> market = SimulatedMarket.for_profile("demo").fetch()
    >>> market.simulated, market.prices["ticker"].nunique()
    (True, 12)
    """

    profile: str = "full"
    seed: int = DEFAULT_SEED
    faults: bool = False

    @classmethod
    def for_profile(cls, profile: str, *, seed: int = DEFAULT_SEED, faults: bool = False) -> SimulatedMarket:
        """The market of a profile.

        Raises
        ------
        SettingsError
            If there is no such profile.
        """
        if profile not in PROFILES:
            raise SettingsError(f"the simulated market comes as {' or '.join(PROFILES)}; found '{profile}'. Set ETF_PROFILE.")
        return cls(profile, seed, faults)

    @property
    def name(self) -> str:
        """The word that settings choose it by."""
        return "simulated"

    def fetch(self, known: Known | None = None) -> RawMarket:
        """Every raw table, whatever is known; the caller's own copies."""
        market, _ = _delivered(self)
        frames = {f.name: getattr(market, f.name) for f in fields(market)}
        return replace(market, **{name: frame.copy() for name, frame in frames.items() if isinstance(frame, pd.DataFrame)})

    def truth(self) -> MarketTruth:
        """What stands behind the tables."""
        start, tickers = PROFILES[self.profile]
        world, listed = _history(self.seed)
        return truth_of(world, listed, pd.Timestamp(start), tickers, _delivered(self)[1].copy())


@functools.lru_cache(maxsize=2)
def _history(seed: int) -> tuple[World, dict[str, Listings]]:
    """The hidden history of a seed and its listings by exchange; remembered per process."""
    world = simulate_world(seed)
    bars, flows = stream(seed, "bars"), stream(seed, "aum")
    listed = {}
    for code, exchange in world.exchanges.items():
        at = np.minimum(world.paths.sessions.searchsorted(exchange.sessions), len(world.paths.sessions) - 1)
        listed[code] = list_funds(exchange, world.ten_year[at], world.bill_yield[at], bars, flows)
    return world, listed


@functools.lru_cache(maxsize=4)
def _delivered(market: SimulatedMarket) -> tuple[RawMarket, pd.DataFrame]:
    whole = _whole(market)
    return plant(whole) if market.faults else (whole, no_faults())


def _whole(market: SimulatedMarket) -> RawMarket:
    """The market without faults, cut to its profile."""
    world, listed = _history(market.seed)
    start, tickers = PROFILES[market.profile]
    first = pd.Timestamp(start)

    def cut(frame: pd.DataFrame, day: str | None, since: pd.Timestamp = first) -> pd.DataFrame:
        if tickers is not None and "ticker" in frame:
            frame = frame[frame["ticker"].isin(tickers)]
        return (frame if day is None else frame[frame[day] >= since]).reset_index(drop=True)

    prices = cut(pd.concat([tables.price_table(one) for one in listed.values()], ignore_index=True), "session")
    actions = cut(pd.concat([action_table(one) for one in listed.values()], ignore_index=True), "ex_date")
    return RawMarket(
        prices=prices.assign(source_row=np.arange(len(prices), dtype=np.int64)),
        actions=actions.assign(source_row=np.arange(len(actions), dtype=np.int64)),
        reference=cut(pd.concat([tables.reference_table(one) for one in listed.values()], ignore_index=True), None),
        aum=cut(pd.concat([tables.aum_table(one) for one in listed.values()], ignore_index=True), "as_of", first - KNOWN_ASSETS),
        macro=cut(macro_table(world), None),
        factors=cut(tables.factor_table(world), "session"),
        rejects=_no_rejects(),
        simulated=True,
        label=f"SIMULATED market, profile {market.profile}, seed {market.seed}, {start} to {LAST}: no real prices",
    )


def _no_rejects() -> pd.DataFrame:
    empty = pd.DataFrame({name: pd.Series(dtype="object") for name in REJECT_COLUMNS})
    return empty.astype({"source_row": "int64", "session": "datetime64[ns]"})
