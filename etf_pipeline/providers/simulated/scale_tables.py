"""Raw tables of the large market, cut from the hidden history of some of its funds at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as arrow

from etf_pipeline.calendars import closes, month_ends, opens, sessions
from etf_pipeline.panel import Floats
from etf_pipeline.providers.simulated.actions import AFTER, SOURCE
from etf_pipeline.schemas import TABLES

EXCHANGE = "XNYS"
CLASSES = ("equity", "bond", "commodity", "real_estate")
"""Asset classes, by number of the fund."""
KINDS, ENDED = ("split", "dividend", "liquidation"), 2
NOTICE, PAY = (15, 5, 25), 5
"""Sessions from announcement to ex-date, by kind, and from there to the payment."""

Positions = npt.NDArray[np.intp]
Names = npt.NDArray[np.object_]


class Block(NamedTuple):
    """Some funds' hidden history, wide (n_funds, n_sessions); NaN nowhere."""

    numbers: Positions
    first: Positions
    last: Positions
    split: Floats
    dividend: Floats
    aum: Floats
    bars: dict[str, Floats]


def _prices(block: Block, names: Names, days: pd.DatetimeIndex, cut: int) -> arrow.Table:
    listed = _listed(block, cut)
    funds, rows = np.nonzero(listed)
    columns: dict[str, Any] = {
        "session": _dates(days)[rows],
        "ticker": _text(funds, names[block.numbers]),
        **{name: values[listed] for name, values in block.bars.items()},
        "currency": "USD",
        "exchange": EXCHANGE,
        "adjustment": "raw",
        "source": SOURCE,
        "source_row": rows * len(names) + block.numbers[funds],
    }
    return _table("raw_prices", columns, len(rows))


def _actions(block: Block, names: Names, days: pd.DatetimeIndex, cut: int) -> arrow.Table:
    found = list(_effects(block, cut))
    kind = np.concatenate([np.full(len(rows), k) for k, _, rows, _ in found])
    fund, at = (np.concatenate([f[i] for f in found]).astype(np.intp) for i in (1, 2))
    value = np.concatenate([f[3] for f in found])
    order = np.lexsort((np.array(KINDS)[kind], at, fund))
    kind, fund, at, value = kind[order], fund[order], at[order], value[order]
    dates = _dates(sessions(EXCHANGE, days[0], AFTER))
    settled = (closes(EXCHANGE, days) + pd.Timedelta(hours=1)).to_numpy()
    announced = settled[np.maximum(at - np.array(NOTICE)[kind], 0)]
    columns: dict[str, Any] = {
        "ticker": _text(fund, names[block.numbers]),
        "ex_date": dates[at],
        "kind": _text(kind, KINDS),
        "value": value,
        "pay_date": dates[at + np.where(kind == 0, 0, PAY)],
        "successor": None,
        "currency": "USD",
        "available_at": announced,
        "value_known_at": np.where(kind == ENDED, settled[at], announced),
        "source": SOURCE,
        "source_row": (at * len(names) + block.numbers[fund]) * len(KINDS) + kind,
    }
    return _table("raw_actions", columns, len(at))


def _effects(block: Block, cut: int) -> Iterable[tuple[int, Positions, Positions, Floats]]:
    """Kind, fund within the block, position and value of every action up to a position."""
    alive = _listed(block, cut)
    for kind, there, values in ((0, block.split != 1, block.split), (1, block.dividend > 0, block.dividend)):
        funds, rows = np.nonzero(there & alive)
        yield kind, funds, rows, np.round(values[funds, rows], 6)
    funds = np.flatnonzero((block.last < block.split.shape[1] - 1) & (block.last <= cut))
    yield ENDED, funds, block.last[funds], np.round(block.bars["close"][funds, block.last[funds]] * 0.998, 4)


def _aum(block: Block, names: Names, days: pd.DatetimeIndex, cut: int) -> arrow.Table:
    """The last session of every week, published at the next session's open."""
    following = sessions(EXCHANGE, days[0], AFTER)[1 : len(days) + 1]
    weekly = np.asarray(days.to_period("W") != following.to_period("W"))
    there = weekly & _listed(block, cut - 1)
    funds, rows = np.nonzero(there)
    columns: dict[str, Any] = {
        "ticker": _text(funds, names[block.numbers]),
        "as_of": _dates(days)[rows],
        "aum_value": np.round(block.aum[there], 0),
        "available_at": opens(EXCHANGE, following).to_numpy()[rows],
    }
    return _table("raw_aum", columns, len(rows))


def _reference(block: Block, names: Names, days: pd.DatetimeIndex, cut: int) -> arrow.Table:
    """Every fund that was listed by then, as of then."""
    known = np.flatnonzero(block.first <= cut)
    numbers = block.numbers[known]
    columns: dict[str, Any] = {
        "ticker": _text(numbers, names),
        "name": _text(known, tuple(f"Simulated Fund {name}" for name in names[block.numbers])),
        "asset_class": _text(numbers % len(CLASSES), CLASSES),
        "category": None,
        "family": "Simulated Funds",
        "currency": "USD",
        "exchange": EXCHANGE,
        "inception": _dates(days)[block.first[known]],
        "expense_ratio": np.round(0.001 + 0.0005 * (numbers % 13), 4),
        "leverage": np.ones(len(numbers)),
        "aum_value": np.where(block.last >= cut, np.round(block.aum[:, cut], 0), np.nan)[known],
        "snapshot_at": closes(EXCHANGE, days[[cut]])[0],
        "source": SOURCE,
    }
    return _table("raw_reference", columns, len(numbers))


PARTS: dict[str, Callable[[Block, Names, pd.DatetimeIndex, int], arrow.Table]] = {
    "raw_prices": _prices,
    "raw_actions": _actions,
    "raw_reference": _reference,
    "raw_aum": _aum,
}
"""What is made block by block."""


def session_table(days: pd.DatetimeIndex) -> arrow.Table:
    """Rows of `raw_sessions`: to the end of the last month."""
    whole = sessions(EXCHANGE, days[0], days[-1] + pd.offsets.MonthEnd(0))
    columns: dict[str, Any] = {
        "exchange": EXCHANGE,
        "session": _dates(whole),
        "opens_at": opens(EXCHANGE, whole).to_numpy(),
        "closes_at": closes(EXCHANGE, whole).to_numpy(),
        "is_month_end": whole.isin(month_ends(whole, EXCHANGE)),
        "is_main": np.ones(len(whole), dtype=bool),
    }
    return _table("raw_sessions", columns, len(whole))


def _table(name: str, columns: dict[str, Any], rows: int) -> arrow.Table:
    """A table of its contract's columns; a plain word is repeated."""
    schema = TABLES[name].arrow_schema
    arrays = []
    for field in schema:
        value = columns[field.name]
        if value is None or isinstance(value, str | pd.Timestamp):
            arrays.append(arrow.repeat(arrow.scalar(value, field.type), rows))
        elif isinstance(value, arrow.Array):
            arrays.append(value)
        else:
            arrays.append(arrow.array(value, type=field.type, from_pandas=True))
    return arrow.Table.from_arrays(arrays, schema=schema)


def _listed(block: Block, cut: int) -> npt.NDArray[np.bool_]:
    """Which bars there are up to a position."""
    place = np.arange(block.split.shape[1])
    return np.asarray((place >= block.first[:, None]) & (place <= np.minimum(block.last, cut)[:, None]))


def _dates(days: pd.DatetimeIndex) -> npt.NDArray[np.datetime64]:
    return np.asarray(days.to_numpy().astype("datetime64[D]"))


def _text(codes: Positions, words: Names | tuple[str, ...]) -> arrow.Array:
    """Words by their numbers, without making a Python object of each."""
    coded = arrow.DictionaryArray.from_arrays(arrow.array(codes.astype(np.int32)), arrow.array(list(words), arrow.string()))
    return coded.cast(arrow.string())
