"""Membership: a fund's bar passes the screens in the order of `REASONS`, and the first that fails is the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.errors import DataError
from etf_pipeline.panel import Floats
from etf_pipeline.schemas.universe import REASONS
from etf_pipeline.universe.bars import NEVER, Bars, Flags, Ints, days_of, instants_of
from etf_pipeline.universe.parameters import ScreenParameters

Columns = dict[str, npt.NDArray[Any]]


def membership(
    prices: pd.DataFrame,
    aum: pd.DataFrame,
    reference: pd.DataFrame,
    lifecycle: pd.DataFrame,
    macro: pd.DataFrame,
    parameters: ScreenParameters | None = None,
    before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Member or not, with the first screen that failed, for each bar.

    Parameters
    ----------
    prices : DataFrame
        `fct_prices`.
    aum : DataFrame
        `stg_aum`; may be empty.
    reference : DataFrame
        `dim_etf`, of which inception and gearing are read: facts that do not change over a fund's life.
    lifecycle : DataFrame
        `lifecycle`: what was known of each fund's end, and since when.
    macro : DataFrame
        `fct_macro`, of which exchange rates are read.
    before : DataFrame, optional
        Rows of `universe_membership` that were made before: a fund whose first bar here is among them has the history told there.

    Returns
    -------
    DataFrame
        `universe_membership`, one row per row of `prices`, sorted by ticker and session.

    Raises
    ------
    DataError
        If a (ticker, session) has two bars, or a bar lies on a day without a session.

    Notes
    -----
    `not_listed` is a bar before the fund's inception (a reused ticker's earlier owner) or of a fund without a reference row;
    `ending` is a fund whose end was announced by the close, `ended` one that trades past its last session. Where volume is in
    later shares, screens by shares and by price would look ahead: they give way to traded value, and the mean volume is unknown.
    """
    parameters = parameters or ScreenParameters()
    bars = Bars.of(prices).refuse_repeats()
    facts = _facts(bars, aum, reference, lifecycle, macro, parameters)
    facts["history"] = facts["history"] + _earlier_bars(bars, before)
    failed = _screens(bars, facts, parameters)
    reason = np.zeros(len(bars.code), dtype=np.int64)
    for k in range(len(REASONS) - 1, 0, -1):
        reason[failed[REASONS[k]]] = k
    return pd.DataFrame(
        {
            "session": bars.frame["session"].to_numpy(),
            "ticker": bars.frame["ticker"].to_numpy(),
            "member": reason == 0,
            "reason": np.array(REASONS, dtype=object)[reason],
            "aum_unknown": np.isnan(facts["aum_value"]),
            "shares_look_ahead": facts["ahead"],
            "history_sessions": facts["history"],
            "mean_volume": np.where(facts["ahead"], np.nan, facts["mean_volume"]),
            "mean_traded_value": facts["mean_value"],
            "aum_value": facts["aum_value"],
        },
        copy=False,
    )


def _facts(
    bars: Bars,
    aum: pd.DataFrame,
    reference: pd.DataFrame,
    lifecycle: pd.DataFrame,
    macro: pd.DataFrame,
    parameters: ScreenParameters,
) -> Columns:
    from etf_pipeline.universe.kernels import trailing

    number, close_at = bars.calendar()
    adjusted = (bars.frame["adjustment"] != "raw").to_numpy()
    volume, value = bars.column("volume"), bars.column("traded_value")
    figures = trailing(bars.code, number, volume, value, adjusted, parameters.window, parameters.stale_sessions)
    ended, ending = known_ends(bars, close_at, lifecycle, parameters)
    names = ("history", "mean_volume", "mean_value", "presence", "idle", "ahead")
    return {
        **dict(zip(names, figures, strict=True)),
        **_static(bars, reference),
        "adjusted": adjusted,
        "aum_value": _known_aum(bars, close_at, aum, parameters.max_aum_age),
        "rate": _known_rates(bars, close_at, macro, parameters),
        "ended": ended,
        "ending": ending,
    }


def _earlier_bars(bars: Bars, before: pd.DataFrame | None) -> Ints:
    """Bars of each bar's fund before the first that is given here."""
    if before is None or before.empty:
        return np.zeros(len(bars.code), dtype=np.int64)
    first = bars.frame.iloc[bars.starts[:-1]][["ticker", "session"]]
    told = before.set_index(["ticker", "session"])["history_sessions"].reindex(pd.MultiIndex.from_frame(first))
    return (told - 1).fillna(0).to_numpy().astype(np.int64)[bars.code]


def _screens(bars: Bars, facts: Columns, parameters: ScreenParameters) -> dict[str, Flags]:
    """Which rows fail each screen. ``~(x >= limit)`` fails an unknown x too."""
    own_shares, aum_known = ~facts["ahead"], ~np.isnan(facts["aum_value"])
    value, price = facts["mean_value"] * facts["rate"], bars.column("close") * facts["rate"]
    main = bars.venues.get_indexer(pd.Index([parameters.exchange]))[0]
    return {
        "not_listed": facts["unlisted"],
        "other_exchange": bars.venue != main,
        "geared": facts["geared"] & (not parameters.allow_geared),
        "ended": facts["ended"],
        "ending": facts["ending"],
        "not_seasoned": facts["history"] < parameters.min_history,
        "illiquid_shares": own_shares & ~(facts["mean_volume"] >= parameters.min_volume),
        "illiquid_value": ~(own_shares & aum_known) & ~(value >= parameters.min_traded_value),
        "small_aum": aum_known & ~(facts["aum_value"] >= parameters.min_aum),
        "stale": facts["idle"] | (facts["presence"] < parameters.min_presence),
        "low_price": ~facts["adjusted"] & ~(price >= parameters.min_price),
    }


def known_ends(bars: Bars, close_at: Ints, lifecycle: pd.DataFrame, parameters: ScreenParameters) -> tuple[Flags, Flags]:
    """Whether a bar lies past the last session, and whether an end not too far ahead was announced, as known at its close.

    Parameters
    ----------
    close_at : ndarray of shape (n,)
        Close of each bar's session. [UTC nanoseconds]

    Returns
    -------
    ended, ending : ndarray of shape (n,)
    """
    ended, ending = np.zeros(len(bars.code), dtype=bool), np.zeros(len(bars.code), dtype=bool)
    rows = lifecycle.sort_values(["ticker", "known_from"], kind="stable")
    code = bars.tickers.get_indexer(pd.Index(rows["ticker"]))
    known = instants_of(rows["known_from"])
    until = np.append(np.where(code[1:] == code[:-1], known[1:], NEVER), NEVER)
    last = np.where(rows["last_session"].isna(), NEVER, days_of(rows["last_session"]))
    announced = rows["announced_at"].notna().to_numpy() & rows["fate"].isin(list(parameters.ending_fates)).to_numpy()
    planned = rows["last_session"].fillna(rows["pay_date"])
    near = np.where(planned.isna(), -NEVER, days_of(planned) - parameters.ending_notice)
    starts = bars.starts
    for k in np.flatnonzero((rows["fate"] != "listed").to_numpy() & (code >= 0)):
        first, stop = starts[code[k]], starts[code[k] + 1]
        a, b = first + np.searchsorted(close_at[first:stop], [known[k], until[k]])
        ended[a:b] = bars.day[a:b] > last[k]
        ending[a:b] = announced[k] & (bars.day[a:b] >= near[k])
    return ended, ending


def _static(bars: Bars, reference: pd.DataFrame) -> Columns:
    """What the reference says of each bar's fund."""
    facts = reference.drop_duplicates("ticker").set_index("ticker").reindex(bars.tickers)
    known = bars.tickers.isin(reference["ticker"])
    inception = np.where(facts["inception"].isna(), np.iinfo(np.int64).min, days_of(facts["inception"]))
    unlisted = ~known[bars.code] | (bars.day < inception[bars.code])
    return {"unlisted": unlisted, "geared": facts["is_geared"].eq(True).to_numpy()[bars.code]}


def _known_aum(bars: Bars, close_at: Ints, aum: pd.DataFrame, max_age: int) -> Floats:
    """AUM of the newest date that was published by the bar's close, unless it is too old."""
    from etf_pipeline.universe.kernels import published

    code = bars.tickers.get_indexer(pd.Index(aum["ticker"])).astype(np.int64)
    at, day = instants_of(aum["available_at"]), days_of(aum["as_of"])
    order = np.lexsort((day, at, code))
    order = order[code[order] >= 0]
    value = aum["aum_value"].to_numpy(dtype=np.float64)
    found = published(bars.code, close_at, bars.day, code[order], at[order], day[order], value[order], max_age)
    return np.asarray(found, dtype=np.float64)


def _known_rates(bars: Bars, close_at: Ints, macro: pd.DataFrame, parameters: ScreenParameters) -> Floats:
    """Units of the thresholds' currency per unit of each bar's, as known at its close; unknown without a rate."""
    currency, own = bars.frame["currency"].to_numpy(dtype=object), parameters.threshold_currency
    rates = np.where(currency == own, 1.0, np.nan)
    for name in parameters.fx_series:
        listing, colon, series = name.partition(":")
        if not (listing and colon and series):
            raise DataError(f"fx_series needs names like AUD:AUDUSD; found '{name}'.")
        rows = np.flatnonzero(currency == listing)
        told = macro.loc[macro["series"] == series, ["released_at", "value"]].drop_duplicates()
        if listing == own or not len(rows) or told.empty:
            continue
        told = told.sort_values("released_at", kind="stable")
        at = np.searchsorted(instants_of(told["released_at"]), close_at[rows], side="right") - 1
        value = told["value"].to_numpy(dtype=np.float64)
        rates[rows] = np.where(at >= 0, value[np.maximum(at, 0)], np.nan)
    return rates
