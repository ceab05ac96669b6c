"""Under which ticker a fund traded when: one permanent name, and the tickers that the exchange showed for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.calendars import closes, opens
from etf_pipeline.providers.simulated.funds import FundSpec
from etf_pipeline.providers.simulated.listings import first_last, last_position

HISTORY_COLUMNS = ("ticker", "valid_from", "valid_to", "fund", "available_at", "source")


class Spell(NamedTuple):
    """A ticker, and the positions of the first and the last session under it."""

    ticker: str
    first: int
    last: int


def tickers_of(fund: FundSpec) -> list[str]:
    """The tickers under which a fund ever trades."""
    return [fund.listed_as] if fund.rename is None else [fund.listed_as, fund.rename.ticker]


def spells(fund: FundSpec, days: pd.DatetimeIndex) -> list[Spell]:
    """A fund's tickers, one after the other."""
    first, last = first_last(fund, days)
    if fund.rename is None:
        return [Spell(fund.listed_as, first, last)]
    changed = last_position(fund.rename.last, days)
    return [Spell(fund.listed_as, first, changed), Spell(fund.rename.ticker, changed + 1, last)]


def ticker_in(fund: FundSpec, position: int, days: pd.DatetimeIndex) -> str:
    """The ticker under which a fund trades in a session."""
    return next(spell.ticker for spell in reversed(spells(fund, days)) if position >= spell.first)


def traded_tickers(funds: tuple[FundSpec, ...], days: pd.DatetimeIndex) -> npt.NDArray[np.object_]:
    """Ticker of every fund in every session, shape (m, n)."""
    names = np.empty((len(funds), len(days)), dtype=object)
    for j, fund in enumerate(funds):
        names[j] = fund.listed_as
        for spell in spells(fund, days)[1:]:
            names[j, spell.first :] = spell.ticker
    return names


def history_table(funds: tuple[FundSpec, ...], days: pd.DatetimeIndex) -> pd.DataFrame:
    """Rows of `raw_ticker_history`: every fund that changed its ticker, and every ticker that had two funds."""
    shared = {f.listed_as for f in funds if f.listed_as != f.ticker}
    told = [f for f in funds if f.rename is not None or f.listed_as in shared]
    rows = [row for fund in told for row in _history_rows(fund, days)]
    frame = pd.DataFrame(rows, columns=["ticker", "from", "to", "fund", "announced"])
    from_, to = frame["from"].to_numpy(dtype=np.intp), frame["to"].to_numpy(dtype=np.intp)
    code = funds[0].exchange
    listed = opens(code, days[from_])
    renamed = closes(code, days[np.maximum(frame["announced"].to_numpy(dtype=np.intp), 0)]) + pd.Timedelta(hours=1)
    frame["valid_from"] = days[from_]
    frame["valid_to"] = pd.Series(days[to]).where(to < len(days) - 1)
    frame["available_at"] = listed.where(frame["announced"] < 0, renamed)
    frame["source"] = "simulated"
    return frame[list(HISTORY_COLUMNS)]


def _history_rows(fund: FundSpec, days: pd.DatetimeIndex) -> Iterable[tuple[str, int, int, str, int]]:
    for spell in spells(fund, days):
        renamed = fund.rename is not None and spell.ticker == fund.rename.ticker
        announced = spell.first - 1 - fund.rename.notice if renamed and fund.rename is not None else -1
        yield spell.ticker, spell.first, spell.last, fund.ticker, announced
