"""Survivorship: what is gained, on paper, by leaving out the funds that did not last.

Each rule is backtested twice through the same fold: once on all funds that could be chosen at each date, held through their
mergers and liquidations, and once on those of them that are still listed at the end of the data, which nobody could have known.
The difference is the bias of a study on today's funds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.backtest.endings import ended_funds, fates_table
from etf_pipeline.backtest.engine import Backtester, Books
from etf_pipeline.backtest.parameters import SurvivorshipParameters
from etf_pipeline.backtest.plans import Decisions
from etf_pipeline.measures import (
    MEASURES,
    common_block_length,
    measure,
    percentile_interval,
    resample,
    stationary_indices,
)
from etf_pipeline.panel import Floats

STUDIED = ("cagr", "sharpe", "max_drawdown")
"""Measures whose gap is estimated."""

MINIMUM = 30
"""Sessions below which no interval is given."""

UNLISTED = ("not_listed", "other_exchange", "geared", "ended")
"""Reasons of `universe_membership` that keep a fund out of every study."""

EQUAL, MOMENTUM = "equal_weight", "momentum"
EVERY = "all"
POOLS = ("full", "survivors")

Row = dict[str, object]


@dataclass(frozen=True)
class Pair:
    """One rule on one set of funds: what is decided with all of them and with the survivors, on the same sessions.

    Attributes
    ----------
    screens, rule, asset_class : str
        Its key in `survivorship`.
    pool : DataFrame
        Columns `session`, `ticker`, `ended`: who could be chosen.
    decisions : dict of str to Decisions
        By entry of `POOLS`.
    """

    screens: str
    rule: str
    asset_class: str
    pool: pd.DataFrame
    decisions: dict[str, Decisions]

    def name(self, pool: str) -> str:
        """What the ledger of a pool is called."""
        return f"{self.screens}/{self.rule}/{self.asset_class}/{pool}"


def survivorship(
    membership: pd.DataFrame,
    features: pd.DataFrame,
    prices: pd.DataFrame,
    actions: pd.DataFrame,
    liquidity: pd.DataFrame,
    macro: pd.DataFrame,
    reference: pd.DataFrame,
    parameters: SurvivorshipParameters | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How much better the survivors did than everybody, and how each fund ended that did not last.

    Parameters
    ----------
    membership : DataFrame
        `universe_membership`.
    features : DataFrame
        `features`, of which `momentum_12_1` is read.
    prices, actions, liquidity, macro : DataFrame
        `fct_prices`, `fct_actions`, `liquidity` and `fct_macro`, as in `run_backtest`.
    reference : DataFrame
        `dim_etf`, of which the asset class is read.
    parameters : SurvivorshipParameters, optional

    Returns
    -------
    survivorship, survivorship_endings : DataFrame
        Without rows where no rule ever had enough funds.

    Notes
    -----
    Decided at the close of each month's last session, filled at the next open, after costs, forced exits included. Gaps are
    survivors less full; both are resampled by the same sessions, so that what they share cancels [1]_. A gap is a
    property of the funds that ended: with fewer than `enough_endings` of them its interval, which resamples sessions and
    not funds, is too narrow, and the verdict says so instead. Of twenty true zeros one is called a bias by chance.

    The gap is small where everything is held in equal parts, and larger where a rule picks extremes: a rule that bought the
    winners of funds that later failed is spared its mistakes [2]_.

    References
    ----------
    .. [1] O. Ledoit and M. Wolf, "Robust performance hypothesis testing with the Sharpe ratio," J. Empirical Finance 15, 2008.
    .. [2] S. J. Brown, W. Goetzmann, R. G. Ibbotson, S. A. Ross, "Survivorship bias in performance studies," Review of
       Financial Studies 5(4), 1992. doi:10.1093/rfs/5.4.553
    """
    p = parameters or SurvivorshipParameters()
    home = prices.loc[prices["exchange"] == p.exchange]
    last, ended = ended_funds(home, actions, p)
    pairs = list(_pairs(membership, features, reference, ended, p))
    if not pairs:
        return _empty()
    decisions = {pair.name(pool): pair.decisions[pool] for pair in pairs for pool in POOLS}
    books = Backtester(p.backtest).keep(decisions, home, actions, liquidity, macro, bases=("net",))
    rows = [row for pair in pairs for row in _gaps(pair, books, p)]
    key = ["screens", "rule", "asset_class", "measure"]
    endings = fates_table([pair for pair in pairs if pair.asset_class == EVERY], books, last, reference)
    return pd.DataFrame(rows).sort_values(key, ignore_index=True), endings


def _pairs(
    membership: pd.DataFrame, features: pd.DataFrame, reference: pd.DataFrame, ended: set[str], p: SurvivorshipParameters
) -> Iterator[Pair]:
    """Every study that has enough survivors in at least one month, and a whole market beside the classes that lost a fund."""
    for screens in p.screens:
        pool = _pool(membership, screens, ended, p)
        pool = pool.merge(features[["session", "ticker", "momentum_12_1"]], on=["session", "ticker"], how="left")
        pool = pool.merge(reference[["ticker", "asset_class"]], on="ticker", how="left")
        found = [(EQUAL, EVERY, pool), (MOMENTUM, EVERY, pool.dropna(subset="momentum_12_1"))]
        found += [(EQUAL, str(name), rows) for name, rows in pool.groupby("asset_class") if p.by_class]
        for rule, asset_class, rows in found:
            alive = rows.loc[~rows["ended"]].groupby("session")["ticker"].count()
            kept = rows.loc[rows["session"].isin(alive.index[alive >= p.min_funds])]
            if len(kept) and (asset_class == EVERY or kept["ended"].any()):
                chosen = {"full": kept, "survivors": kept.loc[~kept["ended"]]}
                yield Pair(screens, rule, asset_class, kept, {name: _decide(r, rule, p) for name, r in chosen.items()})


def _pool(membership: pd.DataFrame, screens: str, ended: set[str], p: SurvivorshipParameters) -> pd.DataFrame:
    """Who could be chosen at each month's last session."""
    if screens == "strict":
        able = membership["member"].astype(bool)
    else:
        able = ~membership["reason"].isin(UNLISTED) & (membership["history_sessions"] >= p.min_history)
    rows = membership.loc[able, ["session", "ticker"]]
    rows = rows.loc[rows["session"] >= pd.Timestamp(p.start or "1900-01-01")]
    ends = calendars.month_ends(pd.DatetimeIndex(np.sort(rows["session"].unique())), p.exchange)
    rows = rows.loc[rows["session"].isin(ends)]
    return rows.assign(ended=rows["ticker"].isin(ended)).sort_values(["session", "ticker"], ignore_index=True)


def _decide(rows: pd.DataFrame, rule: str, p: SurvivorshipParameters) -> Decisions:
    """Equal weights of everybody, or of those with the highest momentum."""
    if rule == MOMENTUM:
        order = rows.sort_values(["session", "momentum_12_1", "ticker"], ascending=[True, False, True], kind="stable")
        rows = order.groupby("session").head(p.top)
    weight = 1.0 / rows.groupby("session")["ticker"].transform("count")
    frame = rows[["session", "ticker"]].assign(weight=weight)
    return Decisions(pd.DatetimeIndex(np.sort(frame["session"].unique())), frame)


def _gaps(pair: Pair, books: Books, p: SurvivorshipParameters) -> list[Row]:
    """Rows of one pair, one per measure."""
    rows = books.plans[pair.name("full")].rows
    first = int(rows[0]) if len(rows) else len(books.axes.sessions)
    sessions = books.axes.sessions[first:]
    if len(sessions) < 2:
        return []
    full, survivors = (_returns(books, pair.name(pool))[first:] for pool in POOLS)
    bill = np.ascontiguousarray(books.market.rates[first:])
    low, high = _intervals(full, survivors, bill, p)
    funds = pair.pool.drop_duplicates("ticker")["ended"]
    facts: Row = {
        "screens": pair.screens,
        "rule": pair.rule,
        "asset_class": pair.asset_class,
        "n_funds": len(funds),
        "n_survivors": int((~funds).sum()),
        "n_ended": int(funds.sum()),
        "start": sessions[0],
        "end": sessions[-1],
    }
    out: list[Row] = []
    for k, name in enumerate(STUDIED):
        values = [measure(name, x, bill) for x in (full, survivors)]
        figures = {"full": values[0], "survivors": values[1], "gap": values[1] - values[0]}
        verdict = _verdict(int(funds.sum()), float(low[k]), float(high[k]), p)
        ends = {"ci_low": float(low[k]), "ci_high": float(high[k]), "unit": MEASURES[name].unit, "verdict": verdict}
        out.append({**facts, "measure": name, **figures, **ends})
    return out


def _returns(books: Books, name: str) -> Floats:
    nav = books.folds[name, "net"].days[:, 0]
    return np.concatenate([[0.0], nav[1:] / nav[:-1] - 1.0])


def _intervals(full: Floats, survivors: Floats, bill: Floats, p: SurvivorshipParameters) -> tuple[Floats, Floats]:
    """Ends of the interval of each gap, from resamples of the paired sessions."""
    if len(full) < MINIMUM or p.resamples == 0:
        unknown = np.full(len(STUDIED), np.nan)
        return unknown, unknown
    if np.array_equal(full, survivors):  # nobody ended: whatever is drawn, the gap is zero
        return np.zeros(len(STUDIED)), np.zeros(len(STUDIED))
    block = p.block or common_block_length([full - bill, survivors - full])
    indices = stationary_indices(len(full), block, p.resamples, p.seed)
    functions, none = [MEASURES[name].function for name in STUDIED], np.full_like(bill, np.nan)
    drawn = [resample(functions, x, bill, none, indices) for x in (survivors, full)]
    return percentile_interval(drawn[0] - drawn[1], p.confidence)


def _verdict(n_ended: int, low: float, high: float, p: SurvivorshipParameters) -> str:
    if n_ended < p.enough_endings:
        return "too_few_endings"
    if np.isnan(low):
        return "too_short"
    return "biased" if low > 0.0 or high < 0.0 else "no_difference"


def _empty() -> tuple[pd.DataFrame, pd.DataFrame]:
    from etf_pipeline.schemas import TABLES, from_arrow

    made = [from_arrow(TABLES[name].arrow_schema.empty_table()) for name in ("survivorship", "survivorship_endings")]
    return made[0], made[1]
