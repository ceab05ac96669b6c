"""Parameters of exposures: windows, limits, and which category of fund belongs to which region."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.conventions import HOME_EQUITY, home_market
from etf_pipeline.errors import SettingsError

HOME = "US"
"""Region of factors without a prefix."""

REGIONS = (
    "Japan=JAPAN",
    "Australia=ASIA_PACIFIC_EX_JAPAN",
    "Property=ASIA_PACIFIC_EX_JAPAN",
    "Pacific=ASIA_PACIFIC_EX_JAPAN",
    "Europe=EUROPE",
    "North America=NORTH_AMERICA",
    "Emerging=EMERGING",
    "China=EMERGING",
    "India=EMERGING",
    "Latin America=EMERGING",
    "Foreign=DEVELOPED_EX_US",
    "Focused Region=DEVELOPED_EX_US",
    "Miscellaneous Region=DEVELOPED_EX_US",
    "Global=DEVELOPED",
    "World=DEVELOPED",
)
"""``word=REGION``: the regions of the French library, by the first word that a fund's category holds."""

NOT_EQUITY = ("bond", "commodity", "currency", "alternative", "cash")
"""Asset classes that share factors are not made for."""


@dataclass(frozen=True)
class ExposureParameters:
    """The sample of a fit, and what its numbers are called.

    Attributes
    ----------
    window : int
        Factor sessions in the sample, the last being the newest that was published. [sessions]
    min_observations : int
        Known returns that a fund needs in it. [sessions]
    max_lag : int
        Sessions that the newest published factors may lie back; older ones give no exposure. [sessions]
    max_absence : int
        Days since a fund's last bar after which it has no exposure. [calendar days]
    lags : int
        Autocovariances in the errors; -1 for the usual bandwidth of Newey and West. [sessions]
    weak : float
        Share explained under which a fund's exposures are flagged as weak. [fraction]
    clearly_better : float
        By how much another region must explain more before the reason says so. [fraction]
    regions : tuple of str
        ``word=REGION``: a share fund whose category holds the word belongs to the region, else to the exchange's own.
    """

    window: int = 252
    min_observations: int = 126
    max_lag: int = 126
    max_absence: int = 10
    lags: int = -1
    weak: float = 0.5
    clearly_better: float = 0.05
    regions: tuple[str, ...] = REGIONS

    @property
    def region_words(self) -> tuple[tuple[str, str], ...]:
        """The pairs of `regions`."""
        pairs = tuple(tuple(text.rsplit("=", 1)) for text in self.regions)
        wrong = [text for text, pair in zip(self.regions, pairs, strict=True) if len(pair) != 2 or not all(pair)]
        if wrong:
            raise SettingsError(f"regions needs pairs word=REGION; found {wrong}. Write e.g. 'Japan=JAPAN'.")
        return tuple((word, region) for word, region in pairs)

    @property
    def lookback(self) -> int:
        """Rows of a fund that a fit may read: twenty more for exchanges that trade on more days, and one for the first gap."""
        return self.window + self.max_lag + 21


@dataclass(frozen=True)
class DriftParameters:
    """When loadings count as changed.

    Attributes
    ----------
    window : int
        Factor sessions in each window; windows do not overlap. [sessions]
    earlier : int
        Windows before the last. [count]
    min_windows : int
        Earlier windows that a fund needs, at least two. [count]
    min_observations : int
        Known returns that a fund needs in each. [sessions]
    max_lag : int
        As in `ExposureParameters`. [sessions]
    max_absence : int
        As in `ExposureParameters`. [calendar days]
    lags : int
        Autocovariances in the errors; -1 for the usual bandwidth. [sessions]
    weak : float
        A fund is tested where its factors explain at least this share in any window. [fraction]
    size : float
        Chance of any false alarm among all funds of a session. [probability]
    min_distance : float
        Smallest distance between the old and the new style that is worth an alarm: tracking error between the two
        factor portfolios. [fraction per year]
    """

    window: int = 252
    earlier: int = 3
    min_windows: int = 2
    min_observations: int = 189
    max_lag: int = 126
    max_absence: int = 10
    lags: int = -1
    weak: float = 0.5
    size: float = 0.05
    min_distance: float = 0.02

    def __post_init__(self) -> None:
        """Refuse too few windows to know how much loadings usually move, and windows too short for six of them."""
        if not (2 <= self.min_windows <= self.earlier and 8 <= self.min_observations <= self.window):
            raise SettingsError(
                "style_drift needs 2 <= min_windows <= earlier and 8 <= min_observations <= window; found "
                f"min_windows {self.min_windows}, earlier {self.earlier}, min_observations {self.min_observations}, "
                f"window {self.window}. Change one of them."
            )

    @property
    def lookback(self) -> int:
        """Rows of a fund that a test may read."""
        return self.window * (self.earlier + 1) + self.max_lag + 41


@dataclass(frozen=True)
class PortfolioExposureParameters:
    """Which portfolios are held against what.

    Attributes
    ----------
    benchmarks : tuple of str
        Funds or strategies that others are compared with; `home_equity` is the exchange's oldest broad share fund.
    min_coverage : float
        Weight with known exposures under which a portfolio's are unknown. [fraction]
    exchange : str
        Market identifier code of the main exchange.
    window, min_observations, max_lag, lags : int
        As in `ExposureParameters`, and best equal to those. [sessions]
    max_absence : int
        As in `ExposureParameters`. [calendar days]
    """

    benchmarks: tuple[str, ...] = (HOME_EQUITY, "equal_weight")
    min_coverage: float = 0.8
    exchange: str = "XNYS"
    window: int = 252
    min_observations: int = 126
    max_lag: int = 126
    lags: int = -1
    max_absence: int = 10

    @property
    def benchmark_names(self) -> tuple[str, ...]:
        """Benchmarks with the home fund by its ticker; without it where the exchange names none."""
        home = home_market(self.exchange).equity if HOME_EQUITY in self.benchmarks else ""
        named = (home if name == HOME_EQUITY else name for name in self.benchmarks)
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def lookback(self) -> int:
        """Rows of a fund that a fit may read."""
        return self.window + self.max_lag + 21
