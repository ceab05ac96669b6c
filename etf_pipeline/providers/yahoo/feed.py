"""Yahoo Finance through yfinance [1]_: the only module that knows that package. It asks; nothing is interpreted here.

References
----------
.. [1] R. Aroussi and contributors, yfinance, https://github.com/ranaroussi/yfinance (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from etf_pipeline.errors import ProviderError, SettingsError, SourceUnreachable

TIMEOUT = 30.0
"""Of one request. [seconds]"""


class NotDelivered(ProviderError):
    """Yahoo answered, and has nothing of what was asked for."""


class Feed(Protocol):
    """What the provider needs of Yahoo. A test puts recorded frames behind it."""

    def download(self, ticker: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        """Daily bars from `start` to `end`, both included, split-adjusted, with dividends and splits beside them.

        Raises
        ------
        NotDelivered
            If Yahoo has nothing.
        SourceUnreachable
            If it did not answer.
        """
        ...

    def info(self, ticker: str) -> Mapping[str, Any]:
        """What Yahoo says about the fund. Raises as `download`."""
        ...


@dataclass(frozen=True)
class YFinance:
    """The feed through yfinance.

    Attributes
    ----------
    cache : Path
        Folder for the time zones that yfinance remembers.
    """

    cache: Path

    def download(self, ticker: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        """As `Feed` says."""
        yfinance = self._yfinance()
        asked = {
            "start": f"{start:%Y-%m-%d}",
            "end": f"{end + pd.Timedelta(days=1):%Y-%m-%d}",  # yfinance stops before it
            "auto_adjust": False,
            "back_adjust": False,
            "repair": False,
            "actions": True,
            "timeout": TIMEOUT,
        }
        frame: pd.DataFrame = _asked(lambda: yfinance.Ticker(ticker).history(**asked), ticker, yfinance)
        return frame

    def info(self, ticker: str) -> Mapping[str, Any]:
        """As `Feed` says."""
        yfinance = self._yfinance()
        return _asked(lambda: yfinance.Ticker(ticker).get_info(), ticker, yfinance) or {}

    def _yfinance(self) -> Any:
        try:
            import yfinance
        except ImportError as error:
            raise SettingsError(
                "provider 'yahoo' needs the package yfinance, which is not installed. Install the extra: "
                "pip install 'etf-pipeline[yahoo]'."
            ) from error
        yfinance.set_tz_cache_location(str(self.cache))
        yfinance.config.debug.hide_exceptions = False  # an empty frame would not say whether to ask again
        return yfinance


def _asked(ask: Any, ticker: str, yfinance: Any) -> Any:
    """The answer, or an error that says whether asking again may help."""
    try:
        return ask()
    except yfinance.exceptions.YFRateLimitError:
        found = "a rate limit"
    except yfinance.exceptions.YFTickerMissingError as error:
        raise NotDelivered(f"Yahoo needs to know '{ticker}'; found {_short(error)}. Check the ticker.") from error
    except Exception as error:  # yfinance lets through whatever its HTTP packages and parsers raise
        found = f"{type(error).__name__}: {_short(error)}"
    # yfinance remembers answers of the past within a process, also those that were errors
    getattr(yfinance.data.YfData.cache_get, "cache_clear", lambda: None)()
    raise SourceUnreachable(f"Yahoo needs to answer for '{ticker}'; found {found}. Run again later.")


def _short(error: Exception) -> str:
    """First line of an error, without a session's crumb."""
    return (str(error).splitlines() or [""])[0].split("crumb=")[0][:120]
