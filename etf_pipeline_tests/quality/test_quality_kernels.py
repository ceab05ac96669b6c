"""The kernels against slow and obvious second implementations."""

import math

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.quality.kernels import group_quantile, trailing_median
from etf_pipeline.quality.moves import SPLIT_RATIOS
from etf_pipeline.quality.walk import ACCEPTED, MISSED_SPLIT, NOT_JUDGED, PRICE_JUMP, SPLIT_IN_DOUBT, walk_closes


def slow_walk(code, close, usable, split, dividend, *, jump, tolerance, patience):
    """Per ticker, by replaying every action that is still believed since the reference close, for every row."""
    verdicts = {}
    for ticker in sorted(set(code)):
        rows = [k for k in range(len(code)) if code[k] == ticker]
        dropped, held, refused, last, doubts, yields = set(), None, None, -1, 0, []

        def value(i, since, without=(), dropped=dropped):
            shares, cash, gone = 1.0, 0.0, dropped | set(without)
            for k in range(since + 1, i + 1):
                if (k, "s") not in gone:
                    shares *= split[k]
                if (k, "d") not in gone:
                    cash += shares * dividend[k]
            return (shares * close[i] + cash) / close[since]

        for i in rows:
            if not usable[i]:
                verdicts[i] = NOT_JUDGED
                continue
            waiting = [k for k in rows if last < k <= i]
            splits, paid = [(k, "s") for k in waiting], [(k, "d") for k in waiting]
            verdict = ACCEPTED
            if held is not None:
                ratio = math.prod(split[k] for k in waiting)
                doubtful = abs(math.log(ratio)) >= math.log(1.2)
                if doubtful and 2 * abs(math.log(value(i, held, splits))) < abs(math.log(value(i, held))):
                    if doubts < patience:
                        verdicts[i], doubts = SPLIT_IN_DOUBT, doubts + 1
                        continue
                    dropped |= set(splits)
                share = value(i, held) - value(i, held, paid)
                if share > 1e-15:
                    usual = 10 * float(np.median(yields[-12:])) if len(yields) >= 3 else 0.3
                    if share > max(0.15, usual) and 1 - value(i, held, paid) < share / 2:
                        dropped |= set(paid)
                    else:
                        yields.append(share)
                move = abs(math.log(value(i, held)))
                if refused is not None and move >= abs(math.log(value(i, refused))):
                    verdict = verdicts[refused]
                elif any(abs(move - math.log(r)) <= tolerance for r in SPLIT_RATIOS):
                    verdict = MISSED_SPLIT
                elif move > math.log(jump):
                    verdict = PRICE_JUMP
            verdicts[i], last, doubts = verdict, i, 0
            held, refused = (i, None) if verdict == ACCEPTED else (held, i)
    return [verdicts[i] for i in range(len(code))]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_walk_equals_a_replay_of_every_action(data):
    n = data.draw(st.integers(1, 25))
    pick = lambda options: np.array(data.draw(st.lists(st.sampled_from(options), min_size=n, max_size=n)))  # noqa: E731
    close = pick([10.0, 10.3, 9.6, 5.1, 20.3, 39.0, 2.45, 1000.0])
    code = np.sort(pick([0, 1, 2])).astype(np.int64)
    usable, split, dividend = pick([True, True, True, False]), pick([1.0, 1.0, 1.0, 2.0, 0.25]), pick([0.0, 0.0, 0.5, 8.0])
    none, raw = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.int8)
    limits, believe, patience = np.array([3.0, 0.06, 0.15, 10.0, 0.3]), np.zeros(4, dtype=bool), data.draw(st.integers(0, 2))
    at = np.flatnonzero((split != 1) | (dividend > 0))
    verdict, *_ = walk_closes(
        code, close, usable, none, raw, at, split[at], dividend[at], SPLIT_RATIOS, limits, patience, believe
    )
    assert verdict.tolist() == slow_walk(code, close, usable, split, dividend, jump=3.0, tolerance=0.06, patience=patience)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), window=st.integers(2, 12), share=st.floats(0, 0.6))
def test_the_trailing_median_equals_pandas_per_ticker(seed, window, share):
    rng = np.random.default_rng(seed)
    code = np.sort(rng.integers(0, 3, 60))
    values = np.round(rng.normal(size=60), 1)  # ties
    values[rng.random(60) < share] = np.nan
    ours = trailing_median(code, values, window, 2)
    for ticker in set(code):
        mine = pd.Series(values[code == ticker])
        known = mine.dropna()
        median = known.rolling(window, min_periods=2).median()
        expected = median.reindex(mine.index).ffill().shift(1).to_numpy()
        np.testing.assert_allclose(ours[code == ticker], expected, rtol=0, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.5, 0.75]), fewest=st.integers(1, 5))
def test_the_quantile_of_a_group_equals_pandas(seed, share, fewest):
    rng = np.random.default_rng(seed)
    group, values = rng.integers(0, 6, 50), rng.normal(size=50)
    values[rng.random(50) < 0.3] = np.nan
    ours = group_quantile(group, np.argsort(group, kind="stable"), values, share, fewest)
    by = pd.Series(values).groupby(group)
    expected = by.quantile(share).where(by.count() >= fewest).reindex(range(group.max() + 1))
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-14)
