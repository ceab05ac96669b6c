"""The proof that nothing looks ahead: cut the future off, or poison it, and nothing that was known may change.

Every table declares when its rows are known (`Contract.available`). `truncate` drops what was not known at a cut, `poison`
replaces it by absurd values, `differences` compares what both computations say about the time before the cut.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as arrow

from etf_pipeline import calendars
from etf_pipeline.errors import EtfPipelineError
from etf_pipeline.recipes import Cache, Recipe, Tables
from etf_pipeline.schemas import TABLES, Contract, from_arrow

TOLERANCE = 1e-12
"""Largest relative difference of a number; keys, labels, dates and flags must be equal."""

KNOWN_IN_ADVANCE = frozenset({"raw_sessions", "raw_reference", "stg_reference", "dim_etf", "raw_mandates"})
"""Calendars, unchanging facts and settings: a cut leaves them whole."""

Mode = Literal["truncate", "poison"]


def known(contract: Contract, frame: pd.DataFrame, cut: pd.Timestamp, exchange: str = "XNYS") -> pd.Series[bool]:
    """Which rows of a table were known at the close of session `cut`.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Rows of the table.
    cut : Timestamp
        A session of `exchange`.
    """
    if contract.name in KNOWN_IN_ADVANCE:
        return pd.Series(True, index=frame.index)
    if contract.available == "session_close":
        column = next(name for name in ("session", "fit_session") if name in frame)
        return frame[column] <= cut  # a row without a session, such as a file that cannot be read, is known since the fetch
    instant = calendars.closes(exchange, pd.DatetimeIndex([cut])).iloc[0]
    return pd.Series(frame[contract.available] <= instant)


def truncate(contract: Contract, table: arrow.Table, cut: pd.Timestamp, exchange: str = "XNYS") -> arrow.Table:
    """The table as it was at the close of `cut`."""
    return table.filter(arrow.array(known(contract, from_arrow(table), cut, exchange).to_numpy(dtype=bool)))


def poison(contract: Contract, table: arrow.Table, cut: pd.Timestamp, exchange: str = "XNYS", seed: int = 0) -> arrow.Table:
    """The table with every number that was not known at `cut` replaced by an absurd one of the same sign."""
    frame = from_arrow(table)
    future = ~known(contract, frame, cut, exchange)
    rng = np.random.default_rng(seed)
    for field in contract.arrow_schema:
        if arrow.types.is_floating(field.type) and field.name not in contract.key:
            factor = np.exp(rng.normal(0.0, 2.0, int(future.sum())))
            frame.loc[future, field.name] = frame.loc[future, field.name] * factor
    return contract.to_arrow(frame)


def differences(
    contract: Contract, whole: arrow.Table, cut_off: arrow.Table, cut: pd.Timestamp, exchange: str = "XNYS"
) -> list[str]:
    """What the two computations disagree on among rows known at `cut`; empty when the table keeps its promise."""
    left, right = (_known_rows(contract, table, cut, exchange) for table in (whole, cut_off))
    if contract.name == "drawdowns":  # an open drawdown is a running figure; only closed ones are realised
        left, right = (frame[~frame["is_open"]].reset_index(drop=True) for frame in (left, right))
    if len(left) != len(right) or not left[list(contract.key)].equals(right[list(contract.key)]):
        return [f"{contract.name}: keys known at {cut.date()} differ ({len(left)} rows against {len(right)})"]
    found = []
    for field in contract.arrow_schema:
        a, b = left[field.name], right[field.name]
        if arrow.types.is_floating(field.type):
            x, y = a.to_numpy(dtype=float), b.to_numpy(dtype=float)
            same = (np.isnan(x) & np.isnan(y)) | (np.abs(x - y) <= TOLERANCE * np.maximum(np.abs(x), 1.0))
        else:
            same = ((a == b) | (a.isna() & b.isna())).to_numpy(dtype=bool)
        if not same.all():
            first = left.loc[~same, list(contract.key)].iloc[0].to_dict()
            found.append(f"{contract.name}.{field.name}: {int((~same).sum())} rows changed, first {first}")
    return found


def verify(
    recipe: Recipe,
    inputs: Tables,
    made: Tables,
    cut: pd.Timestamp,
    *,
    mode: Mode,
    exchange: str = "XNYS",
    parameters: object = None,
    cache: Cache | None = None,
) -> list[str]:
    """Run a recipe on a cut or poisoned past and compare with what was made from everything.

    Parameters
    ----------
    recipe : Recipe
        Computation to prove.
    inputs, made : mapping of str to Arrow table
        What it was given and what it made.
    cut : Timestamp
        Session of `exchange` up to whose close both must agree.
    mode : {"truncate", "poison"}
        What happens to the future.

    Returns
    -------
    list of str
        Every disagreement, in words; empty when causal.

    Notes
    -----
    A recipe may refuse a past that is too short for it. That is right where its tables held no row by then, and a
    disagreement where they did.
    """
    change = truncate if mode == "truncate" else poison
    past = {name: change(TABLES[name], table, cut, exchange) for name, table in inputs.items()}
    checked = [name for name in recipe.outputs if TABLES[name].causality in ("causal", "realised")]
    try:
        again = recipe.run(past, parameters, cache)
    except EtfPipelineError as error:
        early = [name for name in checked if len(_known_rows(TABLES[name], made[name], cut, exchange))]
        return [f"{name}: has rows known at {cut.date()}, but what was there by then is refused: {error}" for name in early]
    return [text for name in checked for text in differences(TABLES[name], made[name], again[name], cut, exchange)]


def _known_rows(contract: Contract, table: arrow.Table, cut: pd.Timestamp, exchange: str) -> pd.DataFrame:
    frame = from_arrow(table)
    return frame[known(contract, frame, cut, exchange)].sort_values(list(contract.key), kind="stable").reset_index(drop=True)
