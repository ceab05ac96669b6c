"""The trial ledger: every configuration that was ever tried, so that the best of them is deflated by their real number.

A configuration seen before is the same trial, however often it runs: its figures are brought up to date, its first sighting
stays. What was tried is never taken out again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from etf_pipeline.conventions import SESSIONS_PER_YEAR
from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.validation.deflation import sharpe_moments

TRIAL_KINDS = ("forecast_model", "backtest_strategy", "search", "manual")
FIRST = ["first_seen", "first_run", "same_as"]
"""What a ledger keeps of a trial's first sighting."""

RECORD = ["kind", "name", "data_version", "sharpe", "n_obs", "skewness", "kurtosis", "metric", "value"]
"""Columns that agree to the bit where another setting has made no difference."""


@dataclass(frozen=True)
class Trials:
    """What deflation needs to know of everything that was tried.

    Attributes
    ----------
    n : int
        Trials.
    variance : float
        Of their Sharpe ratios per session, ddof 1, over those that have one; unknown under two.
    """

    n: int
    variance: float


def canonical(configuration: Mapping[str, Any]) -> str:
    """The configuration as JSON in one spelling: keys sorted, whole floats as integers, tuples as lists.

    Raises
    ------
    DataError
        If a value is neither text, number, flag, list nor mapping, or is not finite.

    Examples
    --------
    >>> canonical({"b": 1.0, "a": (True, "x")})
    '{"a":[true,"x"],"b":1}'
    """
    try:
        return json.dumps(_plain(dict(configuration)), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"a trial's configuration needs plain, finite values; found {configuration!r}: {error}") from error


def trial_id(kind: str, name: str, configuration: Mapping[str, Any]) -> str:
    """The hash that names a trial: 16 hex digits of what was tried, not of when or on which data.

    Notes
    -----
    The name is part of it: two strategies may differ in code alone, and counting one twice deflates too much, never too little.

    Examples
    --------
    >>> trial_id("search", "ridge", {"alpha": 1}) == trial_id("search", "ridge", {"alpha": 1.0})
    True
    """
    if kind not in TRIAL_KINDS:
        raise DataError(f"a trial's kind is one of {', '.join(TRIAL_KINDS)}; found '{kind}'.")
    return hashlib.sha256("\n".join([kind, name, canonical(configuration)]).encode()).hexdigest()[:16]


def trial(
    kind: str,
    name: str,
    configuration: Mapping[str, Any],
    *,
    seen: pd.Timestamp,
    run: str,
    data_version: str,
    code_version: str,
    excess_returns: Floats | None = None,
    metric: str = "sharpe",
    value: float = math.nan,
) -> dict[str, Any]:
    """One row of the ledger.

    Parameters
    ----------
    kind, name, configuration : str, str and mapping
        What was tried (see `TRIAL_KINDS`).
    seen, run : Timestamp (UTC) and str
        When, and in which run.
    data_version, code_version : str
        On which data and by which code.
    excess_returns : ndarray of shape (n_sessions,), optional
        Returns over the bill, from which Sharpe ratio and moments are taken. [fraction]
    metric, value : str and float
        What it was judged by; the annual Sharpe ratio where `metric` is ``sharpe`` and no value is given.
    """
    row: dict[str, Any] = {
        "trial_id": trial_id(kind, name, configuration),
        "kind": kind,
        "name": name,
        "configuration": canonical(configuration),
        "data_version": data_version,
        "code_version": code_version,
        "first_seen": seen,
        "first_run": run,
        "sharpe": math.nan,
        "sharpe_annual": math.nan,
        "n_obs": 0,
        "skewness": math.nan,
        "kurtosis": math.nan,
        "metric": metric,
        "value": value,
        "same_as": None,
    }
    if excess_returns is not None:
        m = sharpe_moments(excess_returns)
        annual = m.sharpe * math.sqrt(SESSIONS_PER_YEAR)
        row |= {"sharpe": m.sharpe, "sharpe_annual": annual, "n_obs": m.n_obs, "skewness": m.skewness, "kurtosis": m.kurtosis}
        if metric == "sharpe" and math.isnan(value):
            row["value"] = annual
    return row


def append_trials(ledger: pd.DataFrame, fresh: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The ledger with what a run tried; no input is changed.

    Parameters
    ----------
    ledger : DataFrame of shape (n_trials, n_columns)
        The table `trial_ledger` as it stands, possibly empty.
    fresh : sequence of mapping
        Rows as `trial` makes them; the last of several with one trial_id counts.

    Returns
    -------
    DataFrame
        One row per trial, sorted by trial_id. A known trial keeps `first_seen` and `first_run` and takes the new figures. A new
        one with a record that a known trial of its name has, on the same data, says so in `same_as`.

    Notes
    -----
    Figures are refreshed because deflation compares Sharpe ratios across trials, which should rest on the same history; a trial
    that is no longer run keeps its last ones. A setting that makes no difference (threads, draws of an interval, a parameter of
    another strategy) gives the same record to the bit: it has tried nothing.
    """
    if not fresh:
        return ledger.sort_values("trial_id", ignore_index=True)
    new = pd.DataFrame(list(fresh)).sort_values("first_seen", kind="stable")
    first = new.drop_duplicates("trial_id", keep="first").set_index("trial_id")[FIRST]
    new = new.drop_duplicates("trial_id", keep="last").set_index("trial_id")
    new[FIRST] = first.loc[new.index]
    known = [name for name in new.index if name in set(ledger["trial_id"])]
    new["same_as"] = new["same_as"].astype(object).where(new.index.isin(known), _twins(ledger, new.drop(known)))
    if ledger.empty:
        return new.sort_index().reset_index()
    old = ledger.set_index("trial_id")
    again = new.index.intersection(old.index)
    new.loc[again, FIRST] = old.loc[again, FIRST]
    gone = old.loc[old.index.difference(new.index)]
    parts = [new, gone[new.columns]] if len(gone) else [new]
    return pd.concat(parts).sort_index().reset_index()


def count_trials(ledger: pd.DataFrame, kinds: Sequence[str] = TRIAL_KINDS) -> Trials:
    """Number of trials of these kinds, and the variance of their Sharpe ratios per session.

    Notes
    -----
    Trials that are the same as another (`same_as`) count once, with the longest record. Trials without a Sharpe ratio count: they
    were tried. With correlated trials, `deflation.effective_trials` of their returns may replace the number, and both should be
    shown.
    """
    rows = ledger[ledger["kind"].isin(list(kinds))].sort_values("n_obs", kind="stable")
    rows = rows[~rows["same_as"].fillna(rows["trial_id"]).duplicated(keep="last")]
    return Trials(len(rows), float(rows["sharpe"].astype(float).var(ddof=1)) if rows["sharpe"].notna().sum() > 1 else math.nan)


def _twins(ledger: pd.DataFrame, fresh: pd.DataFrame) -> pd.Series[Any]:
    """By new trial: the counted trial with the same record, or None."""
    counted = {_record(row): row["trial_id"] for row in ledger[ledger["same_as"].isna()].to_dict("records")}
    found = {}
    for row in fresh.sort_values("first_seen", kind="stable").reset_index().to_dict("records"):
        told = not (math.isnan(row["sharpe"]) and math.isnan(row["value"]))  # without figures nothing shows that two are one
        twin = counted.setdefault(_record(row), row["trial_id"]) if told else row["trial_id"]
        found[row["trial_id"]] = None if twin == row["trial_id"] else twin
    return pd.Series(found, dtype=object)


def _record(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return tuple(repr(row[name]) for name in RECORD)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
