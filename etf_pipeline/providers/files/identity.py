"""Who traded under a ticker, and when: spells of funds to `raw_ticker_history`, with a permanent name for each fund.

A *spell* is a stretch of days in which one fund (an `entity`, whatever its source calls it) had one ticker. Spells come from
LEAN's map files or from renames whose successor's bars follow on. Bars of a ticker outside every spell are another company's:
each run of them between two spells is an entity of its own.

The permanent name is the fund's first ticker. Where that ticker went on to another fund, the last owner has it plain, and
the earlier ones are numbered from the oldest: ``USO.1``, then ``USO.2``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.providers.files.bars import open_instants

SPELL_COLUMNS = ["entity", "ticker", "valid_from", "valid_to", "available_at", "exchange", "source"]
HISTORY_COLUMNS = ["ticker", "valid_from", "valid_to", "fund", "available_at", "source"]
FOLLOWS_WITHIN = pd.Timedelta(days=15)
"""A successor that is the same fund has its first bar this soon after the old ticker's last session: a long weekend, a halt."""

ONE_DAY = pd.Timedelta(days=1)
FOREVER = pd.Timestamp("2200-01-01")


def no_spells() -> pd.DataFrame:
    """A frame of spells without rows."""
    return pd.DataFrame(
        {
            **dict.fromkeys(("entity", "ticker", "exchange", "source"), pd.Series(dtype=object)),
            **dict.fromkeys(("valid_from", "valid_to"), pd.Series(dtype="datetime64[ns]")),
            "available_at": pd.Series(dtype="datetime64[ns, UTC]"),
        }
    )[SPELL_COLUMNS]


def ticker_history(spells: pd.DataFrame, prices: pd.DataFrame) -> pd.DataFrame:
    """Rows of `raw_ticker_history`.

    Parameters
    ----------
    spells : DataFrame
        `SPELL_COLUMNS`; `valid_to` is unknown while a spell goes on, `available_at` where only its first session tells.
    prices : DataFrame
        Rows of `raw_prices`.

    Returns
    -------
    DataFrame
        The spells of every fund that has a bar, by ticker and day.

    Examples
    --------
    A ticker with bars from 2001 and a fund that got it in 2006:

    >>> spells = pd.DataFrame({"entity": "x", "ticker": "USO", "valid_from": pd.to_datetime(["2006-04-10"]),
    ...     "valid_to": pd.NaT, "available_at": pd.to_datetime([None], utc=True), "exchange": "XNYS", "source": "map"})
    >>> bars = pd.DataFrame({"ticker": "USO", "session": pd.to_datetime(["2001-02-01", "2006-04-10"]), "exchange": "XNYS",
    ...     "source": "bars"})
    >>> ticker_history(spells, bars)[["fund", "valid_from"]].astype(str).values.tolist()
    [['USO.1', '2001-02-01'], ['USO', '2006-04-10']]
    """
    if spells.empty:
        return no_spells().rename(columns={"entity": "fund"})[HISTORY_COLUMNS]
    bars = _spelled(prices)
    every = pd.concat([spells, _unowned(spells, bars)], ignore_index=True)
    every["fund"] = every["entity"].map(permanent_names(every))
    traded = every["entity"].isin(every.loc[every["ticker"].isin(set(bars["ticker"])), "entity"])
    every = every[traded].sort_values(["ticker", "valid_from"], kind="stable", ignore_index=True)
    seen = first_opens(every["exchange"], every["valid_from"])
    return every.assign(available_at=every["available_at"].fillna(seen))[HISTORY_COLUMNS]


def _spelled(prices: pd.DataFrame) -> pd.DataFrame:
    """Prices with tickers as staging writes them."""
    return prices.assign(ticker=prices["ticker"].str.strip().str.upper())


def _unowned(spells: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    """A spell for each run of bars between the spells of their ticker; the run that comes last goes on."""
    parts = [no_spells()]
    by_ticker = dict(list(bars[bars["ticker"].isin(set(spells["ticker"]))].groupby("ticker")))
    for ticker, own in spells.sort_values("valid_from", kind="stable").groupby("ticker"):
        if ticker in by_ticker:
            parts.append(_runs_outside(own, by_ticker[ticker]))
    return pd.concat([p for p in parts if len(p)] or parts, ignore_index=True)


def _runs_outside(own: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    """The same for one ticker, its spells in order of time."""
    days = pd.DatetimeIndex(bars["session"])
    spells_begun = pd.DatetimeIndex(own["valid_from"]).searchsorted(days, side="right")
    ends = np.maximum.accumulate(own["valid_to"].fillna(FOREVER).to_numpy(dtype="datetime64[ns]"))
    outside = (spells_begun == 0) | (days.to_numpy() > ends[np.maximum(spells_begun - 1, 0)])
    runs = bars[outside].assign(gap=spells_begun[outside]).groupby("gap", as_index=False)
    found = runs.agg(
        ticker=("ticker", "first"),
        valid_from=("session", "min"),
        valid_to=("session", "max"),
        exchange=("exchange", "first"),
        source=("source", "first"),
    )
    found["valid_to"] = found["valid_to"].mask(found["gap"] == len(own))
    found["entity"] = [f"{ticker}, gap {gap}" for ticker, gap in zip(found["ticker"], found["gap"], strict=True)]
    found["available_at"] = pd.Series(pd.NaT, index=found.index, dtype="datetime64[ns, UTC]")
    return pd.DataFrame(found[SPELL_COLUMNS])


def permanent_names(spells: pd.DataFrame) -> dict[str, str]:
    """First ticker of each entity, numbered where another entity owned that ticker last.

    Examples
    --------
    >>> days = pd.to_datetime(["2009-01-30", "2018-01-18", "2019-05-02"])
    >>> permanent_names(pd.DataFrame({"entity": ["old", "new", "new"], "ticker": ["VXX", "VXXB", "VXX"], "valid_from": days}))
    {'old': 'VXX.1', 'new': 'VXXB'}
    """
    ordered = spells.sort_values(["valid_from", "entity"], kind="stable")
    last_owner = ordered.drop_duplicates("ticker", keep="last").set_index("ticker")["entity"]
    first = ordered.drop_duplicates("entity")
    names: dict[str, str] = {}
    for ticker, group in first.groupby("ticker", sort=False):
        earlier = [e for e in group["entity"] if e != last_owner[ticker]]
        names |= {entity: f"{ticker}.{n}" for n, entity in enumerate(earlier, start=1)}
        if len(earlier) < len(group):
            names[last_owner[ticker]] = str(ticker)
    return names


def first_opens(exchange: pd.Series[Any], days: pd.Series[Any]) -> pd.Series[Any]:
    """UTC open of the first session from each day on; the day's midnight where no calendar reaches."""
    first = [_session_from(str(x), d) for x, d in zip(exchange, days, strict=True)]
    opened = open_instants(exchange.reset_index(drop=True), pd.Series(pd.DatetimeIndex(first).as_unit("ns")))
    return opened.set_axis(days.index).fillna(days.dt.tz_localize("UTC"))


def _session_from(exchange: str, day: pd.Timestamp) -> pd.Timestamp:
    ahead = calendars.sessions(exchange, day, day + FOLLOWS_WITHIN)
    return ahead[0] if len(ahead) else day


def spells_of_renames(actions: pd.DataFrame, prices: pd.DataFrame) -> pd.DataFrame:
    """Spells of funds that changed their ticker and went on trading.

    A rename joins two tickers where the successor has a bar soon after the old ticker's last session and none while the old
    one traded: where both traded side by side, the holding moves from one fund to another, and the rename stays an action.

    Parameters
    ----------
    actions, prices : DataFrame
        Rows of `raw_actions` and `raw_prices`.

    Returns
    -------
    DataFrame
        `SPELL_COLUMNS`.
    """
    renames = actions[(actions["kind"] == "rename") & actions["successor"].notna()].sort_values("ex_date", kind="stable")
    names = {c: renames[c].str.strip().str.upper() for c in ("ticker", "successor")}
    renames = renames.assign(**names)[["ticker", "successor", "ex_date", "available_at", "source"]]
    bars = _spelled(prices) if len(renames) else prices[:0]
    bars = bars[bars["ticker"].isin({*renames["ticker"], *renames["successor"]})]
    days = {str(t): pd.DatetimeIndex(d.sort_values()) for t, d in bars.groupby("ticker")["session"]}
    exchanges = dict(zip(bars["ticker"], bars["exchange"], strict=True))
    spells: list[dict[str, Any]] = []
    running: dict[str, dict[str, Any]] = {}  # the newest spell of each ticker
    for old, new, last, known, source in renames.itertuples(index=False, name=None):
        before = running.get(old) or _first_spell(old, days.get(old), last, source)
        if before is None or not _follows_on(days.get(new), before["valid_from"], last):
            continue
        if running.pop(old, None) is None:
            spells.append(before)
        before["exchange"], before["valid_to"] = exchanges[old], last
        running[new] = {**before, "ticker": new, "valid_from": last + ONE_DAY, "valid_to": pd.NaT, "available_at": known}
        spells.append(running[new])
    return _typed(spells)


def _typed(spells: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(spells, columns=SPELL_COLUMNS)
    return frame.astype(no_spells().dtypes.to_dict())


def _first_spell(ticker: str, days: pd.DatetimeIndex | None, last: pd.Timestamp, source: str) -> dict[str, Any] | None:
    """The spell of a fund before its first rename, from the ticker's first bar; none where it has no bar until then."""
    if days is None or days[0] > last:
        return None
    spell = {"entity": f"{ticker} from {days[0]:%Y-%m-%d}", "ticker": ticker, "valid_from": days[0]}
    return {**spell, "source": source, "available_at": pd.NaT}


def _follows_on(days: pd.DatetimeIndex | None, start: pd.Timestamp, last: pd.Timestamp) -> bool:
    """Whether a successor's bars begin soon after `last` and none lies between `start` and it."""
    if days is None:
        return False
    beside, after = days[(days >= start) & (days <= last)], days[days > last]
    return not len(beside) and len(after) > 0 and bool(after[0] <= last + FOLLOWS_WITHIN)
