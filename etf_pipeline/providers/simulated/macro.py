"""Macro, rates, volatility and geopolitical series of the simulated market, each with the instant it became public.

Market series follow the factors that funds load on: the ten-year yield is minus the sum of RATES, AUDUSD the product of AUD,
the high-yield spread answers CREDIT. Economic series pass through rounded historical levels with noise.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.providers.macro_series import SERIES
from etf_pipeline.providers.release import release_instants
from etf_pipeline.providers.simulated import history
from etf_pipeline.providers.simulated.factors import US_FACTORS
from etf_pipeline.providers.simulated.world import World, stream

SPREAD_START, SPREAD_MEAN, SPREAD_PULL, SPREAD_ANSWER = 3.1, 4.2, 0.004, 14.0
"""High-yield spread: start and mean in percent, pull to the mean per session, log points per unit of CREDIT."""
FIRST_MONTH, FIRST_WEEK = "2004-11-01", "2004-11-20"
SOURCE = "simulated"


def macro_table(world: World) -> pd.DataFrame:
    """Rows of `raw_macro`: every series of `SERIES`."""
    values = {**_market_series(world), **_economic_series(world)}
    frames = [_rows(code, values[code]) for code in sorted(SERIES)]
    return pd.concat(frames, ignore_index=True)


def _rows(code: str, values: pd.Series[float]) -> pd.DataFrame:
    series = SERIES[code]
    periods = pd.DatetimeIndex(values.index)
    columns = {
        "series": code,
        "period": periods,
        "value": values.to_numpy(),
        "unit": series.unit,
        "available_at": release_instants(series, periods),
        "vintage": series.vintage,
        "source": SOURCE,
    }
    return pd.DataFrame(columns)


def _market_series(world: World) -> dict[str, pd.Series[float]]:
    days, paths = world.paths.sessions, world.paths
    rng = stream(world.seed, "macro")
    factor = {name: paths.returns[:, i] for i, name in enumerate(US_FACTORS)}
    two_year = world.bill_yield + 0.3 * (world.ten_year - world.bill_yield) + _recursive(0.99, 0.015, len(days), rng)
    inflation = 2.2 + _filtered(0.997, factor["CMDTY"] + 0.8 * factor["MKT"])
    policy = np.round(history.anchored("TBILL13W", days) * 4) / 4 + 0.08
    level: dict[str, Floats] = {
        "VIX": paths.vix,
        "TBILL13W": world.bill_yield,
        "DGS10": np.round(world.ten_year, 2),
        "T10Y2Y": np.round(world.ten_year - two_year, 2),
        "T10YIE": np.clip(np.round(inflation, 2), 0.02, None),
        "EFFR": np.round(policy, 2),
        "BAMLH0A0HYM2": np.round(_spread(factor["CREDIT"]), 2),
        "AUDUSD": np.round(world.aud, 6),
    }
    return {code: pd.Series(values, index=days) for code, values in level.items()}


def _economic_series(world: World) -> dict[str, pd.Series[float]]:
    days = world.paths.sessions
    rng = stream(world.seed, "economy")
    months = pd.date_range(FIRST_MONTH, history.LAST, freq="MS")[:-1]
    saturdays, fridays = (pd.date_range(FIRST_WEEK, history.LAST, freq=f"W-{day}") for day in ("SAT", "FRI"))

    def around(name: str, noise: float, digits: int) -> pd.Series[float]:
        return pd.Series(
            np.round(history.anchored(name, months) + noise * rng.standard_normal(len(months)), digits), index=months
        )

    market = _market_series(world)
    funds = market["EFFR"].groupby(days.to_period("M").to_timestamp()).mean()
    return {
        "GPR": _geopolitics(pd.date_range(history.FIRST, history.LAST), rng),
        "NFCI": _conditions(market["BAMLH0A0HYM2"], market["VIX"], fridays),
        "ICSA": _claims(saturdays, rng),
        "FEDFUNDS": funds.reindex(months[months >= funds.index[0]]).round(2),
        "CPIAUCSL": _prices(months, rng),
        "UNRATE": around("UNRATE", 0.06, 1),
        "PAYEMS": around("PAYEMS", 60.0, 0),
        "INDPRO": around("INDPRO", 0.3, 2),
        "UMCSENT": around("UMCSENT", 2.5, 1),
    }


def _spread(credit: Floats) -> Floats:
    """High-yield spread: log points that answer the credit factor and are pulled back to their mean. [percent]"""
    pulled = _filtered(1 - SPREAD_PULL, SPREAD_PULL * np.log(SPREAD_MEAN) - SPREAD_ANSWER * credit, np.log(SPREAD_START))
    return np.exp(pulled)


def _conditions(spread: pd.Series[float], vix: pd.Series[float], fridays: pd.DatetimeIndex) -> pd.Series[float]:
    """National financial conditions: wide spreads and high volatility are tight. [index]"""
    tightness = -0.55 + 0.9 * np.log(spread.to_numpy() / SPREAD_MEAN) + 0.03 * (vix.to_numpy() - 18)
    daily = pd.Series(np.round(tightness, 5), index=spread.index)
    return daily.reindex(fridays[fridays >= spread.index[0]], method="ffill")


def _claims(saturdays: pd.DatetimeIndex, rng: np.random.Generator) -> pd.Series[float]:
    logs = _log_anchored("ICSA", saturdays)
    return pd.Series(np.round(np.exp(logs + 0.03 * rng.standard_normal(len(saturdays))), -3), index=saturdays)


def _log_anchored(name: str, days: pd.DatetimeIndex) -> Floats:
    """Straight lines through the logarithms of the anchors."""
    dates = pd.DatetimeIndex(history.anchor_dates(name))
    when, where = (d.to_numpy().astype("datetime64[D]").astype(float) for d in (dates, days))
    return np.asarray(np.interp(where, when, np.log(history.anchored(name, dates))), dtype=np.float64)


def _prices(months: pd.DatetimeIndex, rng: np.random.Generator) -> pd.Series[float]:
    """Consumer price level from its anchored annual growth. [index]"""
    growth = history.anchored("CPI_GROWTH", months) / 1_200 + 0.0012 * rng.standard_normal(len(months))
    return pd.Series(np.round(191.7 * np.exp(np.cumsum(growth)), 3), index=months)


def _geopolitics(days: pd.DatetimeIndex, rng: np.random.Generator) -> pd.Series[float]:
    """Geopolitical risk: noisy by the day, with jumps that fade over weeks. [index]"""
    pushes = np.zeros(len(days))
    for day, size in history.GEOPOLITICAL_SHOCKS:
        pushes[days.get_loc(pd.Timestamp(day))] = size
    fading = _filtered(0.97, pushes) + _recursive(0.96, 0.08, len(days), rng)
    return pd.Series(np.round(95 * np.exp(fading + 0.28 * rng.standard_normal(len(days))), 2), index=days)


def _recursive(memory: float, noise: float, n: int, rng: np.random.Generator) -> Floats:
    return _filtered(memory, noise * rng.standard_normal(n))


def _filtered(memory: float, pushes: Floats, start: float = 0.0) -> Floats:
    """``x_t = memory * x_{t-1} + pushes_t``."""
    out, last = np.empty(len(pushes)), start
    for t, push in enumerate(pushes):
        last = memory * last + push
        out[t] = last
    return out
