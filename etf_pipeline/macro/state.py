"""The macro state of each session: how far each dimension stands from its own past, as it could be read at the close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.macro.dimensions import DIMENSIONS, FALLBACK_AGE, Dimension, Input
from etf_pipeline.macro.releases import released

COLUMNS = ["session", "dimension", "value", "z", "z_change_21", "shock", "as_of", "released_at", "vintage", "meaning"]


@dataclass(frozen=True)
class MacroParameters:
    """How releases become a state.

    Attributes
    ----------
    min_years : float
        Span of a series before its z-score counts. [years]
    clip : float
        Largest absolute z-score: one crisis must not decide everything. [z-score]
    shock_sessions : int
        Sessions over which a shock, and the change of a state, is taken. [sessions]
    neutral : float
        Below this absolute z-score a state is called near its mean. [z-score]
    """

    min_years: float = 2.0
    clip: float = 3.0
    shock_sessions: int = 21
    neutral: float = 0.5


def macro_state(known: pd.DataFrame, releases: pd.DataFrame, parameters: MacroParameters | None = None) -> pd.DataFrame:
    """State of every dimension at every session.

    Parameters
    ----------
    known : DataFrame
        `fct_macro`: which release of each series was the newest at each session's close.
    releases : DataFrame
        `stg_macro`: all releases, also those of the years before the first session.
    parameters : MacroParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame of shape (n_sessions * n_dimensions, 10)
        `macro_state`. An unknown dimension has rows with unknown numbers: unknown is not zero.

    Raises
    ------
    DataError
        If no series was known at any session.

    Notes
    -----
    The z-score of a dimension is the mean of its inputs' known z-scores (`releases.released`), clipped. Its shock is the change
    of the inputs' bases over 21 sessions, each in units of the standard deviation that its z-score divides by.
    """
    p = parameters or MacroParameters()
    if known.empty:
        raise DataError("macro_state needs at least one released series in fct_macro; found none. Fetch one of the series.")
    sessions = pd.DatetimeIndex(np.sort(known["session"].unique()))
    needed = {name for d in DIMENSIONS.values() for i in d.inputs for name in (i.series, i.instead)}
    here = {str(name): rows for name, rows in known[known["series"].isin(needed)].groupby("series")}
    past = {str(name): rows for name, rows in releases[releases["series"].isin(needed)].groupby("series")}
    frames = [_dimension(d, sessions, here, past, p) for d in DIMENSIONS.values()]
    return pd.concat(frames, ignore_index=True)[COLUMNS]


def read_input(
    source: Input, sessions: pd.DatetimeIndex, here: dict[str, pd.DataFrame], past: dict[str, pd.DataFrame], p: MacroParameters
) -> pd.DataFrame:
    """One input on the sessions: `value`, `base`, `z`, `scale`, `period`, `released_at`, `vintage`; unknown where stale."""
    rows = _read_series(source, source.series, source.max_age, sessions, here, past, p)
    if source.instead:
        other = _read_series(source, source.instead, FALLBACK_AGE, sessions, here, past, p)
        there = rows["period"].notna()
        rows = pd.concat([rows[there], other[~there]]).reindex(sessions)
    return rows


def meaning(z: pd.Series[Any], dimension: Dimension, neutral: float) -> pd.Series[Any]:
    """What a state says, in words.

    Examples
    --------
    >>> meaning(pd.Series([1.0, 0.1, np.nan]), DIMENSIONS["credit"], 0.5).tolist()[1:]
    ['high-yield spread near its mean', 'high-yield spread unknown']
    """
    words = np.select(
        [z.isna(), z >= neutral, z <= -neutral],
        [f"{dimension.noun} unknown", dimension.high, dimension.low],
        f"{dimension.noun} near its mean",
    )
    return pd.Series(words, index=z.index)


def _read_series(
    source: Input,
    name: str,
    max_age: int,
    sessions: pd.DatetimeIndex,
    here: dict[str, pd.DataFrame],
    past: dict[str, pd.DataFrame],
    p: MacroParameters,
) -> pd.DataFrame:
    if name not in here:
        return _nothing(sessions)
    told = released(past[name], source, p.min_years).drop(columns="value")
    told = told.drop_duplicates(["period", "released_at"], keep="last")
    rows = here[name].merge(told, on=["period", "released_at"], how="left").set_index("session").reindex(sessions)
    fresh = (sessions - pd.DatetimeIndex(rows["period"])).days <= max_age
    return rows.loc[fresh, [*_NUMBERS, *_NOTES]].reindex(sessions)


_NUMBERS, _NOTES = ("value", "base", "z", "scale"), ("period", "released_at", "vintage")


def _nothing(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    frame = pd.DataFrame(np.nan, index=sessions, columns=list(_NUMBERS))
    frame["period"] = pd.Series(pd.NaT, index=sessions, dtype="datetime64[ns]")
    frame["released_at"] = pd.Series(pd.NaT, index=sessions, dtype="datetime64[ns, UTC]")
    return frame.assign(vintage=pd.Series(None, index=sessions, dtype=object))


def _dimension(
    dimension: Dimension,
    sessions: pd.DatetimeIndex,
    here: dict[str, pd.DataFrame],
    past: dict[str, pd.DataFrame],
    p: MacroParameters,
) -> pd.DataFrame:
    read = [read_input(source, sessions, here, past, p) for source in dimension.inputs]
    z = _known_mean([rows["z"] for rows in read]).clip(-p.clip, p.clip)
    shocks = [(rows["base"] - rows["base"].shift(p.shock_sessions)) / rows["scale"].where(rows["scale"] > 0) for rows in read]
    counted = [rows[rows["z"].notna()].reindex(sessions) for rows in read]
    latest = np.column_stack([rows["vintage"] == "latest" for rows in counted]).any(axis=1)
    return pd.DataFrame(
        {
            "session": sessions,
            "dimension": dimension.name,
            "value": read[0]["value"].to_numpy(dtype=np.float64),
            "z": z.to_numpy(),
            "z_change_21": (z - z.shift(p.shock_sessions)).to_numpy(),
            "shock": _known_mean(shocks).to_numpy(),
            "as_of": pd.concat([rows["period"] for rows in counted], axis=1).min(axis=1).to_numpy(),
            "released_at": pd.concat([rows["released_at"] for rows in counted], axis=1).max(axis=1).array,
            "vintage": [
                None if unknown else word for unknown, word in zip(z.isna(), np.where(latest, "latest", "first"), strict=True)
            ],
            "meaning": meaning(z, dimension, p.neutral).to_numpy(),
        }
    )


def _known_mean(columns: Sequence[pd.Series[Any]]) -> pd.Series[Any]:
    """Mean of the known ones, in a fixed order."""
    table = np.column_stack([column.to_numpy(dtype=np.float64) for column in columns])
    known = np.isfinite(table)
    count = known.sum(axis=1)
    total = np.where(known, table, 0.0).sum(axis=1)
    return pd.Series(np.where(count > 0, total / np.maximum(count, 1), np.nan), index=columns[0].index)
