"""Whole sessions: half-days, holidays, a feed cut before the close or without some funds; and crises, which are none of these."""

import numpy as np
import pandas as pd
from quality_market import SESSIONS, bars, look, reference

from etf_pipeline import calendars
from etf_pipeline.quality.bars import session_lengths

THANKSGIVING_FRIDAY = pd.Timestamp("2022-11-25")  # closes at 13:00 New York time
PRICES = ["open", "high", "low", "close"]


def told(found, rule: str) -> list[pd.Timestamp]:
    """Sessions with a finding of that rule."""
    return found.findings.loc[found.findings["rule"] == rule, "session"].tolist()


def test_a_half_day_is_a_session_and_lacking_it_is_a_gap_that_says_so():
    prices = bars(250)
    hole = (prices["ticker"] == "F00") & (prices["session"] == THANKSGIVING_FRIDAY)
    found = look(prices[~hole]).findings
    assert found["rule"].tolist() == ["missing_session"]
    assert found["found"].tolist() == ["2022-11-25 (half-day) missing"]
    assert found["session"].tolist() == [pd.Timestamp("2022-11-28")]


def test_a_hurricane_closes_the_exchange_and_opens_no_gap():
    days = calendars.sessions("XNYS", "2012-10-01", "2012-11-30")  # closed on 29 and 30 October
    prices = bars(len(days)).assign(session=np.tile(days.to_numpy(), 12))
    assert look(prices).findings.empty
    assert pd.Timestamp("2012-10-29") not in days


def test_half_days_are_the_short_ones_of_the_year():
    days = calendars.sessions("XNYS", "2022-01-03", "2022-12-30")
    lengths = session_lengths("XNYS", days)
    assert days[lengths < 1].tolist() == [THANKSGIVING_FRIDAY]
    assert lengths[lengths < 1][0] == 3.5 / 6.5


def test_a_feed_cut_before_the_close_is_thin_and_a_half_day_is_not():
    for share, day, thin in (
        (0.15, "2022-11-23", True),
        (0.15, "2022-11-25", False),  # half of 0.2 and a little more
        (0.05, "2022-11-25", True),
        (0.3, "2022-11-23", False),
    ):
        prices = bars(250)
        prices["volume"] = prices["volume"].clip(400_000, 500_000)
        prices.loc[prices["session"] == day, "volume"] *= share
        assert told(look(prices), "thin_session") == ([pd.Timestamp(day)] if thin else [])


def test_one_thin_fund_makes_no_thin_session():
    prices = bars(120)
    prices.loc[(prices["ticker"] == "F00") & (prices["session"] == SESSIONS[100]), "volume"] = 1.0
    assert told(look(prices), "thin_session") == []


def test_a_session_without_most_funds_is_told_there_and_one_without_any_at_the_next():
    prices = bars(100)
    few = ~((prices["session"] == SESSIONS[60]) & (prices["ticker"] > "F04"))
    none = prices["session"] != SESSIONS[80]
    found = look(prices[few & none]).findings
    rows = found[found["rule"] == "hollow_session"]
    assert rows["session"].tolist() == [SESSIONS[60], SESSIONS[81]]
    assert rows["found"].tolist() == ["5 bars on 2022-03-30, usually 12", f"0 bars on {SESSIONS[80]:%Y-%m-%d}, usually 12"]
    assert set(rows["ticker"]) == {"*"}
    cut = look(prices[few & none & (prices["session"] < SESSIONS[81])]).findings
    pd.testing.assert_frame_equal(found[found["session"] < SESSIONS[81]].reset_index(drop=True), cut)


def stormy(seed: int, storm: float) -> pd.DataFrame:
    """A calm market whose second half moves `storm` times as much."""
    prices = bars(240, tuple(f"F{i:02d}" for i in range(30)), seed=seed)
    wide = prices.pivot(index="session", columns="ticker", values="close")
    moves = np.log(wide).diff().fillna(0.0)
    moves.iloc[120:] *= storm
    path = (50 * np.exp(moves.cumsum())).stack().swaplevel().sort_index()
    factor = path.to_numpy() / prices["close"].to_numpy()
    prices[PRICES] = prices[PRICES].mul(factor, axis=0)
    return prices


def test_a_crisis_that_breaks_out_overnight_raises_few_alarms_and_hides_no_wrong_price():
    """Volatility times six from one day to the next: 3,600 bars in the storm. Alarms under 1 per 1,000 bars; prices
    2.2 times too high, thirteen of the storm's deviations, are found all the same in 9 of 10 cases."""
    funds = reference(tuple(f"F{i:02d}" for i in range(30)))
    alarms, hits, planted = 0, 0, 0
    for seed in range(5):
        prices = stormy(seed, 6.0)
        found = look(prices, funds=funds).findings
        alarms += (found["rule"] == "outlier_return").sum()
        rng = np.random.default_rng(seed)
        rows = [int(fund * 240 + rng.integers(150, 238)) for fund in rng.choice(30, 6, replace=False)]
        prices.loc[rows, PRICES] *= 2.2
        listed = look(prices, funds=funds).findings
        seen = set(listed.loc[listed["rule"].isin(["outlier_return", "missed_split", "price_jump"]), "source_row"])
        hits, planted = hits + len(seen & set(rows)), planted + len(rows)
    assert alarms < 5 * 3.6
    assert hits > 0.9 * planted


def test_a_dislocation_of_one_class_is_no_set_of_outliers():
    """Ten bond funds fall by 12 % in one session, twenty equity funds by nothing; alone one bond fund would be an outlier."""
    names = tuple(f"F{i:02d}" for i in range(30))
    funds = reference(names).assign(asset_class=["bond"] * 10 + ["equity"] * 20)
    prices = bars(120, names)
    for hit, expected in ((names[:10], 0), (names[:1], 1)):
        fallen = prices.copy()
        fallen.loc[fallen["ticker"].isin(hit) & (fallen["session"] >= SESSIONS[100]), PRICES] *= 0.88
        found = look(fallen, funds=funds).findings
        assert (found["rule"] == "outlier_return").sum() == expected
