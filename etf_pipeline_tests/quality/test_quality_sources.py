"""Several sources of one fund: one speaks, the level of the series never changes with the speaker, differences are told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quality_market import SESSIONS, actions, line, listed, look

from etf_pipeline.quality import accepted_bars

WALK = (100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, 12)))).round(4)


def feed(source: str, rows: range, factor: float = 1.0, **columns: object) -> pd.DataFrame:
    """Bars of one source over some of the sessions."""
    made = line(list(WALK * factor), source=source, **columns).iloc[rows.start : rows.stop].reset_index(drop=True)
    return made.assign(source_row=np.arange(len(made)))


def speakers(prices: pd.DataFrame, events: pd.DataFrame | None = None, **parameters: object) -> str:
    """First letter of the source that speaks in each session; a dot where none does."""
    kept = accepted_bars(prices, look(prices, events, **parameters).quarantine)
    assert not kept.duplicated(["ticker", "session"]).any()
    by = dict(zip(kept["session"], kept["source"], strict=True))
    return "".join(by[day][0] if day in by else "." for day in SESSIONS[:12])


def both(*parts: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)


def test_the_source_with_the_longer_history_speaks_and_the_other_steps_back_without_blame():
    prices = both(feed("beta", range(12)), feed("alpha", range(4, 12)))
    found = look(prices)
    assert speakers(prices) == "b" * 12
    assert set(found.quarantine["rule"]) == {"second_source"}
    assert len(found.quarantine) == 8
    assert set(found.findings["severity"]) == {"info"}


def test_of_equal_histories_the_alphabet_decides_and_an_order_overrules_both():
    prices = both(feed("beta", range(12)), feed("alpha", range(12)))
    assert speakers(prices) == "a" * 12
    assert speakers(prices, source_order=("be",)) == "b" * 12
    later = both(feed("beta", range(12)), feed("alpha", range(4, 12)))
    assert speakers(later, source_order=("alpha",)) == "bbbb" + "a" * 8


def test_where_the_speaker_is_silent_or_spoilt_an_agreeing_source_fills_in_and_gives_way_again():
    prices = both(feed("alpha", range(12)), feed("beta", range(1, 12)))
    silent = prices.drop(index=[5])
    assert speakers(silent) == "aaaaabaaaaaa"
    spoilt = prices.copy()
    spoilt.loc[5, "close"] = np.nan
    assert speakers(spoilt) == "aaaaabaaaaaa"


def test_a_source_at_another_level_never_joins_the_series():
    prices = both(feed("alpha", range(6)), feed("beta", range(3, 12), factor=0.97))
    found = look(prices)
    assert speakers(prices) == "aaaaaa......"
    assert set(found.quarantine.loc[found.quarantine["session"] > SESSIONS[5], "rule"]) == {"source_break"}
    assert speakers(prices, source_order=("beta",)) == "aaaaaa......"  # not even where it is preferred


def test_files_that_follow_each_other_without_overlap_are_one_series():
    assert speakers(both(feed("2021", range(6)), feed("2022", range(6, 12)))) == "222222222222"
    assert look(both(feed("2021", range(6)), feed("2022", range(6, 12)))).findings.empty


def test_a_wrong_close_of_one_source_is_told_once_and_refused_by_setting():
    second = feed("beta", range(12))
    second.loc[7, ["open", "high", "low", "close"]] *= 1.03
    prices = both(feed("alpha", range(12)), second)
    assert listed(look(prices), "source_disagreement") == [7]
    assert speakers(prices, refuse=("source_disagreement",)) == "aaaaaaa.aaaa"


def test_a_lasting_shift_of_one_source_is_told_once():
    second = feed("beta", range(12))
    second.loc[7:, ["open", "high", "low", "close"]] *= 1.03
    assert listed(look(both(feed("alpha", range(12)), second)), "source_disagreement") == [7]


def test_sources_of_different_adjustment_agree_on_returns():
    raw = feed("alpha", range(12))
    raw.loc[6:, ["open", "high", "low", "close"]] /= 2  # split of two at row 6
    raw.loc[9:, ["open", "high", "low", "close"]] *= 0.95  # dividend of 5 % at row 9
    adjusted = feed("beta", range(12), factor=0.475, adjustment="split_dividend")
    adjusted.loc[adjusted.index[:], "volume"] += 1
    events = actions(("F00", 6, "split", 2.0), ("F00", 9, "dividend", float(WALK[9] / 2 * 0.05)))
    found = look(both(raw, adjusted), events)
    assert listed(found, "source_disagreement") == []
    assert speakers(both(raw, adjusted), events) == "a" * 12
    without = look(both(raw, adjusted))
    assert listed(without, "source_disagreement") == [6, 9]


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.sampled_from([(), ("c",), ("b", "c")]))
def test_one_bar_a_session_at_one_level_and_no_later_row_changes_it(seed, order):
    rng = np.random.default_rng(seed)
    parts = []
    for name in "abc":
        rows = np.sort(rng.choice(12, rng.integers(3, 13), replace=False))
        shift = np.where(np.arange(12) >= rng.integers(0, 14), rng.choice([1.0, 1.02]), 1.0) * rng.choice([1.0, 1.1])
        made = line(list(WALK * shift), source=name).iloc[rows].assign(source_row=np.arange(len(rows)))
        parts.append(made)
    prices = both(*parts)
    found = look(prices, source_order=order)
    kept = accepted_bars(prices, found.quarantine).sort_values("session")
    assert not kept.duplicated("session").any()
    cut = SESSIONS[int(rng.integers(2, 11))]
    part = look(prices[prices["session"] <= cut], source_order=order)
    for whole, some in ((found.findings, part.findings), (found.quarantine, part.quarantine)):
        pd.testing.assert_frame_equal(whole[whole["session"] <= cut].reset_index(drop=True), some.reset_index(drop=True))


@pytest.mark.parametrize("column", ["currency", "adjustment"])
def test_two_rows_of_one_source_still_refuse_each_other(column):
    prices = feed("alpha", range(12))
    again = prices.iloc[[3]].assign(source_row=12, **{column: {"currency": "USD", "adjustment": "split"}[column]})
    rules = look(both(prices, again)).quarantine["rule"].tolist()
    assert rules == ["duplicate_key"] * (1 if column == "currency" else 2)
