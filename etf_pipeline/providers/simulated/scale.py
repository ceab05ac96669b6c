"""A market of thousands of funds, made in seconds: for measuring how fast the pipeline takes data in, not for judging estimates.

Returns are one market factor (that of the simulated world, crises included), one beta per fund and an own noise. Listings,
closures, splits, distributions and assets are there because they decide what ingestion has to do. Tables come as Arrow, in the
order of their keys, made in blocks of funds so that memory stays near the size of the result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as arrow

from etf_pipeline.calendars import closes, sessions
from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated.actions import SOURCE
from etf_pipeline.providers.simulated.factors import US_FACTORS
from etf_pipeline.providers.simulated.history import FIRST, LAST
from etf_pipeline.providers.simulated.macro import macro_table
from etf_pipeline.providers.simulated.scale_tables import CLASSES, EXCHANGE, PARTS, Block, Positions, session_table
from etf_pipeline.providers.simulated.tables import factor_table
from etf_pipeline.providers.simulated.world import simulate_world
from etf_pipeline.schemas import TABLES

BLOCK = 250
"""Funds that are drawn together."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST = len(LETTERS) ** 3
"""Tickers of four letters that begin with L."""
OLD = 0.85
"""Part of the funds that are listed in the first session; the others follow evenly."""
CLOSURES = 0.029
"""Closures per fund and year: a quarter within ten years."""
SPLITS = 0.02
"""Splits per fund and year."""
BETA, OWN, YIELD = (1.0, 0.05, 0.3, 1.0), (0.10, 0.05, 0.20, 0.12), (0.015, 0.03, 0.0, 0.04)
"""By class of `CLASSES`: beta, own annual volatility, and annual distributions [fraction]."""


@dataclass(frozen=True)
class LargeMarket:
    """Raw tables of many funds over some years, up to 2024-06-28.

    Attributes
    ----------
    tickers : int
        Funds, those that close included.
    years : int
    seed : int
        Same seed, same bytes.

    Examples
    --------
    >>> market = LargeMarket(tickers=6, years=1)
    >>> market.tables("2024-06-27")["raw_prices"].num_rows < market.tables()["raw_prices"].num_rows
    True
    """

    tickers: int = 3_000
    years: int = 10
    seed: int = 12

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Its sessions."""
        begin = pd.Timestamp(LAST) - pd.DateOffset(years=self.years) + pd.Timedelta(days=1)
        return sessions(EXCHANGE, max(begin, pd.Timestamp(FIRST)), LAST)

    def tables(self, until: str | None = None) -> dict[str, arrow.Table]:
        """Every raw table by name, as a fetch after the close of a session delivers them.

        Parameters
        ----------
        until : str, optional
            The session; the last one where None. What a later fetch delivers begins with what an earlier one did: only
            `raw_reference` and `raw_source` speak of the moment.

        Raises
        ------
        SettingsError
            If `until` is no session of the market, or there are more funds than names.
        """
        days, cut = self.sessions, self._cut(until)
        if not 0 < self.tickers <= MOST:
            raise SettingsError(f"a large market has 1 to {MOST} tickers; found {self.tickers}.")
        names = np.array([_name(i) for i in range(self.tickers)], dtype=object)
        parts = []
        for numbers in np.array_split(np.arange(self.tickers), -(-self.tickers // BLOCK)):
            block = self._block(numbers)
            parts.append([make(block, names, days, cut) for make in PARTS.values()])
        made = {name: arrow.concat_tables([part[i] for part in parts]) for i, name in enumerate(PARTS)}
        made |= {"raw_sessions": session_table(days[: cut + 1]), **_beside(self.seed, days, cut)}
        return made | {name: t.arrow_schema.empty_table() for name, t in TABLES.items() if t.room == "raw" and name not in made}

    def _cut(self, until: str | None) -> int:
        """Position of the last session that is delivered."""
        days = self.sessions
        if until is None:
            return len(days) - 1
        if pd.Timestamp(until) not in days:
            span = f"{days[0].date()} to {days[-1].date()}"
            raise SettingsError(f"a large market can be cut at one of its sessions, {span}; found {until}. Choose a trading day.")
        return int(days.get_indexer(pd.DatetimeIndex([until]))[0])

    def _block(self, numbers: Positions) -> Block:
        """Draw some funds."""
        days, rng = self.sessions, np.random.default_rng([self.seed, int(numbers[0])])
        n, m = len(days), len(numbers)
        first = np.where(rng.random(m) < OLD, 0, rng.integers(0, n - 1, m))
        life = np.ceil(rng.exponential(SESSIONS_PER_YEAR / CLOSURES, m)).astype(np.intp)
        last = np.minimum(first + life, n - 1)
        beta, annual, paid = (np.array(v)[numbers % len(CLASSES)][:, None] for v in (BETA, OWN, YIELD))
        own = annual / np.sqrt(SESSIONS_PER_YEAR)
        sigma = np.sqrt(own**2 + (beta * 0.01) ** 2)
        returns = np.exp(beta * np.log1p(_market(self.seed, days)) + own * rng.standard_normal((m, n))) - 1
        split = np.where(rng.random((m, n)) < SPLITS / SESSIONS_PER_YEAR, rng.choice([2.0, 3.0, 0.5, 0.25], (m, n)), 1.0)
        share = np.where(_quarterly(days), paid / 4, 0.0)
        split[np.arange(m), first] = 1.0
        share[np.arange(n) <= first[:, None]] = 0.0
        price = np.log1p(returns) + np.log1p(-share)
        close = np.round(25 * np.exp(np.cumsum(price - np.log(split), axis=1)), 4) + 0.01
        aum = 5e6 * np.exp(1.5 * rng.standard_normal((m, 1)) + np.cumsum(price, axis=1))
        bars = _bars(close, returns, sigma, aum, rng)
        return Block(numbers, first, last, split, close * share / (1 - share), aum, bars)


def _name(number: int) -> str:
    """Ticker of a fund: the order of the names is that of the numbers."""
    size = len(LETTERS)
    return "L" + LETTERS[number // size**2] + LETTERS[number // size % size] + LETTERS[number % size]


def _market(seed: int, days: pd.DatetimeIndex) -> Floats:
    paths = simulate_world(seed).paths
    return np.asarray(paths.returns[paths.sessions.get_indexer(days), US_FACTORS.index("MKT")], dtype=np.float64)


def _quarterly(days: pd.DatetimeIndex) -> npt.NDArray[np.bool_]:
    """First session from the 18th of each quarter's last month."""
    late = (days.month % 3 == 0) & (days.day >= 18)
    return np.asarray(late & ~np.concatenate([[False], late[:-1]]))


def _bars(close: Floats, returns: Floats, sigma: Floats, aum: Floats, rng: np.random.Generator) -> dict[str, Floats]:
    """Open, high, low and volume around the closes."""
    moved = -0.6 * np.log1p(returns) + 0.5 * sigma * rng.standard_normal(close.shape)
    opened = close * np.exp(moved)
    reach = sigma * np.abs(rng.standard_normal(close.shape))
    return {
        "close": close,
        "open": opened,
        "high": np.maximum(opened, close) * (1 + reach),
        "low": np.minimum(opened, close) / (1 + reach),
        "volume": np.maximum(np.round(0.01 * aum / close * np.exp(0.5 * rng.standard_normal(close.shape))), 1.0),
    }


def _beside(seed: int, days: pd.DatetimeIndex, cut: int) -> dict[str, arrow.Table]:
    """Macro series and factors of the same world, as far as they were public, and what the source says of itself."""
    world, until = simulate_world(seed), closes(EXCHANGE, days[[cut]])[0]
    macro, factors = macro_table(world), factor_table(world)
    source = pd.DataFrame(
        {
            "provider": [SOURCE],
            "origin": [SOURCE],
            "simulated": [True],
            "label": ["SIMULATED large market"],
            "fetched_until": [until],
        }
    )
    frames = {"raw_macro": macro[macro["available_at"] <= until], "raw_factors": factors[factors["available_at"] <= until]}
    return {name: TABLES[name].to_arrow(frame) for name, frame in (frames | {"raw_source": source}).items()}
