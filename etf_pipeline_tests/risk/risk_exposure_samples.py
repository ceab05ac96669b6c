"""Two years of made-up factors, published as the library does, and funds that ride on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.risk.exposures import FACTORS

DAYS = calendars.sessions("XNYS", "2017-01-03", "2018-12-31")
VOLATILITY = np.array([0.16, 0.08, 0.09, 0.06, 0.06, 0.12]) / np.sqrt(252)


def factor_table(days: pd.DatetimeIndex = DAYS, seed: int = 0) -> pd.DataFrame:
    """`raw_factors`: correlated t returns, known from the 5th of the month after next on."""
    rng = np.random.default_rng(seed)
    mixed = rng.standard_t(6, (len(days), len(FACTORS))) @ (np.eye(len(FACTORS)) + 0.2)
    values = pd.DataFrame(mixed * VOLATILITY * 0.6, index=days, columns=list(FACTORS)).assign(RF=4e-5)
    table = values.rename_axis("session").reset_index().melt("session", var_name="factor", value_name="value")
    known = (table["session"].dt.to_period("M") + 2).dt.to_timestamp() + pd.Timedelta(days=4)
    return table.assign(available_at=known.dt.tz_localize("UTC").astype("datetime64[us, UTC]"))


def steady(factors: pd.DataFrame, loadings: Sequence[float], seed: int, noise: float = 0.05) -> pd.Series:
    """Total returns of a fund with constant loadings and `noise` a year of its own."""
    table = factors.pivot(index="session", columns="factor", values="value")
    own = np.random.default_rng(seed).standard_t(5, len(table)) * np.sqrt(3 / 5) * noise / np.sqrt(252)
    return table[list(FACTORS)] @ np.asarray(loadings) + table["RF"] + own


def return_table(funds: dict[str, pd.Series]) -> pd.DataFrame:
    """`fct_returns`; a fund's first bar has no return."""
    frames = [
        pd.DataFrame({"session": one.index, "ticker": name, "total_return": np.r_[np.nan, one.to_numpy()[1:]]})
        for name, one in funds.items()
    ]
    return pd.concat(frames, ignore_index=True)


def etf_table(kinds: dict[str, tuple[str, str | None]]) -> pd.DataFrame:
    """`dim_etf`: US share funds, except for the given class and category."""
    known = {**dict.fromkeys(("AAA", "BBB", "CCC", "SPY"), ("equity", "Large Blend")), **kinds}
    table = pd.DataFrame([(t, *kind) for t, kind in known.items()], columns=["ticker", "asset_class", "category"])
    return table.assign(exchange="XNYS")


def session_table(days: pd.DatetimeIndex = DAYS) -> pd.DataFrame:
    """`raw_sessions` of the main exchange."""
    ends = calendars.month_ends(days, "XNYS")
    closes = calendars.closes("XNYS", days)
    return pd.DataFrame({"session": days, "closes_at": closes, "is_main": True, "is_month_end": days.isin(ends)})


def loading_of(exposures: pd.DataFrame, ticker: str, factor: str) -> float:
    """Newest loading of a fund on a factor."""
    rows = exposures[(exposures["ticker"] == ticker) & (exposures["factor"] == factor)].sort_values("session")
    return float(rows["loading"].iloc[-1])
