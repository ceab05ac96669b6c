"""Providers room: where data come from. One protocol; each source is split into fetching and pure parsing.

A provider never repairs and never falls back to another: what cannot be read becomes a row of `raw_rejects`, and a source
that cannot be read at all raises `ProviderError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from etf_pipeline.settings import Settings


@dataclass(frozen=True)
class RawMarket:
    """Everything that a provider delivers, one frame per table of `schemas.raw`, plus what kind of data it is.

    Attributes
    ----------
    prices, actions, reference, aum, macro, factors, rejects : DataFrame
        Rows of `raw_prices`, `raw_actions`, `raw_reference`, `raw_aum`, `raw_macro`, `raw_factors`, `raw_rejects`.
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


class Provider(Protocol):
    """A source of market data."""

    @property
    def name(self) -> str:
        """The word that settings choose it by."""
        ...

    def fetch(self) -> RawMarket:
        """Read everything that the provider has.

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


PROVIDERS: dict[str, Callable[[Settings], Provider]] = {"simulated": _simulated, "files": _files}
"""Every provider by the name that `ETF_PROVIDER` or the launchpad gives."""

__all__ = ["PROVIDERS", "Provider", "RawMarket"]
