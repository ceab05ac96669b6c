"""Nothing lost, and no verdict that later data change."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quality_market import SESSIONS, actions, bars, look, refused

from etf_pipeline import calendars
from etf_pipeline.quality import accepted_bars

FAULTS = (
    "nan",
    "zero",
    "negative",
    "swap",
    "hundred",
    "quarter",
    "half",
    "crash",
    "freeze",
    "repeat",
    "contradict",
    "weekend",
    "euro",
    "drop",
)


def spoil(prices: pd.DataFrame, kind: str, row: int) -> pd.DataFrame:
    """Plant one fault."""
    prices = prices.copy()
    at, rest = prices.index[row], prices.index[row:][prices["ticker"].iloc[row:] == prices["ticker"].iloc[row]]
    fields = ["open", "high", "low", "close"]
    if kind in ("nan", "zero", "negative"):
        prices.loc[at, "close"] = {"nan": np.nan, "zero": 0.0, "negative": -5.0}[kind]
    elif kind == "swap":
        prices.loc[at, ["high", "low"]] = prices.loc[at, ["low", "high"]].to_numpy()
    elif kind == "hundred":
        prices.loc[at, fields] *= 100
    elif kind in ("quarter", "half", "crash"):
        prices.loc[rest, fields] *= {"quarter": 0.25, "half": 0.5, "crash": 0.75}[kind]
    elif kind == "freeze":
        prices.loc[rest[:7], [*fields, "volume"]] = [40.0, 40.0, 40.0, 40.0, 0.0]
    elif kind in ("repeat", "contradict"):
        extra = prices.loc[[at]].assign(source_row=prices["source_row"].max() + 1)
        extra["volume"] += kind == "contradict"
        prices = pd.concat([prices, extra], ignore_index=True)
    elif kind == "weekend":
        prices.loc[at, "session"] = pd.Timestamp("2022-03-05")
    elif kind == "euro":
        prices.loc[at, "currency"] = "EUR"
    else:
        prices = prices.drop(index=rest[:8])
    return prices


faults = st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(0, 12 * 100 - 200)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(planted=faults)
def test_quarantine_and_accepted_bars_are_all_bars(planted):
    prices = bars(100)
    for kind, row in planted:
        prices = spoil(prices, kind, row)
    found = look(prices)
    kept = accepted_bars(prices, found.quarantine)
    assert len(kept) + len(found.quarantine) == len(prices)
    assert not found.quarantine.duplicated(["source", "source_row"]).any()
    assert set(kept["source_row"]) | set(found.quarantine["source_row"]) == set(prices["source_row"])
    assert not kept.duplicated(["ticker", "session"]).any()
    errors = found.findings[found.findings["severity"] == "error"]
    assert set(errors["source_row"]) == set(refused(found))


EVENTS = (
    ("F02", 30, "split", 4.0),
    ("F03", 50, "dividend", 12.0),
    ("F04", 70, "split", 2.0),
    ("F05", 95, "dividend", 30.0),
    ("F07", 35, "liquidation", 50.0),
)


@pytest.mark.parametrize("cut", [40, 61, 62, 90])
@pytest.mark.parametrize("poison", [False, True], ids=["truncated", "poisoned"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_verdict_changes_when_the_future_is_cut_off_or_poisoned(cut, poison, seed):
    rng = np.random.default_rng(seed)
    prices = bars(110, seed=seed)
    for kind in rng.permutation(FAULTS):
        prices = spoil(prices, kind, int(rng.integers(0, 12 * 110 - 200)))
    for fund in (8, 9, 10, 11):  # outliers with history, some before the cut
        prices = spoil(prices, "crash", int(np.flatnonzero(prices["ticker"] == f"F{fund:02d}")[61 + 8 * (fund - 8)]))
    events, day = actions(*EVENTS), SESSIONS[cut]
    # one action whose ex-date is past and whose announcement lies in the future
    late = actions(
        ("F06", cut - 5, "split", 4.0), announced=calendars.closes("XNYS", pd.DatetimeIndex([day]))[0] + pd.Timedelta(hours=1)
    )
    events = pd.concat([events, late.assign(source_row=len(events))], ignore_index=True)
    whole = look(prices, events)
    if poison:
        future = prices["session"] > day
        changed = prices.copy()
        changed.loc[future, ["open", "high", "low", "close", "volume"]] = rng.choice([1e9, -1.0, np.nan, 1e-9], (future.sum(), 5))
        changed.loc[future, "currency"] = "XXX"
        changed_events = events.assign(value=events["value"].where(events["ex_date"] <= day, 1e6))
    else:
        changed, changed_events = prices[prices["session"] <= day], events
    closed = calendars.closes("XNYS", pd.DatetimeIndex([day]))[0]
    if not poison:
        changed_events = events[events["available_at"] <= closed]
    part = look(changed, changed_events)

    def until(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["session"] <= day].reset_index(drop=True)

    assert len(whole.findings) > 5
    pd.testing.assert_frame_equal(until(whole.findings), until(part.findings))
    pd.testing.assert_frame_equal(until(whole.quarantine), until(part.quarantine))
