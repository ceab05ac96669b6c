"""From tables to what a model learns from: ranked features, labels from the fill, and who was a member when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.forecasting.fund_effects import shrunk_fund_means
from etf_pipeline.forecasting.parameters import ForecastParameters
from etf_pipeline.panel import Floats, wide
from etf_pipeline.schemas.raw import ASSET_CLASSES

Flags = npt.NDArray[np.bool_]
Cells = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

UNKNOWN = "unknown"
"""Class of funds without reference data: mostly dead ones. Who will be dead was not known, so it is never a class to learn."""

CLASS_COLUMNS = tuple(name for name in ASSET_CLASSES if name != UNKNOWN)
"""The classes that can have a column, in order; their columns are the last of the features."""


@dataclass(frozen=True)
class Design:
    """The panel on the main exchange's sessions, from the first that has a member.

    Attributes
    ----------
    sessions : DatetimeIndex of shape (n_sessions,)
    tickers : ndarray of shape (n_assets,)
        Every fund that was ever a member; which ones are so at a session says `member`.
    classes : ndarray of shape (n_assets,)
        Asset class of each.
    member : ndarray of bool, shape (n_sessions, n_assets)
    features : ndarray of float32, shape (n_sessions, n_assets, n_features)
    label : ndarray of shape (n_sessions, n_assets)
        Total return from the fill; NaN while the label has not ended. [fraction per horizon]
    fund_mean : ndarray of shape (n_sessions, n_assets)
        Mean label of each fund so far, drawn to its class, of labels ended by then. [fraction per horizon]
    """

    sessions: pd.DatetimeIndex
    tickers: npt.NDArray[np.object_]
    classes: npt.NDArray[np.object_]
    member: Flags
    features: npt.NDArray[np.float32]
    label: Floats
    fund_mean: Floats

    def rows(self, cells: Cells, established: frozenset[str]) -> npt.NDArray[np.float32]:
        """Features of given (session, fund) positions, with a column only for the classes that are `established`."""
        out = self.features[cells]
        first = out.shape[1] - len(CLASS_COLUMNS)
        silent = [first + k for k, name in enumerate(CLASS_COLUMNS) if name not in established]
        out[:, silent] = 0.0
        return out


def established_classes(classes: npt.NDArray[np.object_], seen: npt.NDArray[np.intp], min_funds: int) -> frozenset[str]:
    """Asset classes with enough different funds to be told from the luck of one.

    Parameters
    ----------
    classes : ndarray of shape (n_assets,)
        Asset class of each fund.
    seen : ndarray of shape (n,)
        Positions of the funds that the evidence is about; repetitions count once.
    min_funds : int
        [count]

    Notes
    -----
    A column that is one for a single fund is that fund's own mean, and standardised it is hardly penalised, however rare it
    is. Funds of a smaller class have zeros in every class column: to the model they are a fund like any other. One column for
    all small classes together would again belong to a single fund where there is only one such class.

    Examples
    --------
    >>> sorted(established_classes(np.array(["bond", "bond", "alternative"], dtype=object), np.array([0, 1, 2, 2]), 2))
    ['bond']
    """
    names, counts = np.unique(classes[np.unique(seen)].astype(str), return_counts=True)
    return frozenset(str(n) for n, c in zip(names, counts, strict=True) if c >= min_funds and n != UNKNOWN)


def build_design(
    features: pd.DataFrame,
    returns: pd.DataFrame,
    membership: pd.DataFrame,
    reference: pd.DataFrame,
    parameters: ForecastParameters,
) -> Design:
    """Scatter, rank and label.

    Raises
    ------
    DataError
        If no fund is ever a member, or a named feature does not exist.
    """
    members = membership[membership["member"].astype(bool)]
    if members.empty:
        raise DataError(
            "forecasting needs members of the universe; there are none. Loosen ScreenParameters or load more history."
        )
    home = membership.loc[membership["reason"] != "other_exchange", "session"]
    sessions = pd.DatetimeIndex(np.sort(home[home >= members["session"].min()].unique()))
    tickers = pd.Index(np.sort(members["ticker"].unique()))
    member = wide(members.assign(member=1.0), "member", sessions, tickers) == 1.0
    open_, close = (wide(returns, name, sessions, tickers) for name in ("index_open", "index_close"))
    classes = reference.set_index("ticker")["asset_class"].reindex(tickers).fillna(UNKNOWN).to_numpy(dtype=object)
    names = _feature_names(features, parameters)
    ranks = [cross_sectional_rank(wide(features, name, sessions, tickers), member) for name in names]
    label = total_return_from_fill(open_, close, parameters.horizon)
    fund_mean, effect = shrunk_fund_means(
        np.where(member, label, np.nan),
        classes,
        label_sessions=parameters.label_sessions,
        prior_labels=parameters.prior_labels,
        min_class_funds=parameters.min_class_funds,
        unlearnt=UNKNOWN,
    )
    if parameters.fund_effect:
        ranks.append(cross_sectional_rank(effect, member))
    return Design(
        sessions=sessions,
        tickers=tickers.to_numpy(dtype=object),
        classes=classes,
        member=member,
        features=_stack(ranks, classes),
        label=label,
        fund_mean=fund_mean,
    )


def total_return_from_fill(index_open: Floats, index_close: Floats, horizon: int) -> Floats:
    """Total return from the open of *t+1* to the open `horizon` sessions later, where the next rebalance would fill.

    Parameters
    ----------
    index_open, index_close : ndarray of shape (n_sessions, n_assets)
        Forward total-return index; NaN where a fund has no bar.

    Returns
    -------
    ndarray of shape (n_sessions, n_assets)
        NaN where the label has not ended or nothing could be bought. [fraction per horizon]

    Notes
    -----
    From open to open is exactly `horizon` sessions of holding. A fund that no longer trades at the end is worth its last close:
    leaving it out would teach the model on survivors only.
    """
    n, lead = len(index_open), horizon + 1
    out = np.full(index_open.shape, np.nan)
    if n <= lead:
        return out
    last_close = pd.DataFrame(index_close).ffill().to_numpy()
    end = np.where(np.isnan(index_open[lead:]), last_close[lead:], index_open[lead:])
    with np.errstate(over="ignore", invalid="ignore"):
        out[: n - lead] = end / index_open[1 : n - horizon] - 1
    return np.where(np.isfinite(out), out, np.nan)


def cross_sectional_rank(values: Floats, member: Flags) -> Floats:
    """Rank among the session's members, spread evenly over (-0.5, 0.5); ties share their mean rank.

    Notes
    -----
    A rank compares funds within a session, so neither outliers nor the level of the whole market enter, and a session's row
    depends on that session alone. Unknown values stay NaN.
    """
    masked = pd.DataFrame(np.where(member, values, np.nan))
    rank = masked.rank(axis=1).to_numpy()
    known = np.maximum(masked.notna().sum(axis=1).to_numpy(), 1)[:, None]
    return np.asarray((rank - 0.5) / known - 0.5)


def _stack(ranks: list[Floats], classes: npt.NDArray[np.object_]) -> npt.NDArray[np.float32]:
    """Ranks with the unknown ones at the median, 0; the share that was unknown; one column per class in `CLASS_COLUMNS`.

    A column only for the classes seen would appear the day a class gets its first member, and change how a forest draws the
    features it tries in windows long past.
    """
    shape = ranks[0].shape
    out = np.zeros((*shape, len(ranks) + 1 + len(CLASS_COLUMNS)), dtype=np.float32)
    for k, rank in enumerate(ranks):
        unknown = np.isnan(rank)
        out[:, :, k] = np.where(unknown, 0.0, rank)
        out[:, :, len(ranks)] += unknown / np.float32(len(ranks))
    for k, name in enumerate(CLASS_COLUMNS):
        out[:, classes == name, len(ranks) + 1 + k] = 1.0
    return out


def _feature_names(features: pd.DataFrame, parameters: ForecastParameters) -> list[str]:
    known = [name for name in features.columns if name not in ("session", "ticker")]
    missing = [name for name in parameters.features if name not in known]
    if missing:
        raise DataError(f"forecasting needs features {missing}; the table has {known}. Correct ForecastParameters.features.")
    return list(parameters.features) or known
