"""What a score is made of: one row per member with a forecast, each part a signed z-score or the logarithm of a multiplier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats, Panel
from etf_pipeline.scoring.cross_section import Places, standardised
from etf_pipeline.scoring.weights import MULTIPLIERS, PARTS

AGAINST = ("risk", "cost")
"""Parts that count against a fund."""

AS_OF = {"macro": "macro_as_of", "geo": "geo_as_of"}


@dataclass(frozen=True)
class Parts:
    """Scored members, sorted by ticker and session.

    Attributes
    ----------
    sessions : DatetimeIndex of shape (n_sessions,)
        Sessions with a scored member.
    tickers : Index of shape (n_funds,)
        Funds, sorted.
    at, fund : ndarray of shape (n_rows,)
        Position of each row's session and fund.
    value : dict of str to ndarray of shape (n_rows,)
        By part: z-score with the sign with which it counts, or logarithm of the multiplier. NaN where unknown.
    multiplier : dict of str to ndarray of shape (n_rows,)
        By multiplier: its value, 1 where unknown. [ratio]
    as_of : dict of str to ndarray of shape (n_rows,)
        By multiplier: reference date of its inputs, NaT where unknown.
    latest : ndarray of shape (n_rows,)
        Whether a multiplier rests on values that are known only in their final revision.
    """

    sessions: pd.DatetimeIndex
    tickers: pd.Index[Any]
    at: Places
    fund: Places
    value: dict[str, Floats]
    multiplier: dict[str, Floats]
    as_of: dict[str, npt.NDArray[np.datetime64]]
    latest: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        forecasts: pd.DataFrame,
        features: pd.DataFrame,
        volatilities: pd.DataFrame,
        liquidity: pd.DataFrame,
        membership: pd.DataFrame,
        macro: pd.DataFrame | None = None,
        winsor: float = 3.0,
    ) -> Parts:
        """Gather what is known of every member with a forecast.

        Raises
        ------
        DataError
            If no member has a forecast, or a multiplier is not positive.
        """
        members = Panel.of(membership.loc[membership["member"].astype(bool), ["session", "ticker"]])
        expected = _at(members, forecasts, ["expected_return"])["expected_return"]
        scored, expected = _scored(members, expected)
        raw = _at(scored, features, ["momentum_12_1"])
        raw |= _at(scored, volatilities, ["volatility"]) | _at(scored, liquidity, ["daily_value", "reference_cost"])
        numbers = {
            "forecast": expected,
            "momentum": raw["momentum_12_1"],
            "risk": raw["volatility"],
            "liquidity": _log(raw["daily_value"]),
            "cost": raw["reference_cost"],
        }
        sign = {part: -1.0 if part in AGAINST else 1.0 for part in numbers}
        n = len(scored.sessions)
        value = {part: sign[part] * standardised(x, scored.rows, n, winsor) for part, x in numbers.items()}
        multiplier, as_of, latest = _multipliers(scored, macro)
        value |= {part: _log(x) for part, x in multiplier.items()}
        multiplier = {part: np.where(np.isnan(x), 1.0, x) for part, x in multiplier.items()}
        return cls(scored.sessions, scored.tickers, scored.rows, scored.columns, value, multiplier, as_of, latest)

    def contributions(self, weights: Floats) -> dict[str, Floats]:
        """What each part adds to the score under weights of shape (n_sessions, n_parts); an unknown part adds nothing."""
        return {part: _weighted(weights[self.at, k], self.value[part]) for k, part in enumerate(PARTS)}

    def beside(self, table: pd.DataFrame, name: str) -> Floats:
        """A column of a table at these rows; NaN where it has none."""
        return _at(Panel(self.sessions, self.tickers, self.at, self.fund), table, [name])[name]

    def keys(self) -> pd.DataFrame:
        """Session and ticker of each row."""
        return pd.DataFrame({"session": self.sessions[self.at], "ticker": self.tickers.to_numpy()[self.fund]})


def total(contributions: Mapping[str, Floats]) -> Floats:
    """The score: contributions added in the order of `PARTS`."""
    score = np.zeros(len(contributions[PARTS[0]]))
    for part in PARTS:
        score = score + contributions[part]
    return score


def _weighted(weight: Floats, value: Floats) -> Floats:
    return np.where(np.isnan(value), 0.0, weight * np.where(np.isnan(value), 0.0, value))


def _scored(members: Panel, expected: Floats) -> tuple[Panel, Floats]:
    """The members with a forecast, sorted by ticker and session, and their forecasts."""
    known = np.flatnonzero(np.isfinite(expected))
    if not known.size:
        raise DataError("scores need members with a forecast; found none. Materialise `forecasts` for members' sessions.")
    place = members.columns[known] * len(members.sessions) + members.rows[known]
    if (place[1:] < place[:-1]).any():  # tables come sorted, and asking is quicker than sorting
        known = known[np.argsort(place, kind="stable")]
    sessions, at = _used(members.rows[known], len(members.sessions))
    funds, fund = _used(members.columns[known], len(members.tickers))
    return Panel(members.sessions[sessions], members.tickers[funds], at, fund), expected[known]


def _used(places: Places, n: int) -> tuple[Places, Places]:
    """Which of n places are used, and the number of each row's among them."""
    used = np.zeros(n, dtype=bool)
    used[places] = True
    return np.flatnonzero(used), (np.cumsum(used) - 1)[places]


def _at(panel: Panel, table: pd.DataFrame, names: Sequence[str]) -> dict[str, Floats]:
    """Columns of a table at the panel's rows; NaN where it has none."""
    place = _places(panel, table)
    absent = place < 0
    found = {}
    for name in names:
        values = np.append(table[name].to_numpy(dtype=np.float64, na_value=np.nan), np.nan)  # place -1 reads the last
        found[name] = np.where(absent, np.nan, values[place])
    return found


def _places(panel: Panel, table: pd.DataFrame) -> Places:
    """Row of the table that holds each row of the panel, -1 where none does."""
    i = panel.sessions.get_indexer(pd.DatetimeIndex(table["session"]))
    j = panel.tickers.get_indexer(pd.Index(table["ticker"]))
    inside = np.flatnonzero((i >= 0) & (j >= 0))
    width = len(panel.tickers)
    grid = np.full(len(panel.sessions) * width, -1, dtype=np.intp)
    grid[i[inside] * width + j[inside]] = inside
    return cast(Places, grid[panel.rows * width + panel.columns])


def _log(values: Floats) -> Floats:
    positive = values > 0
    return np.where(positive, np.log(np.where(positive, values, 1.0)), np.nan)


def _multipliers(
    panel: Panel, macro: pd.DataFrame | None
) -> tuple[dict[str, Floats], dict[str, npt.NDArray[np.datetime64]], npt.NDArray[np.bool_]]:
    """The multipliers, the dates of what they rest on, and whether that is a final revision."""
    n = len(panel.rows)
    if macro is None or macro.empty:
        unknown, never = np.full(n, np.nan), np.full(n, np.datetime64("NaT", "ns"))
        return dict.fromkeys(MULTIPLIERS, unknown), dict.fromkeys(MULTIPLIERS, never), np.zeros(n, dtype=bool)
    columns = {part: f"{part}_multiplier" for part in MULTIPLIERS}
    raw = _at(panel, macro, list(columns.values()))
    wrong = [name for name, values in raw.items() if (values <= 0).any()]
    if wrong:
        raise DataError(f"scores need positive multipliers; {', '.join(wrong)} of macro_adjustments is not. Bound it in `macro`.")
    place = _places(panel, macro)
    dates = {part: _dates(macro[AS_OF[part]], place) for part in MULTIPLIERS}
    latest = np.append((macro["vintage"] == "latest").to_numpy(dtype=bool), False)[place]
    return {part: raw[name] for part, name in columns.items()}, dates, latest


def _dates(column: pd.Series[Any], place: Places) -> npt.NDArray[np.datetime64]:
    known = pd.to_datetime(column).to_numpy(dtype="datetime64[ns]")
    return np.append(known, np.datetime64("NaT", "ns"))[place]
