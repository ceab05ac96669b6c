"""Month by month, what each estimator says about each fund's spread, beside the one that is charged."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.costs.parameters import SpreadParameters
from etf_pipeline.costs.spread_estimators import SPREAD_ESTIMATORS
from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats

CHUNK = 20_000
"""Windows held at once: 40 MB at 60 bars."""

BARS = ("open", "high", "low", "close")


def spread_estimates(
    prices: pd.DataFrame, returns: pd.DataFrame, liquidity: pd.DataFrame, parameters: SpreadParameters
) -> pd.DataFrame:
    """Spread of every fund at the last session of every month, by each estimator.

    Parameters
    ----------
    prices : DataFrame
        `fct_prices`, in whatever share basis.
    returns : DataFrame
        `fct_returns`: `total_return` says what of a price change was a split or dividend.
    liquidity : DataFrame
        `liquidity`, for the half-spread that is charged.
    parameters : SpreadParameters
        Window and estimators.

    Returns
    -------
    DataFrame
        Table `spread_estimates`: full spreads over the window that ends at the session. [fraction]

    Raises
    ------
    SettingsError
        If an estimator is unknown.

    Notes
    -----
    A month that still runs has no row yet, so that no row changes later. Bars without a known price or return leave the window
    unknown: nothing is guessed across a gap.
    """
    unknown = set(parameters.estimators) - set(SPREAD_ESTIMATORS)
    if unknown:
        raise SettingsError(f"spread estimators are {', '.join(SPREAD_ESTIMATORS)}; found {sorted(unknown)}.")
    frame = prices[["ticker", "session", "exchange", *BARS]].merge(
        returns[["ticker", "session", "total_return"]], on=["ticker", "session"], how="left", validate="one_to_one"
    )
    frame = frame.sort_values(["ticker", "session"], kind="stable", ignore_index=True)
    ends = _window_ends(frame, parameters.window)
    keys = frame.loc[ends, ["session", "ticker"]].reset_index(drop=True)
    keys = keys.merge(liquidity[["session", "ticker", "half_spread"]], on=["session", "ticker"], how="left")
    model = 2.0 * keys.pop("half_spread").to_numpy(dtype=np.float64)
    found = _estimate(frame, ends, parameters)
    parts = [
        keys.assign(estimator=name, spread=found[name][0], resolution=found[name][1], model_spread=model)
        for name in parameters.estimators
    ]
    return pd.concat(parts, ignore_index=True).sort_values(["ticker", "session", "estimator"], ignore_index=True)


def _window_ends(frame: pd.DataFrame, window: int) -> npt.NDArray[np.intp]:
    """Rows that end a month and have a whole window of their fund behind them."""
    position = frame.groupby("ticker", sort=False).cumcount().to_numpy()
    last = np.zeros(len(frame), dtype=bool)
    for exchange, days in frame.groupby("exchange", sort=True)["session"]:
        ends = calendars.month_ends(pd.DatetimeIndex(days.unique()).sort_values(), str(exchange))
        last[days.index] = days.isin(ends).to_numpy()
    return np.flatnonzero(last & (position >= window - 1))


def _estimate(frame: pd.DataFrame, ends: npt.NDArray[np.intp], parameters: SpreadParameters) -> dict[str, tuple[Floats, Floats]]:
    out = {name: (np.full(len(ends), np.nan), np.full(len(ends), np.nan)) for name in parameters.estimators}
    logs = [_logarithm(frame[name].to_numpy(dtype=np.float64)) for name in BARS]
    growth = _logarithm(1.0 + frame["total_return"].to_numpy(dtype=np.float64))
    back = np.arange(parameters.window) - parameters.window + 1
    for first in range(0, len(ends), CHUNK):
        rows = ends[first : first + CHUNK, None] + back
        bars = _without_events([x[rows] for x in logs], growth[rows])
        for name in parameters.estimators:
            for kept, found in zip(out[name], SPREAD_ESTIMATORS[name](*bars), strict=True):
                kept[first : first + CHUNK] = found
    return out


def _without_events(bars: list[Floats], growth: Floats) -> list[Floats]:
    """Bars of each window without the steps of splits and dividends: closes then move by total returns."""
    step = growth[:, 1:] - np.diff(bars[3], axis=1)
    step[np.abs(step) < 1e-9] = 0.0  # a rounding is no event, and equal prices must stay equal
    shift = np.concatenate([np.zeros((len(growth), 1)), np.cumsum(step, axis=1)], axis=1)
    return [x + shift for x in bars]


def _logarithm(values: Floats) -> Floats:
    return np.log(np.where(values > 0.0, values, np.nan))
