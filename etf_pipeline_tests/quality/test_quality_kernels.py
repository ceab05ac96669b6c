"""The kernels against slow and obvious second implementations."""

import math

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline.quality.kernels import ACCEPTED, MISSED_SPLIT, NOT_JUDGED, PRICE_JUMP, trailing_median, walk_closes
from etf_pipeline.quality.refusals import SPLIT_RATIOS


def slow_walk(code, close, usable, split, dividend, factor, tolerance):
    """Per ticker, by replaying every action since the reference close for every row."""
    verdicts = []
    for ticker in sorted(set(code)):
        held, refused, mine = None, None, {}
        for i in [k for k in range(len(code)) if code[k] == ticker]:
            if not usable[i]:
                verdicts.append(NOT_JUDGED)
                continue

            def growth(since, i=i):
                shares, cash = 1.0, 0.0
                for k in range(since + 1, i + 1):
                    shares *= split[k]
                    cash += shares * dividend[k]
                return (shares * close[i] + cash) / close[since]

            verdict = ACCEPTED
            if held is not None:
                move = abs(math.log(growth(held)))
                if refused is not None and move >= abs(math.log(growth(refused))):
                    verdict = mine[refused]
                elif any(abs(move - math.log(r)) <= tolerance for r in SPLIT_RATIOS):
                    verdict = MISSED_SPLIT
                elif move > math.log(factor):
                    verdict = PRICE_JUMP
            mine[i] = verdict
            held, refused = (i, None) if verdict == ACCEPTED else (held, i)
            verdicts.append(verdict)
    return verdicts


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_walk_equals_a_replay_of_every_action(data):
    n = data.draw(st.integers(1, 25))
    pick = lambda options: np.array(data.draw(st.lists(st.sampled_from(options), min_size=n, max_size=n)))  # noqa: E731
    close = pick([10.0, 10.3, 9.6, 5.1, 20.3, 39.0, 2.45, 1000.0])
    code = np.sort(pick([0, 1, 2])).astype(np.int64)
    usable, split, dividend = pick([True, True, True, False]), pick([1.0, 1.0, 1.0, 2.0, 0.25]), pick([0.0, 0.0, 0.5, 8.0])
    none = np.zeros(n, dtype=bool)
    verdict, *_ = walk_closes(code, close, usable, none, split, dividend, SPLIT_RATIOS, 3.0, 0.06)
    assert verdict.tolist() == slow_walk(code, close, usable, split, dividend, 3.0, 0.06)


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
