"""What the state says about each fund: two bounded multipliers, with the reason in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.conventions import home_market
from etf_pipeline.errors import SettingsError
from etf_pipeline.macro.dimensions import DIMENSIONS, GEOPOLITICS, MACRO
from etf_pipeline.macro.priors import PRIORS, prior
from etf_pipeline.macro.sensitivities import FUND
from etf_pipeline.panel import Floats

Places = npt.NDArray[np.intp]

COLUMNS = ["session", "ticker", "macro_multiplier", "geo_multiplier", "macro_as_of", "geo_as_of", "vintage", "reason"]
STATE_DAYS = 10
"""A state that was read longer ago is unknown; exchanges never rest so long. [calendar days]"""
PROFILE_DAYS = 62
"""A fund's class counts for two months after the month end that told it. [calendar days]"""
FIT_DAYS = 380
"""A year's sensitivities count until the next year's are there. [calendar days]"""
WORTH_TELLING = 0.005
"""A contribution to the logarithm of a multiplier below this is not told as a reason."""


@dataclass(frozen=True)
class AdjustmentParameters:
    """How strongly a state tilts.

    Attributes
    ----------
    exchange : str
        Main exchange, at whose close states are read; funds listed elsewhere read the last one before their own close.
    macro_strength, geo_strength : float
        Tilt per unit of sensitivity times z-score: of the mean over macro dimensions, and of geopolitics. [ratio]
    limit : float
        Largest multiplier; the smallest is its inverse. At most 1.5. [ratio]
    """

    exchange: str = "XNYS"
    macro_strength: float = 1.0
    geo_strength: float = 0.5
    limit: float = 1.5

    def __post_init__(self) -> None:
        """Refuse limits and strengths under which a multiplier would leave its bounds or turn round."""
        if not 1.0 < self.limit <= 1.5 or self.macro_strength < 0 or self.geo_strength < 0:
            raise SettingsError(
                f"macro adjustments need 1 < limit <= 1.5 and strengths of at least 0; found {self.limit}, "
                f"{self.macro_strength} and {self.geo_strength}. Change the setting."
            )


def multiplier(tilt: Floats, limit: float = 1.5) -> Floats:
    """A positive factor for a tilt of any size: 1 at 0, rising, between ``1 / limit`` and `limit`.

    Notes
    -----
    ``exp(L tanh(x / L))`` with ``L = log(limit)``: the slope at 0 is 1, and opposite tilts give inverse factors. A score may be
    negative, and multiplying it by 1.2 would then punish what is meant to be favoured. So scoring *adds* the logarithm to the
    score in z-space, which multiplies ``exp(score)``, a positive scale, and keeps its meaning everywhere.

    Examples
    --------
    >>> multiplier(np.array([0.0, 0.1, -9.0])).round(6).tolist()
    [1.0, 1.102986, 0.666667]
    """
    bound = math.log(limit)
    return np.exp(bound * np.tanh(tilt / bound))


def macro_adjustments(
    membership: pd.DataFrame,
    state: pd.DataFrame,
    sensitivities: pd.DataFrame,
    profile: pd.DataFrame,
    funds: pd.DataFrame,
    parameters: AdjustmentParameters | None = None,
) -> pd.DataFrame:
    """Multipliers of every member at every session.

    Parameters
    ----------
    membership, state, sensitivities, profile, funds : DataFrame
        `universe_membership`, `macro_state`, `macro_sensitivities`, `fund_profile` and `dim_etf`.
    parameters : AdjustmentParameters, optional
        Defaults where omitted.

    Returns
    -------
    DataFrame
        `macro_adjustments`, one row per member and session.

    Notes
    -----
    1. Each fund reads the newest state that was known at its own exchange's close.
    2. Its sensitivities are its own of the last year's end, else its sub-class's of then, else the plan's prior.
    3. ``macro tilt = strength * sum_d sensitivity_d * z_d / 8`` over the eight macro dimensions. An unknown state
       contributes nothing: less evidence, less tilt. A sum would count one piece of news as often as dimensions show it.
    4. ``multiplier(tilt)``. A fund of unknown class, or a session without any state, has exactly 1.

    A tilt says what the state has gone with, not what it foretells; `macro_skill` tests whether it did.
    """
    p = parameters or AdjustmentParameters()
    rows = membership.loc[membership["member"].astype(bool), ["session", "ticker"]].sort_values(["ticker", "session"])
    rows = rows.reset_index(drop=True)
    days = pd.DatetimeIndex(np.sort(state["session"].unique()))
    at = _state_places(rows, days, funds, p.exchange)
    z = state.pivot(index="session", columns="dimension", values="z").reindex(index=days, columns=list(DIMENSIONS))
    zs = _gather(z.to_numpy(dtype=np.float64), at)
    kind = (
        _as_of(rows, profile[["session", "ticker", "sub_class"]], PROFILE_DAYS)["sub_class"]
        .fillna("unknown")
        .to_numpy(dtype=object)
    )
    parts = np.nan_to_num(_sensitivity_rows(rows, kind, sensitivities, home_market(p.exchange).currency) * zs)
    parts *= np.array([p.geo_strength if d == GEOPOLITICS else p.macro_strength / len(MACRO) for d in DIMENSIONS])
    geo = list(DIMENSIONS).index(GEOPOLITICS)
    dates = _dates(state, days)
    return rows.assign(
        macro_multiplier=multiplier(np.delete(parts, geo, axis=1).sum(axis=1), p.limit),
        geo_multiplier=multiplier(parts[:, geo], p.limit),
        macro_as_of=_gather(dates["macro_as_of"].to_numpy(), at),
        geo_as_of=_gather(dates["geo_as_of"].to_numpy(), at),
        vintage=np.where(_gather(dates["latest"].to_numpy(dtype=np.float64), at) == 1.0, "latest", "first"),
        reason=_reasons(parts, zs, kind),
    )[COLUMNS]


def _state_places(rows: pd.DataFrame, days: pd.DatetimeIndex, funds: pd.DataFrame, main: str) -> Places:
    """Place among the main exchange's sessions of the newest state known at each row's close, -1 where none was."""
    exchange = rows["ticker"].map(funds.set_index("ticker")["exchange"]).to_numpy()
    session = pd.DatetimeIndex(rows["session"])
    out = np.full(len(rows), -1, dtype=np.intp)
    if not len(days):
        return out
    for name in sorted(set(exchange)):
        here = exchange == name
        own = session[here].unique()
        newest = days.searchsorted(own, side="right") - 1
        if name != main:
            closed, known = calendars.closes(str(name), own), calendars.closes(main, days)
            newest = known.to_numpy().searchsorted(closed.to_numpy(), side="right") - 1
        out[here] = newest[own.get_indexer(session[here])]
    old = (session - days[np.maximum(out, 0)]).days > STATE_DAYS
    return np.where(old, -1, out)


def _gather(values: npt.NDArray[Any], places: Places) -> npt.NDArray[Any]:
    """Rows of an array by place; unknown at -1."""
    blank = np.full((1, *values.shape[1:]), np.datetime64("NaT") if values.dtype.kind == "M" else np.nan)
    return np.concatenate([values, blank.astype(values.dtype)])[places]


def _as_of(rows: pd.DataFrame, right: pd.DataFrame, days: int) -> pd.DataFrame:
    """To each row the newest of a fund's rows, at most so many days old."""
    left = rows.rename_axis("_row").reset_index().sort_values("session", kind="stable")
    joined = pd.merge_asof(
        left, right.sort_values("session", kind="stable"), on="session", by="ticker", tolerance=pd.Timedelta(days=days)
    )
    return joined.sort_values("_row").reset_index(drop=True)


def _sensitivity_rows(rows: pd.DataFrame, kind: npt.NDArray[Any], sensitivities: pd.DataFrame, home: str) -> Floats:
    """Sensitivity of each row to each dimension. Shape (n_rows, n_dimensions)."""
    table = sensitivities.pivot(index=["session", "subject"], columns="dimension", values="shrunk").reindex(
        columns=list(DIMENSIONS)
    )
    values = np.vstack([table.to_numpy(dtype=np.float64), [[prior(k, None, d, home) for d in DIMENSIONS] for k in PRIORS]])
    place = pd.Series(range(len(table), len(values)), index=list(PRIORS)).reindex(kind).to_numpy(dtype=np.intp)
    fits = pd.DatetimeIndex(np.sort(sensitivities["session"].unique()))
    session = pd.DatetimeIndex(rows["session"])
    newest = fits.searchsorted(session, side="left") - 1  # a fit counts from the session after its own
    fresh = newest >= 0
    if fresh.any():
        made = fits[np.maximum(newest, 0)]
        fresh &= np.asarray((session - made).days <= FIT_DAYS)
        funds = set(sensitivities.loc[sensitivities["kind"] == FUND, "subject"])
        for subject in (pd.Index(kind), pd.Index(rows["ticker"]).where(rows["ticker"].isin(funds), "")):
            found = table.index.get_indexer(pd.MultiIndex.from_arrays([made, subject]))
            place = np.where(fresh & (found >= 0), found, place)
    return values[place]


def _dates(state: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """By session: oldest period of the known inputs, and whether one is a final revision."""
    known = state[state["z"].notna()]
    geo = known["dimension"] == GEOPOLITICS
    return pd.DataFrame(
        {
            "macro_as_of": known[~geo].groupby("session")["as_of"].min().reindex(days),
            "geo_as_of": known[geo].groupby("session")["as_of"].min().reindex(days),
            "latest": (known["vintage"] == "latest").groupby(known["session"]).max().reindex(days, fill_value=False),
        },
        index=days,
    )


def _reasons(parts: Floats, zs: Floats, kind: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The largest contribution to each multiplier, in words; each different text is written once."""
    geo = list(DIMENSIONS).index(GEOPOLITICS)
    codes, kinds = pd.factorize(kind)
    largest = np.where(np.arange(len(DIMENSIONS)) == geo, 0.0, np.abs(parts)).argmax(axis=1)
    first = _keys(largest, parts, zs, codes)
    second = _keys(np.full(len(parts), geo), parts, zs, codes)
    unique, back = np.unique(first * _PLACES * len(kinds) + second, return_inverse=True)
    pairs = [divmod(int(key), _PLACES * len(kinds)) for key in unique]
    told = ["; ".join(_text(key, list(kinds)) for key in pair if key) for pair in pairs]
    return np.array([text or "nothing known moves this fund" for text in told], dtype=object)[back]


_TENTHS = 201
"""Z-scores are told to a tenth, from -10 to 10."""
_PLACES = len(DIMENSIONS) * 2 * _TENTHS
"""Different texts per sub-class."""


def _keys(which: Places, parts: Floats, zs: Floats, codes: Places) -> Places:
    """A number for what is told of each row, 0 where nothing is: sub-class, dimension, direction and z-score."""
    row = np.arange(len(which))
    part, z = parts[row, which], np.nan_to_num(zs[row, which])
    tenths = np.clip(z * 10, -100, 100).round().astype(np.intp) + 100
    key = ((codes * len(DIMENSIONS) + which) * 2 + (part > 0)) * _TENTHS + tenths
    return np.where(np.abs(part) >= WORTH_TELLING, key, 0)


def _text(key: int, kinds: Sequence[str]) -> str:
    rest, tenths = divmod(key, _TENTHS)
    rest, favours = divmod(rest, 2)
    code, which = divmod(rest, len(DIMENSIONS))
    dimension = list(DIMENSIONS.values())[which]
    verb = "favours" if favours else "weighs on"
    return f"{dimension.noun} {(tenths - 100) / 10:+.1f} sd {verb} {kinds[code].replace('_', ' ')} funds"
