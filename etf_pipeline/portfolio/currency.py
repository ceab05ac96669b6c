"""Base currency of a portfolio against the currency that its funds are priced in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats


class LedgerMoney(NamedTuple):
    """What a ledger begins with by portfolio, and what comes and goes later. [currency of the funds]"""

    values: dict[str, float]
    flows: pd.DataFrame


def ledger_money(decisions: pd.DataFrame, flows: pd.DataFrame, macro: pd.DataFrame, funds: str) -> LedgerMoney:
    """Money of every portfolio as a ledger in the currency of the funds needs it.

    Parameters
    ----------
    decisions : DataFrame
        Table `rebalance_decisions`, from the ledger's first decision on.
    flows : DataFrame
        Table `raw_flows`, in each portfolio's base currency.
    macro : DataFrame
        Table `fct_macro`.
    funds : str
        [ISO 4217]

    Returns
    -------
    LedgerMoney
        Values are those that the first decision's costs were computed for, so that the ledger pays what was charged then. Flows
        up to that decision are part of it and left out.

    Raises
    ------
    SettingsError
        As `exchange_rates`.
    """
    first = decisions.sort_values("session", kind="stable").drop_duplicates("strategy").set_index("strategy")
    later = flows.loc[~(flows["date"] <= flows["strategy"].map(first["session"]))]
    amount = later["amount"].astype("float64")
    for name, rows in later.groupby("strategy", sort=True):
        base = first["base_currency"].get(name, funds)
        amount.loc[rows.index] *= exchange_rates(macro, pd.DatetimeIndex(rows["date"]), str(base), funds)
    worth = first["portfolio_value"] * first["fx_rate"]
    return LedgerMoney({str(name): float(value) for name, value in worth.items()}, later.assign(amount=amount))


def exchange_rates(macro: pd.DataFrame, sessions: pd.DatetimeIndex, base: str, funds: str) -> Floats:
    """Units of the funds' currency for one unit of base currency, as known at each close.

    Parameters
    ----------
    macro : DataFrame
        Table `fct_macro`.
    sessions : DatetimeIndex of shape (n,)
    base, funds : str
        [ISO 4217]

    Returns
    -------
    ndarray of shape (n,)
        Ones where both are the same.

    Raises
    ------
    SettingsError
        If no series tells the rate, or it starts too late.

    Notes
    -----
    A series is named like ``AUDUSD``: US dollars for one Australian dollar. Sizes, costs and flows are converted; risk and
    return are those of the funds in their own currency, as a portfolio hedged at no cost has them.
    """
    if base == funds:
        return np.ones(len(sessions))
    for name, inverse in ((f"{base}{funds}", False), (f"{funds}{base}", True)):
        rows = macro.loc[(macro["series"] == name) & (macro["value"] > 0.0), ["session", "value"]].sort_values("session")
        if rows.empty:
            continue
        place = np.searchsorted(rows["session"].to_numpy(), sessions.to_numpy(), side="right") - 1
        if (place < 0).any():
            raise SettingsError(
                f"base currency {base}: {name} starts {rows['session'].iloc[0].date()}, after the first decision."
            )
        rate = rows["value"].to_numpy(dtype=np.float64)[place]
        return 1.0 / rate if inverse else rate
    raise SettingsError(
        f"base currency {base} of funds priced in {funds} needs series {base}{funds} or {funds}{base} in fct_macro; it has none. "
        f"Load the exchange rate, or count in {funds}."
    )
