"""How much money a strategy can carry, and how wrong the costs may be before its edge is gone.

Both answers reprice the trades of one ledger; nothing is decided anew. A portfolio kept at another value trades the same weights:
spread and commission stay the same fraction of it, the impact of the square-root law grows with the root of its size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.backtest.parameters import BacktestParameters
from etf_pipeline.conventions import CASH, PERCENT, SESSIONS_PER_YEAR, home_market
from etf_pipeline.costs.impact import impact_model
from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.measures import measure, session_risk_free
from etf_pipeline.panel import Floats

HALVINGS = 200
"""Steps of the bisection: more than a double has bits."""


@dataclass(frozen=True)
class CapacityParameters:
    """Which portfolio values are priced, and against what.

    Attributes
    ----------
    values : tuple of float
        Net asset values at which the portfolio is kept. [base currency]
    large_order : float
        Order over a session's traded value beyond which the square-root law is a guess: metaorders of that size were rarely
        observed (E. Zarinelli et al., "Beyond the square root," Market Microstructure and Liquidity 1 (2), 2015). [fraction]
    impact_model : str
        Law under which the ledger was kept, as in `costs.IMPACT_MODELS`; a bounded one cannot be scaled.
    exchange : str
        Main exchange, whose equity fund is the benchmark.
    bill_series : str
        Macro series of the bill that cash earns; empty if cash earns nothing.
    """

    values: tuple[float, ...] = (1e5, 1e6, 1e7, 1e8, 1e9, 1e10)
    large_order: float = 10 * PERCENT
    impact_model: str = BacktestParameters.impact_model
    exchange: str = BacktestParameters.exchange
    bill_series: str = BacktestParameters.bill_series

    @property
    def benchmark(self) -> str:
        """Fund of the main exchange's shares; empty where none is named."""
        return home_market(self.exchange).equity

    def __post_init__(self) -> None:
        law = impact_model(self.impact_model)
        if law.floor > 0.0 or np.isfinite(law.cap):
            raise SettingsError(f"impact of '{self.impact_model}' is bounded and cannot be scaled to other portfolio values.")
        if not self.values or min(self.values) <= 0.0 or self.large_order <= 0.0:
            raise SettingsError(f"capacity needs positive values and large_order; found {self.values} and {self.large_order}.")


@dataclass(frozen=True)
class Bill:
    """What a strategy paid, session by session, as fractions of the net asset value of the session before.

    Attributes
    ----------
    returns : ndarray of shape (n_sessions,)
        Net of costs.
    linear, impact : ndarray of shape (n_sessions,)
        Spread and commission; impact.
    nav : ndarray of shape (n_sessions,)
        Net asset value of the session before. [base currency]
    traded : ndarray of shape (n_sessions,)
        Value traded.
    """

    returns: Floats
    linear: Floats
    impact: Floats
    nav: Floats
    traded: Floats

    @property
    def free(self) -> Floats:
        """Returns without costs, but for what they took out of later sessions' trades."""
        return (1.0 + self.returns) / (1.0 - self.linear - self.impact) - 1.0

    def charged(self, value: float) -> Floats:
        """Costs of a portfolio that is kept at `value`. [fraction]"""
        return self.linear + self.impact * np.sqrt(value / self.nav)


def capacity(
    ledger: pd.DataFrame,
    trades: pd.DataFrame,
    liquidity: pd.DataFrame,
    performance: pd.DataFrame,
    macro: pd.DataFrame,
    parameters: CapacityParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Net results over portfolio values, and break-even costs.

    Parameters
    ----------
    ledger, trades, performance : DataFrame
        `backtest_ledger`, `backtest_trades` and `performance` of one run; the last says from when on strategies are compared.
    liquidity : DataFrame
        `liquidity`, for the traded value that an order is held against.
    macro : DataFrame
        `fct_macro`, for the bill.
    parameters : CapacityParameters
        Values and benchmark.

    Returns
    -------
    capacity, break_even : DataFrame
        Tables of these names.

    Notes
    -----
    In a session with costs ``c`` (a fraction of the value before it) the ledger earned ``(1 + g)(1 - c) - 1``. At another size
    the same ``g`` is charged ``linear + impact * sqrt(value / nav)``. At the ledger's own value this is its own return, to a
    rounding. Costs of everything or more leave growth and Sharpe ratio unknown.

    The break-even multiple ``m`` solves ``sum log(1 + g) + log(1 - m c) = sum log(1 + b)``, ``b`` being the benchmark after its
    own costs. It is unknown where the strategy is behind even without costs: no broker is cheap enough.
    """
    start = pd.Timestamp(performance["start"].min())
    net = ledger.loc[ledger["cost_basis"] == "net"].sort_values(["strategy", "session"], kind="stable")
    sessions = pd.DatetimeIndex(np.sort(net["session"].unique()))
    inside = np.asarray(sessions >= start)
    bill = session_risk_free(macro, sessions, parameters.bill_series)[inside]
    bills = {str(name): _bill(frame, trades, sessions, inside) for name, frame in net.groupby("strategy", sort=True)}
    shares = _participation(trades, net, liquidity, sessions)
    rows = [
        _capacity_row(name, value, bills, shares.get(name), bill, parameters) for name in bills for value in parameters.values
    ]
    even = [
        _break_even_row(name, own, other, bill if other == CASH else bills[other].returns)
        for name, own in bills.items()
        for other in (*bills, CASH)
        if other != name
    ]
    return pd.DataFrame(rows), pd.DataFrame(even, columns=BREAK_EVEN)


BREAK_EVEN = ["strategy", "benchmark", "free_excess", "net_excess", "multiple", "cost_charged", "cost_break_even"]


def break_even_multiple(free: Floats, costs: Floats, benchmark: Floats) -> float:
    """Multiple of the costs at which a strategy grows as its benchmark does.

    Parameters
    ----------
    free, costs, benchmark : ndarray of shape (n_sessions,)
        Returns without costs, costs, and the benchmark's returns. [fraction]

    Returns
    -------
    float
        NaN where the strategy is behind without costs, or pays none.

    Examples
    --------
    >>> free, costs = np.array([0.10, 0.0]), np.array([0.01, 0.01])
    >>> round(break_even_multiple(free, costs, np.array([1.1 * 0.98**2 - 1.0, 0.0])), 9)
    2.0
    """
    lead = float(np.sum(np.log1p(free)) - np.sum(np.log1p(benchmark)))
    if not lead >= 0.0 or not costs.max() > 0.0:
        return float("nan")
    low, high = 0.0, 1.0 / float(costs.max())
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        with np.errstate(divide="ignore"):
            left = lead + float(np.sum(np.log1p(-middle * costs)))
        low, high = (middle, high) if left > 0.0 else (low, middle)
    return low


def _bill(frame: pd.DataFrame, trades: pd.DataFrame, sessions: pd.DatetimeIndex, inside: npt.NDArray[np.bool_]) -> Bill:
    if len(frame) != len(sessions):
        raise DataError(
            f"capacity needs every strategy in all {len(sessions)} sessions; {frame['strategy'].iloc[0]} has {len(frame)}. "
            "Take the ledgers of one run."
        )
    own = trades.loc[trades["strategy"] == frame["strategy"].iloc[0]]
    impact = own.groupby("session")["impact_cost"].sum().reindex(sessions, fill_value=0.0).to_numpy(dtype=np.float64)
    nav = frame["nav"].shift(1, fill_value=frame["nav"].iloc[0]).to_numpy(dtype=np.float64)
    linear = np.maximum(frame["costs"].to_numpy(dtype=np.float64) - impact, 0.0)
    returns, traded = (frame[name].to_numpy(dtype=np.float64) for name in ("daily_return", "traded_value"))
    return Bill(returns[inside], (linear / nav)[inside], (impact / nav)[inside], nav[inside], (traded / nav)[inside])


def _participation(
    trades: pd.DataFrame, net: pd.DataFrame, liquidity: pd.DataFrame, sessions: pd.DatetimeIndex
) -> dict[str, pd.DataFrame]:
    """Per strategy and trade: weight traded, and what share of a session it is per unit of portfolio value."""
    rows = trades.loc[trades["kind"].isin(["rebalance", "flow"]) & (trades["value"] != 0.0)]
    place = sessions.get_indexer(pd.DatetimeIndex(rows["session"])) - 1
    frame = rows.assign(session=sessions[np.maximum(place, 0)])[["strategy", "session", "ticker", "value"]]
    frame = frame.merge(liquidity[["session", "ticker", "daily_value"]], on=["session", "ticker"], how="left")
    frame = frame.merge(net[["strategy", "session", "nav"]], on=["strategy", "session"], how="left")
    frame["weight"] = frame["value"].abs() / frame["nav"]
    frame["share"] = frame["weight"] / frame["daily_value"].where(frame["daily_value"] > 0.0)
    known = frame.dropna(subset=["share"]).sort_values("share", kind="stable")
    return {str(name): part for name, part in known.groupby("strategy", sort=True)[["weight", "share"]]}


def _capacity_row(
    name: str,
    value: float,
    bills: dict[str, Bill],
    shares: pd.DataFrame | None,
    bill: Floats,
    parameters: CapacityParameters,
) -> dict[str, object]:
    own = bills[name]
    charged = own.charged(value)
    net, free = _net(own, value), measure("cagr", own.free)
    growth = measure("cagr", net)
    market = bills.get(parameters.benchmark)
    half, most, top = _quantiles(shares, value)
    return {
        "strategy": name,
        "portfolio_value": value,
        "free_cagr": free,
        "cagr": growth,
        "sharpe": measure("sharpe", net, bill),
        "cost": SESSIONS_PER_YEAR * float(charged.mean()),
        "impact": SESSIONS_PER_YEAR * float((charged - own.linear).mean()),
        "cost_share": (free - growth) / free if free > 0.0 else np.nan,
        "excess_cagr": growth - measure("cagr", _net(market, value)) if market is not None else np.nan,
        "participation_50": half,
        "participation_95": most,
        "participation_max": top,
        "is_extrapolated": bool(most > parameters.large_order),
    }


def _net(own: Bill, value: float) -> Floats:
    """Returns at that value; unknown throughout where a session costs everything."""
    charged = own.charged(value)
    return np.full_like(charged, np.nan) if charged.max() >= 1.0 else (1.0 + own.free) * (1.0 - charged) - 1.0


def _quantiles(shares: pd.DataFrame | None, value: float) -> tuple[float, float, float]:
    """Order over a session's traded value that half, and 95 %, of the value traded stays below; and the largest."""
    if shares is None:
        return np.nan, np.nan, np.nan
    weight, share = shares["weight"].to_numpy(), shares["share"].to_numpy() * value
    upto = np.cumsum(weight) / weight.sum()
    half, most = (float(share[min(int(np.searchsorted(upto, q)), len(share) - 1)]) for q in (0.5, 0.95))
    return half, most, float(share[-1])


def _break_even_row(name: str, own: Bill, other: str, benchmark: Floats) -> tuple[object, ...]:
    costs = own.linear + own.impact
    multiple = break_even_multiple(own.free, costs, benchmark)
    against = measure("cagr", benchmark)
    traded = float(own.traded.sum())
    charged = float(costs.sum()) / traded if traded > 0.0 else np.nan
    free, net = (measure("cagr", x) - against for x in (own.free, own.returns))
    return name, other, free, net, multiple, charged, multiple * charged
