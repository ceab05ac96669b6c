"""Providers room: where data come from. One protocol; each source is split into fetching and pure parsing.

A provider never repairs and never falls back to another: what cannot be read becomes a row of `raw_rejects`, and a source
that cannot be read at all raises `ProviderError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import from_arrow
from etf_pipeline.settings import Settings


def _none_of(table: str) -> Callable[[], pd.DataFrame]:
    return lambda: from_arrow(TABLES[table].arrow_schema.empty_table())


@dataclass(frozen=True)
class Known:
    """What an earlier fetch delivered, so that only what is missing needs to be asked for.

    Attributes
    ----------
    spans : DataFrame
        `ticker`, `first_session`, `last_session` of the bars there are.
    gaps : DataFrame
        `ticker`, `session`: sessions of the exchange inside a span that have no bar.
    macro : DataFrame
        `series`, `last_period` of the macro values there are.
    """

    spans: pd.DataFrame
    gaps: pd.DataFrame
    macro: pd.DataFrame


@dataclass(frozen=True)
class RawMarket:
    """Everything that a provider delivers, one frame per table of `schemas.raw`, plus what kind of data it is.

    Attributes
    ----------
    prices, actions, reference, aum, macro, factors, rejects : DataFrame
        Rows of `raw_prices`, `raw_actions`, `raw_reference`, `raw_aum`, `raw_macro`, `raw_factors`, `raw_rejects`.
    ticker_history, lifecycle : DataFrame
        Rows of `raw_ticker_history` and `raw_lifecycle`; none where the source tells nothing of the kind.
    whole : bool
        True where the frames are all that the source has, so that what is absent from them was withdrawn. False where they are
        what an earlier fetch lacked: they are laid over what is stored, but for `ticker_history` and `lifecycle`, which are told
        whole each time.
    simulated : bool
        True when no real market stands behind the numbers: every commit and report says so.
    label : str
        One line for people: what was read, from where.
    """

    prices: pd.DataFrame
    actions: pd.DataFrame
    reference: pd.DataFrame
    aum: pd.DataFrame
    macro: pd.DataFrame
    factors: pd.DataFrame
    rejects: pd.DataFrame
    simulated: bool
    label: str
    ticker_history: pd.DataFrame = field(default_factory=_none_of("raw_ticker_history"))
    lifecycle: pd.DataFrame = field(default_factory=_none_of("raw_lifecycle"))
    whole: bool = True


class Provider(Protocol):
    """A source of market data."""

    @property
    def name(self) -> str:
        """The word that settings choose it by."""
        ...

    def fetch(self, known: Known | None = None) -> RawMarket:
        """Read what the provider has: everything, or, if it can, only what is not yet `known`.

        Raises
        ------
        ProviderError
            If the source as a whole cannot be read.
        """
        ...


def _simulated(settings: Settings) -> Provider:
    from etf_pipeline.providers.simulated import SimulatedMarket

    return SimulatedMarket.for_profile(settings.profile)


def _files(settings: Settings) -> Provider:
    from etf_pipeline.providers.files import FilesProvider

    return FilesProvider.for_settings(settings)


def _yahoo(settings: Settings) -> Provider:
    from etf_pipeline.providers.yahoo import YahooProvider

    return YahooProvider.for_settings(settings)


PROVIDERS: dict[str, Callable[[Settings], Provider]] = {
    "simulated": _simulated,
    "files": _files,
    "lean": _files,
    "stooq": _files,
    "yahoo": _yahoo,
}
"""Every provider by the name that `ETF_PROVIDER` or the launchpad gives."""

__all__ = ["PROVIDERS", "Known", "Provider", "RawMarket"]
