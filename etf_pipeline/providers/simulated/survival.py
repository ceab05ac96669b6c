"""What became of every fund, and by how much a list of today's survivors flatters the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline.providers.simulated.funds import FundSpec

MONTHS_PER_YEAR = 12


@dataclass(frozen=True)
class Survival:
    """Fates of an exchange's funds and the gap between all of them and the survivors.

    Attributes
    ----------
    fates : DataFrame
        One row per fund: `ticker`, `fate` (`alive`, `liquidation`, `merger`), `first_session`, `last_session`,
        `delisting_return` (zero for the living).
    monthly : DataFrame of shape (n_months, 2)
        Return of each month, `all` funds and `survivors` only. [fraction per month]
    gap : float
        Twelve times the mean of survivors less all. [fraction per year]
    gap_error : float
        Its standard error, months taken as independent. [fraction per year]

    Notes
    -----
    Plain funds (no leverage) that were listed at the end of the month before are bought in equal parts and held for the month.
    A fund that ends within the month earns its delisting return and is cash for the rest of it. Survivors are those listed in
    the market's last session: nobody knew them at the time.
    """

    fates: pd.DataFrame
    monthly: pd.DataFrame
    gap: float
    gap_error: float


def survival_of(funds: Sequence[FundSpec], returns: pd.DataFrame, endings: pd.DataFrame) -> Survival:
    """Fates and gap of one exchange.

    Parameters
    ----------
    funds : sequence of FundSpec
    returns : DataFrame of shape (n_sessions, n_funds)
        Total returns, NaN while not listed and in a fund's first session. [fraction per session]
    endings : DataFrame
        `ticker`, `kind`, `delisting_return` of the funds that end.
    """
    names = [f.ticker for f in funds]
    ended = endings.set_index("ticker").reindex(names)
    held = returns[names].notna()
    fates = pd.DataFrame(
        {
            "ticker": names,
            "fate": ended["kind"].fillna("alive").to_numpy(),
            "first_session": [held.index[max(int(np.argmax(held[t])) - 1, 0)] for t in names],
            "last_session": [held.index[np.flatnonzero(held[t])[-1]] for t in names],
            "delisting_return": ended["delisting_return"].fillna(0.0).to_numpy(),
        }
    )
    plain = [f.ticker for f in funds if f.leverage == 1]
    monthly = _monthly(returns[plain], fates.set_index("ticker").loc[plain])
    differences = (monthly["survivors"] - monthly["all"]).to_numpy()
    error = float(differences.std(ddof=1) / np.sqrt(len(differences))) * MONTHS_PER_YEAR
    return Survival(fates, monthly, float(differences.mean()) * MONTHS_PER_YEAR, error)


def _monthly(returns: pd.DataFrame, fates: pd.DataFrame) -> pd.DataFrame:
    """Equal parts of every fund that was listed when the month began, and of those among them that live to the end."""
    days = pd.DatetimeIndex(returns.index)
    growth = 1 + returns.fillna(0.0).to_numpy()
    last = days.get_indexer(pd.DatetimeIndex(fates["last_session"]))
    growth[last, np.arange(len(last))] *= 1 + fates["delisting_return"].to_numpy()
    months = days.to_period("M")
    earned = pd.DataFrame(growth, days, returns.columns).groupby(months).prod() - 1
    # a return in a month's first session says that the fund was listed when the month before closed
    listed = returns.groupby(months).nth(0).notna().to_numpy()
    alive = (fates["fate"] == "alive").to_numpy()
    whole = earned.where(listed)
    return pd.DataFrame({"all": whole.mean(axis=1), "survivors": whole.loc[:, alive].mean(axis=1)}).iloc[1:]
