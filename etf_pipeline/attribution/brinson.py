"""Allocation, selection and interaction by asset class, with cash, trading and costs beside them.

.. [1] G. Brinson, N. Fachler, "Measuring non-US equity portfolio performance," Journal of Portfolio Management 11 (3), 1985.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from etf_pipeline import calendars
from etf_pipeline.attribution.holdings import Book
from etf_pipeline.attribution.linking import has_logarithm, linked
from etf_pipeline.attribution.parameters import AttributionParameters
from etf_pipeline.panel import Floats

HELD = 1e-10
"""Weights below this are rounding: what they earned over them would be any number."""

ALL = "all"
"""Line of the effects that have no asset class."""

COLUMNS = [
    "strategy", "benchmark", "month", "line", "effect", "value", "portfolio_return", "benchmark_return", "link", "available_at",
]  # fmt: skip


def brinson_fachler(
    weights: Floats, contributions: Floats, benchmark_weights: Floats, benchmark_contributions: Floats
) -> tuple[Floats, Floats, Floats]:
    """Effects of single periods by class.

    Parameters
    ----------
    weights, benchmark_weights : ndarray of shape (n_periods, n_classes)
        At the beginning of each period; each row sums to one. [fraction]
    contributions, benchmark_contributions : ndarray of the same shape
        Weight times return of each class. [fraction]

    Returns
    -------
    allocation, selection, interaction : ndarray of shape (n_periods, n_classes)
        They sum to the difference of the two portfolios' returns. [fraction]

    Notes
    -----
    ``(w - v)(b_c - b)``, ``v (r_c - b_c)`` and ``(w - v)(r_c - b_c)`` with the class returns ``r_c`` and ``b_c`` and the
    benchmark's return ``b`` [1]_. A class that one side does not hold (by more than `HELD`) has the other side's return: the
    whole effect of owning it is then allocation. A class without weight whose contribution is not zero (interest on cash spent
    within the session) goes to selection.

    Examples
    --------
    >>> w, v = np.array([[0.6, 0.4]]), np.array([[0.5, 0.5]])
    >>> a, s, i = brinson_fachler(w, w * [[0.10, 0.02]], v, v * [[0.08, 0.04]])
    >>> a.round(6).tolist(), s.round(6).tolist(), i.round(6).tolist()
    ([[0.002, 0.002]], [[0.01, -0.01]], [[0.002, 0.002]])
    """
    held, other = np.abs(weights) > HELD, np.abs(benchmark_weights) > HELD
    own = np.where(held, contributions, 0.0) / np.where(held, weights, 1.0)
    theirs = np.where(other, benchmark_contributions, 0.0) / np.where(other, benchmark_weights, 1.0)
    own, theirs = np.where(held, own, theirs), np.where(other, theirs, own)
    active = weights - benchmark_weights
    total = (benchmark_weights * theirs).sum(axis=1, keepdims=True)
    stray = np.where(held, 0.0, contributions - weights * own)
    stray -= np.where(other, 0.0, benchmark_contributions - benchmark_weights * theirs)
    selection = benchmark_weights * (own - theirs) + stray
    return active * (theirs - total), selection, active * (own - theirs)


def effects_by_month(books: dict[str, Book], parameters: AttributionParameters) -> pd.DataFrame:
    """Effects of every strategy against every benchmark, linked within each month.

    Parameters
    ----------
    books : dict of str to Book
        See `holdings.books`.
    parameters : AttributionParameters

    Returns
    -------
    DataFrame
        `attribution`. A month's effects sum to its active return to 1e-12; a class without effect in a month has no row there.
    """
    frames = [
        _against(name, book, other, books[other], parameters.exchange)
        for other in parameters.names()
        if other in books
        for name, book in books.items()
        if name != other
    ]
    kept = [frame for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=COLUMNS)


def _against(name: str, book: Book, other: str, benchmark: Book, exchange: str) -> pd.DataFrame:
    days, mine, theirs = common(book.sessions, benchmark.sessions)
    parts = brinson_fachler(
        book.weights[mine], book.contributions[mine], benchmark.weights[theirs], benchmark.contributions[theirs]
    )
    rest = [getattr(book, part)[mine] - getattr(benchmark, part)[theirs] for part in ("trading", "costs", "flows", "residual")]
    effects = np.column_stack([*parts, *rest])
    labels = pd.DataFrame(
        [(line, effect) for effect in ("allocation", "selection", "interaction") for line in book.classes]
        + [(ALL, effect) for effect in ("trading", "costs", "flows", "residual")],
        columns=["line", "effect"],
    )
    months = linked_by_month(days, effects, book.returns[mine], benchmark.returns[theirs], labels, exchange)
    always = (months["line"] == ALL) & (months["effect"] != "flows")
    shown = always | (months["value"] != 0.0)
    return months[shown].assign(strategy=name, benchmark=other)[COLUMNS]


def common(one: pd.DatetimeIndex, two: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, Floats, Floats]:
    """Sessions of both, and their positions in each."""
    days = one.intersection(two)
    return days, cast(Floats, one.get_indexer(days)), cast(Floats, two.get_indexer(days))


def linked_by_month(
    days: pd.DatetimeIndex, effects: Floats, portfolio: Floats, benchmark: Floats, labels: pd.DataFrame, exchange: str
) -> pd.DataFrame:
    """One row per month and label: the linked effect, both returns, the link, and when the month was over.

    A month in which one of the two lost everything has none.
    """
    months = days.to_numpy().astype("datetime64[M]")
    starts = np.flatnonzero(np.r_[True, months[1:] != months[:-1]]) if len(days) else np.empty(0, dtype=np.int64)
    spans = [slice(int(a), int(b)) for a, b in zip(starts, np.r_[starts[1:], len(days)], strict=True)]
    spans = [span for span in spans if has_logarithm(portfolio[span], benchmark[span])]
    if not spans:
        return labels.iloc[:0].assign(value=[])
    found = [linked(effects[span], portfolio[span], benchmark[span]) for span in spans]
    closes = month_closes(days, exchange)
    first = [pd.Timestamp(months[span.start]) for span in spans]
    by_month = pd.DataFrame(
        {
            "month": first,
            "portfolio_return": [np.prod(1.0 + portfolio[span]) - 1.0 for span in spans],
            "benchmark_return": [np.prod(1.0 + benchmark[span]) - 1.0 for span in spans],
            "link": [link for _, link in found],
            "available_at": [closes[month] for month in first],
        }
    )
    rows = by_month.loc[by_month.index.repeat(len(labels))].reset_index(drop=True)
    repeated = pd.concat([labels] * len(spans), ignore_index=True)
    return pd.concat([repeated, rows.assign(value=np.concatenate([values for values, _ in found]))], axis=1)


def month_closes(days: pd.DatetimeIndex, exchange: str) -> dict[pd.Timestamp, pd.Timestamp]:
    """Close of the last scheduled session of every month that `days` touch: known from the calendar, whatever the data hold."""
    if not len(days):
        return {}
    scheduled = calendars.sessions(exchange, days[0], days[-1] + pd.offsets.MonthEnd(0))
    last = pd.Series(scheduled, index=scheduled.to_numpy().astype("datetime64[M]")).groupby(level=0).max()
    closes = calendars.closes(exchange, pd.Series(last.to_numpy()))
    return dict(zip(pd.DatetimeIndex(last.index), closes, strict=True))
