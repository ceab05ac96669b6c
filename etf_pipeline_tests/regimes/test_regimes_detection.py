"""The walk through the sessions: warm-up, hysteresis, dwell, and labels that never change."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline import calendars
from etf_pipeline.errors import DataError
from etf_pipeline.regimes import RegimeParameters, detect
from etf_pipeline.regimes.detection import trailing_means
from etf_pipeline.regimes.rule import may_stay
from etf_pipeline.schemas import TABLES

SESSIONS = calendars.sessions("XNYS", "2015-01-02", "2017-12-29")
SHORT = RegimeParameters(window=2)
PROMPT = RegimeParameters(window=2, vix_margin=1.0, band_margin=0.005, min_dwell=5, confirmation=1)


def market(index: np.ndarray, ticker: str = "SPY") -> pd.DataFrame:
    return pd.DataFrame({"session": SESSIONS[: len(index)], "ticker": ticker, "index_close": np.asarray(index, dtype=float)})


def macro(vix: np.ndarray, series: str = "VIX") -> pd.DataFrame:
    days = SESSIONS[: len(vix)]
    return pd.DataFrame({"session": days, "series": series, "value": np.asarray(vix, dtype=float), "period": days})


def states(vix: list[float], trend: float = 1.1, parameters: RegimeParameters = SHORT) -> pd.DataFrame:
    """States for a market that grows by the factor `trend` a session: with window 2 its distance is constant."""
    return detect(market(trend ** np.arange(len(vix))), macro(np.array(vix)), parameters)


def wandering(n: int = 700, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    index = np.exp(np.cumsum(0.012 * rng.standard_normal(n)))
    vix = 19 * np.exp(np.cumsum(0.06 * rng.standard_normal(n)) * 0.3)
    return market(index), macro(vix)


def test_the_table_meets_its_contract():
    table = detect(*wandering())
    TABLES["regimes"].check(TABLES["regimes"].to_arrow(table))


def test_the_warm_up_is_unknown_unless_vix_alone_makes_a_bear_market():
    table = detect(*[frame.head(300) for frame in wandering()])
    assert table["distance_200"].notna().tolist() == [False] * 199 + [True] * 101
    calm = table.head(199).query("vix <= 25")
    assert set(calm["candidate"]) == {"unknown"}
    assert calm["reason"].iloc[0] == "unknown: the mean of the index"


def test_the_distance_is_from_the_mean_of_the_last_200_index_values_today_included():
    prices, vix = wandering()
    table = detect(prices, vix)
    index = prices["index_close"]
    np.testing.assert_allclose(table["distance_200"], index / index.rolling(200).mean() - 1, rtol=0, atol=1e-12)


def test_hysteresis_holds_a_bull_market_inside_the_margin_and_says_so():
    table = states([15, 15, 15, 15, 15, 15, 15, 16.5, 16.5, 17.0, 16.5], parameters=PROMPT)
    assert table["regime"].tolist() == ["unknown", *["bull"] * 8, *["sideways"] * 2]
    held = table.iloc[7]
    assert held["candidate"] == "sideways"
    assert held["reason"] == "bull held: within the margin; the rule: sideways, neither: VIX 16.5, index +4.8 % from its mean"
    assert table["days_in_state"].tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2]


def test_a_young_state_waits_for_its_dwell_but_never_delays_a_bear_market():
    table = states([15, 15, 20, 20, 20, 20, 20, 20], parameters=PROMPT)
    assert table["regime"].tolist() == ["unknown", *["bull"] * 5, *["sideways"] * 2]
    assert table["reason"].iloc[2].startswith("bull held: 1 of 5 sessions; the rule: sideways")
    crash = states([15, 15, 15, 30, 20, 20, 20, 20, 20, 20], parameters=PROMPT)
    assert crash["regime"].tolist() == ["unknown", "bull", "bull", *["bear"] * 5, *["sideways"] * 2]
    assert crash["reason"].iloc[3] == "VIX 30.0 > 25"


def test_a_new_state_is_confirmed_by_sessions_in_a_row_and_one_of_another_starts_the_count_anew():
    slow = replace(PROMPT, confirmation=3)
    table = states([15, 15, 15, 15, 15, 15, 20, 20, 15, 20, 20, 20, 20], parameters=slow)
    assert table["regime"].tolist() == ["unknown", *["bull"] * 10, *["sideways"] * 2]
    assert table["reason"].iloc[7].startswith("bull held: sideways for 2 of 3 sessions; the rule: sideways")
    crash = states([15, 15, 15, 15, 15, 15, 15, 26, 15], parameters=slow)
    assert crash["regime"].tolist() == ["unknown", *["bull"] * 6, "bear", "bear"]


def test_no_session_of_a_bear_candidate_is_anything_but_bear():
    table = detect(*wandering(seed=1))
    assert (table["candidate"] == "bear").sum() > 50
    assert (table.loc[table["candidate"] == "bear", "regime"] == "bear").all()


def test_an_unknown_vix_makes_the_state_unknown_at_once_and_for_no_longer():
    table = states([15, 15, 15, np.nan, 20, 20])
    assert table["regime"].tolist() == ["unknown", "bull", "bull", "unknown", "sideways", "sideways"]
    assert table["reason"].iloc[3] == "unknown: VIX"


def test_a_stale_vix_is_unknown():
    vix = macro(np.full(12, 15.0)).assign(period=SESSIONS[0])
    table = detect(market(1.1 ** np.arange(12)), vix, SHORT)
    age = (table["session"] - SESSIONS[0]).dt.days
    assert (table["vix"].isna() == (age > 7)).all()
    assert table["regime"].iloc[-1] == "unknown"


def test_parameters_choose_the_market_and_the_series():
    prices = pd.concat([market(1.1 ** np.arange(9)), market(0.9 ** np.arange(9), "VAS.AX")])
    indices = pd.concat([macro(np.full(9, 15.0)), macro(np.full(9, 40.0), "AVIX")])
    assert detect(prices, indices, SHORT)["regime"].iloc[-1] == "bull"
    assert detect(prices, indices, replace(SHORT, market="VAS.AX"))["regime"].iloc[-1] == "bear"
    assert detect(prices, indices, replace(SHORT, vix_series="AVIX"))["regime"].iloc[-1] == "bear"


def test_a_missing_market_or_series_is_named():
    prices, vix = wandering(20)
    with pytest.raises(DataError, match="'QQQ'"):
        detect(prices, vix, RegimeParameters(market="QQQ"))
    with pytest.raises(DataError, match="'MOVE'"):
        detect(prices, vix, RegimeParameters(vix_series="MOVE"))


@pytest.mark.parametrize("seed", range(3))
def test_every_change_of_state_is_allowed(seed):
    table = detect(*wandering(seed=seed))
    assert table["regime"].nunique() >= 3
    for before, after in pairwise(table.itertuples()):
        if after.regime == before.regime:
            assert after.days_in_state == before.days_in_state + 1
            continue
        assert after.days_in_state == 1
        assert after.regime == after.candidate
        assert not may_stay(before.regime, after.vix, after.distance_200, RegimeParameters())
        free = after.regime == "bear" or "unknown" in (before.regime, after.regime)
        assert free or (
            before.days_in_state >= 10 and set(table["candidate"][after.Index - 4 : after.Index + 1]) == {after.regime}
        )


def test_hysteresis_and_dwell_reduce_the_flicker():
    table = detect(*wandering(seed=1))
    changes = {c: int((table[c] != table[c].shift()).sum()) for c in ("regime", "candidate")}
    assert changes["regime"] < 0.7 * changes["candidate"]


@given(cut=st.integers(1, 699), seed=st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_carrying_on_from_stored_rows_equals_walking_from_the_beginning_to_the_bit(cut, seed):
    prices, vix = wandering(seed=seed)
    whole = detect(prices, vix)
    more = detect(prices.iloc[cut:], vix.iloc[cut:], before=whole.head(cut))
    pd.testing.assert_frame_equal(more, whole.iloc[cut:].reset_index(drop=True), check_exact=True)


def test_a_session_without_a_bar_of_the_market_adds_nothing():
    prices, vix = wandering()
    stored = detect(prices, vix)
    assert detect(prices.head(0), vix.head(0), before=stored).empty


@given(cut=st.integers(150, 699), seed=st.integers(0, 5), poison=st.sampled_from([1e9, 1e-9, np.nan, np.inf]))
@settings(max_examples=30, deadline=None)
def test_appending_or_poisoning_the_future_changes_no_label(cut, seed, poison):
    prices, vix = wandering(seed=seed)
    whole = detect(prices, vix).head(cut)
    pd.testing.assert_frame_equal(whole, detect(prices.head(cut), vix.head(cut)), rtol=1e-12)
    later = np.arange(len(prices)) >= cut
    bad_prices = prices.assign(index_close=prices["index_close"].mask(later, poison))
    bad_vix = vix.assign(value=vix["value"].mask(later, poison))
    pd.testing.assert_frame_equal(whole, detect(bad_prices, bad_vix).head(cut), rtol=1e-12)


def test_an_absurd_value_is_forgotten_once_it_leaves_the_window():
    values = np.ones(50)
    values[20] = 1e300
    assert trailing_means(values, 10)[30:].tolist() == [1.0] * 20
    assert trailing_means(values[:5], 10) == pytest.approx([np.nan] * 5, nan_ok=True)


@pytest.mark.reference
def test_2008_and_the_spring_of_2020_were_bear_markets_and_2017_a_bull_market(reference_data: Path):
    bars = pd.read_parquet(reference_data / "etf_daily.parquet", columns=["ticker", "date", "adjclose"])
    spy = bars[bars["ticker"] == "SPY"].rename(columns={"date": "session", "adjclose": "index_close"})
    vix = pd.read_csv(reference_data / "vix_daily.csv", parse_dates=["DATE"])
    known = pd.DataFrame({"session": vix["DATE"], "series": "VIX", "value": vix["CLOSE"], "period": vix["DATE"]})
    regime = detect(spy, known).set_index("session")["regime"]
    assert (regime["2008-09":"2009-03"] == "bear").all()
    assert (regime["2020-03":"2020-05"] == "bear").all()
    assert (regime["2017"] == "bull").all()
    spells = (regime != regime.shift()).cumsum().value_counts()
    assert len(spells) <= 115
    assert spells.median() >= 20
    share = regime[regime != "unknown"].value_counts(normalize=True)
    assert 0.3 < share["bull"] < 0.6
    assert 0.25 < share["bear"] < 0.4
