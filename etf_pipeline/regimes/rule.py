"""The plan's rule: what one session's VIX and trend say by themselves, and when a state already entered may stay."""

from __future__ import annotations

import math
from dataclasses import dataclass

from etf_pipeline.conventions import home_market
from etf_pipeline.errors import SettingsError

BULL, BEAR, SIDEWAYS, UNKNOWN = "bull", "bear", "sideways", "unknown"


@dataclass(frozen=True)
class RegimeParameters:
    """Thresholds of the rule and how reluctantly a state is left.

    Attributes
    ----------
    market : str
        Ticker whose total-return index stands for the market; empty for that of the exchange in `conventions.HOME_MARKETS`.
    exchange : str
        Main exchange: a fund that is listed elsewhere closes at another time.
    vix_series : str
        Code of the volatility index in `fct_macro`.
    window : int
        Length of the moving average. [sessions]
    calm_vix : float
        A bull market needs VIX below this. [index points]
    stressed_vix : float
        VIX above this makes a bear market. [index points]
    band : float
        A bull market needs the index above ``1 + band`` times its mean; below ``1 - band`` makes a bear market. [fraction]
    vix_margin : float
        A state is left only when VIX is past its threshold by this much. [index points]
    band_margin : float
        The same for the distance from the mean. [fraction]
    min_dwell : int
        Sessions that a state lasts at least, unless it becomes bear or unknown. [sessions]
    confirmation : int
        Sessions in a row for which the rule must have said the next state, unless that is bear or unknown. [sessions]
    max_age_days : int
        A VIX value whose period is older than this is unknown. [calendar days]
    """

    market: str = ""
    exchange: str = "XNYS"
    vix_series: str = "VIX"
    window: int = 200
    calm_vix: float = 16.0
    stressed_vix: float = 25.0
    band: float = 0.02
    vix_margin: float = 2.0
    band_margin: float = 0.01
    min_dwell: int = 10
    confirmation: int = 5
    max_age_days: int = 7

    @property
    def market_fund(self) -> str:
        """The ticker that stands for the market."""
        return self.market or home_market(self.exchange).equity

    def __post_init__(self) -> None:
        """Refuse margins so wide that a bull and a bear market could both hold."""
        if not 0 <= self.vix_margin <= (self.stressed_vix - self.calm_vix) / 2 or not 0 <= self.band_margin <= self.band:
            raise SettingsError(
                f"regimes needs 0 <= vix_margin <= half of stressed_vix - calm_vix and 0 <= band_margin <= band; found "
                f"vix_margin {self.vix_margin} with {self.calm_vix} and {self.stressed_vix}, band_margin {self.band_margin} "
                f"with {self.band}. Narrow the margins."
            )


def candidate(vix: float, distance: float, parameters: RegimeParameters) -> str:
    """State that the rule alone gives.

    Parameters
    ----------
    vix : float
        VIX as known at the close. [index points]
    distance : float
        Market index over its moving average, less 1. [fraction]
    parameters : RegimeParameters
        Thresholds.

    Returns
    -------
    str
        ``bear`` if either of its conditions is known to hold, ``unknown`` if an input is missing otherwise.

    Examples
    --------
    >>> candidate(14.0, 0.05, RegimeParameters()), candidate(14.0, 0.0, RegimeParameters())
    ('bull', 'sideways')
    >>> candidate(math.nan, -0.05, RegimeParameters()), candidate(math.nan, 0.05, RegimeParameters())
    ('bear', 'unknown')
    """
    if vix > parameters.stressed_vix or distance < -parameters.band:
        return BEAR
    if math.isnan(vix) or math.isnan(distance):
        return UNKNOWN
    return BULL if vix < parameters.calm_vix and distance > parameters.band else SIDEWAYS


def may_stay(regime: str, vix: float, distance: float, parameters: RegimeParameters) -> bool:
    """Whether a bull or bear market still holds once its thresholds are loosened by the margins."""
    if regime == BULL:
        calm = vix < parameters.calm_vix + parameters.vix_margin
        return calm and distance > parameters.band - parameters.band_margin
    if regime == BEAR:
        stressed = vix > parameters.stressed_vix - parameters.vix_margin
        return stressed or distance < -parameters.band + parameters.band_margin
    return False


def explain(regime: str, vix: float, distance: float, parameters: RegimeParameters) -> str:
    """The conditions that make the rule say `regime`, with the numbers.

    Examples
    --------
    >>> explain("bear", 31.24, 0.01, RegimeParameters())
    'VIX 31.2 > 25'
    >>> explain("bull", 12.0, 0.05, RegimeParameters())
    'VIX 12.0 < 16 and index +5.0 % from its mean > +2 %'
    """
    p = parameters
    if regime == BULL:
        return f"VIX {vix:.1f} < {p.calm_vix:g} and index {distance:+.1%} from its mean > {p.band:+.0%}".replace("%", " %")
    if regime == BEAR:
        parts = [f"VIX {vix:.1f} > {p.stressed_vix:g}"] if vix > p.stressed_vix else []
        parts += [f"index {distance:+.1%} from its mean < {-p.band:+.0%}"] if distance < -p.band else []
        return " and ".join(parts).replace("%", " %")
    if regime == SIDEWAYS:
        return f"neither: VIX {vix:.1f}, index {distance:+.1%} from its mean".replace("%", " %")
    missing = (["VIX"] if math.isnan(vix) else []) + (["the mean of the index"] if math.isnan(distance) else [])
    return f"unknown: {' and '.join(missing)}"
