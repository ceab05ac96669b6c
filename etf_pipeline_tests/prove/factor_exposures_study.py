"""Do exposures find the planted loadings as often as their errors say, and is drift found where it is and only there?

Every draw is a new simulated market. The table `factor_exposures` is made from what an observer gets (bars, actions, published
factors) for the funds that the six factors and their own noise explain. Beside them, forty funds with loadings drawn at
random ride on the same factors, with noise of their own whose volatility clusters; one more of them changes its value loading in
its last year.

Run as ``python -m etf_pipeline_tests.prove.factor_exposures_study``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import SimulatedMarket
from etf_pipeline.risk.exposures import FACTORS, factor_exposures, style_drift
from etf_pipeline_tests.prove.beta_coverage_study import total_returns

EXCHANGE = "XNYS"
Z = 1.959964
"""Two-sided 95 % of a normal distribution."""
FUNDS, MOVER = 40, "MOVES"
MOVE = 0.3
"""Change of the mover's loading on HML."""
CLAIM = (
    "95 % intervals of factor_exposures cover the planted loadings in 90 to 98 % of funds and draws; style_drift raises a false "
    "alarm among 40 steady funds in at most 10 % of draws, and finds a value loading that moved by 0.3 in at least 80 %"
)


def holds(result: dict[str, Any]) -> bool:
    """Whether the claim stands."""
    return bool(0.90 <= result["coverage"] <= 0.98 and result["false_alarms"] <= 0.10 and result["found"] >= 0.80)


def steady_funds(factors: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Total returns of `FUNDS` funds with constant loadings and of one that moves in its last year; one column per fund."""
    n, k = len(factors), len(FACTORS)
    loadings = np.column_stack([rng.uniform(0.8, 1.2, FUNDS + 1), rng.normal(0.0, 0.3, (FUNDS + 1, k - 1))])
    noise = clustered_noise(n, FUNDS + 1, rng) * rng.uniform(0.03, 0.10, FUNDS + 1) / math.sqrt(252)
    names = [f"F{i:02d}" for i in range(FUNDS)] + [MOVER]
    values = factors[list(FACTORS)].to_numpy() @ loadings.T + noise + factors[["RF"]].to_numpy()
    moved = np.arange(n) >= n - 252
    values[:, -1] += MOVE * np.where(moved, factors["HML"].to_numpy(), 0.0)
    return pd.DataFrame(values, index=factors.index, columns=names)


def clustered_noise(n: int, funds: int, rng: np.random.Generator) -> np.ndarray:
    """Unit-variance GARCH(1,1) noise with t shocks of six degrees of freedom; shape (n, funds)."""
    shocks = rng.standard_t(6.0, (n, funds)) * math.sqrt(4.0 / 6.0)
    variance, out = np.ones(funds), np.empty((n, funds))
    for t in range(n):
        out[t] = np.sqrt(variance) * shocks[t]
        variance = 0.03 + 0.07 * out[t] ** 2 + 0.90 * variance
    return out


def as_table(returns: pd.DataFrame) -> pd.DataFrame:
    """`fct_returns`: one row per session and ticker."""
    table = returns.rename_axis("session").reset_index().melt("session", var_name="ticker", value_name="total_return")
    return table.dropna().sort_values(["ticker", "session"], ignore_index=True)


def described(tickers: list[str]) -> pd.DataFrame:
    """`dim_etf` of broad US share funds."""
    fields = {"asset_class": "equity", "category": "Large Blend", "exchange": EXCHANGE, "currency": "USD"}
    return pd.DataFrame({"ticker": tickers}).assign(**fields)


def session_table(days: pd.DatetimeIndex) -> pd.DataFrame:
    """`raw_sessions` of the main exchange."""
    ends = calendars.month_ends(days, EXCHANGE)
    return pd.DataFrame(
        {"session": days, "closes_at": calendars.closes(EXCHANGE, days), "is_main": True, "is_month_end": days.isin(ends)}
    )


def covered(raw: RawMarket, loadings: pd.DataFrame) -> np.ndarray:
    """Whether each interval of each plain fund holds the planted loading, at one month's end a year."""
    loadings = loadings.rename(columns={"MKT": "MKT_RF"}).fillna(0.0)
    plain = loadings.index[(loadings.drop(columns=list(FACTORS)) == 0.0).all(axis=1)]
    returns = as_table(total_returns(raw)[list(plain)])
    days = pd.DatetimeIndex(returns["session"].unique()).sort_values()
    made, _ = factor_exposures(returns, raw.factors, described(list(plain)), session_table(days))
    made = made[made["session"].dt.month == 3]  # one a year: samples do not overlap
    truth = np.array([loadings.loc[t, f] for t, f in zip(made["ticker"], made["factor"], strict=True)])
    return np.abs(made["loading"].to_numpy() - truth) <= Z * made["error"].to_numpy()


def alarms(raw: RawMarket, rng: np.random.Generator) -> tuple[pd.DataFrame, bool]:
    """Tests of the steady funds at the newest session, and whether the mover raises an alarm there.

    Steady funds are judged by themselves: with the mover among them, Holm's correction would count a true alarm.
    """
    factors = raw.factors.pivot(index="session", columns="factor", values="value")
    funds = steady_funds(factors, rng)
    sessions = session_table(factors.index)
    last = raw.factors.assign(available_at=pd.Timestamp("2000-01-01", tz="UTC"))  # at once: the last year is the last year
    without = funds.drop(columns=MOVER)
    found = [
        style_drift(as_table(some), last, described(list(some)), sessions).query("session == session.max()")
        for some in (without, funds)
    ]
    return found[0], bool(found[1].set_index("ticker").loc[MOVER, "alarm"])


def study(draws: int = 80, seed: int = 3000) -> dict[str, Any]:
    """Coverage, false alarms and power over `draws` markets of the seeds from `seed` on.

    Returns
    -------
    dict
        `coverage` of the loadings' intervals, `size_5`: share of steady funds with p below 5 %, `false_alarms`: share of draws
        in which any steady fund is certain after Holm's correction, and those that are also large (`raised`), `found`: share of
        draws in which the mover raises an alarm.
    """
    inside, sizes, certain, raised, found = [], [], [], [], []
    for i in range(draws):
        market = SimulatedMarket("demo", seed=seed + i)
        raw = market.fetch()
        inside.append(covered(raw, market.truth().loadings).mean())
        tests, moved = alarms(raw, np.random.default_rng([seed, i]))
        sizes.append((tests["p"] < 0.05).mean())
        certain.append((tests["p_holm"] < 0.05).any())
        raised.append(tests["alarm"].any())
        found.append(moved)
    return {
        "draws": draws,
        "seed": seed,
        "coverage": float(np.mean(inside)),
        "coverage_se": float(np.std(inside, ddof=1) / math.sqrt(draws)),
        "size_5": float(np.mean(sizes)),
        "false_alarms": float(np.mean(certain)),
        "raised": float(np.mean(raised)),
        "found": float(np.mean(found)),
    }


if __name__ == "__main__":
    print(study())
