"""The table of filtered probabilities: warm-up, yearly fits, no future, nights, and the truth of the simulated market."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etf_pipeline import calendars
from etf_pipeline.errors import DataError, SettingsError
from etf_pipeline.regimes import HiddenMarkovParameters, RegimeParameters, detect, filtered, fit, probabilities
from etf_pipeline.schemas import TABLES

SESSIONS = calendars.sessions("XNYS", "2012-01-03", "2016-12-30")
SHORT = HiddenMarkovParameters(min_sessions=250)
RARE = ["2013-12-30", "2013-12-31", "2014-01-02", "2014-06-30", "2015-12-31"]
"""Around and on year ends, and between."""


def market(seed: int = 0) -> pd.DataFrame:
    """Calm and agitated months in turn."""
    rng = np.random.default_rng(seed)
    agitated = np.repeat(rng.random(len(SESSIONS) // 40 + 1) < 0.3, 40)[: len(SESSIONS)]
    returns = rng.standard_normal(len(SESSIONS)) * np.where(agitated, 0.02, 0.006) + 0.0003
    return pd.DataFrame({"session": SESSIONS, "ticker": "SPY", "index_close": np.cumprod(1 + returns)})


@pytest.fixture(scope="module")
def made() -> tuple[pd.DataFrame, pd.DataFrame]:
    return probabilities(market(), SHORT)


def test_the_tables_meet_their_contracts(made):
    for name, frame in zip(("regime_probabilities", "regime_fits"), made, strict=True):
        TABLES[name].check(TABLES[name].to_arrow(frame))
    short, none = probabilities(market().head(200), SHORT)
    assert short["stressed"].isna().all()
    assert short["fit_session"].isna().all()
    TABLES["regime_probabilities"].check(TABLES["regime_probabilities"].to_arrow(short))
    TABLES["regime_fits"].check(TABLES["regime_fits"].to_arrow(none))


def test_nothing_is_said_before_the_first_fit_and_every_fit_serves_the_sessions_after_it(made):
    table, fits = made
    # 2012 has 250 sessions and so 249 returns: one too few at its end
    assert fits["fit_session"].dt.strftime("%Y-%m-%d").unique().tolist() == [
        "2013-12-31",
        "2014-12-31",
        "2015-12-31",
        "2016-12-30",
    ]
    known = table["stressed"].notna()
    assert table.loc[known, "session"].min() == pd.Timestamp("2014-01-02")
    assert (table.loc[known, "fit_session"] < table.loc[known, "session"]).all()
    assert (table.loc[known, "session"] - table.loc[known, "fit_session"]).dt.days.max() <= 366


def test_a_row_equals_filtering_with_the_parameters_of_its_fit(made):
    table, _ = made
    index = market()["index_close"].to_numpy()
    values = np.append(np.nan, 100 * (index[1:] / index[:-1] - 1))
    last = int(SESSIONS.get_indexer(pd.DatetimeIndex(["2014-12-31"]))[0])
    model = fit(values[: last + 1])
    found = filtered(values[: last + 100], model)[-1, 1]
    assert table["stressed"].iloc[last + 99] == pytest.approx(found, rel=1e-12)
    stays = model.transition[1, 1], model.transition[0, 1]
    one = found * stays[0] + (1 - found) * stays[1]
    share = model.shares[1]  # towards the long-run share by the chain's second eigenvalue each session
    ahead = share + (one - share) * (stays[0] - stays[1]) ** 20
    assert table["stressed_21"].iloc[last + 99] == pytest.approx(ahead, rel=1e-9)


@pytest.mark.parametrize("cut", RARE)
@pytest.mark.parametrize("poison", [None, 1e6, np.nan])
def test_later_prices_change_no_probability_and_no_fit(made, cut, poison):
    prices, day = market(), pd.Timestamp(cut)
    later = prices["session"] > day
    changed = prices[~later] if poison is None else prices.assign(index_close=prices["index_close"].mask(later, poison))
    for whole, again, when in zip(made, probabilities(changed, SHORT), ("session", "fit_session"), strict=True):
        left, right = (frame[frame[when] <= day].reset_index(drop=True) for frame in (whole, again))
        pd.testing.assert_frame_equal(left, right, check_exact=True)


@pytest.mark.parametrize("cut", RARE)
def test_carrying_on_from_stored_rows_equals_making_everything_to_the_bit(made, cut):
    prices, day = market(), pd.Timestamp(cut)
    stored = made[0][made[0]["session"] < day]
    for whole, more, when in zip(
        made, probabilities(prices[prices["session"] >= day], SHORT, stored), ("session", "fit_session"), strict=True
    ):
        expected = whole[whole[when] >= day].reset_index(drop=True)
        pd.testing.assert_frame_equal(expected, more, check_exact=True, check_dtype=False)


def test_an_unknown_price_leaves_the_probability_to_the_transition_and_is_not_spread(made):
    prices = market()
    gap = prices.assign(index_close=prices["index_close"].mask(prices["session"] == pd.Timestamp("2016-03-01")))
    table, _ = probabilities(gap, SHORT)
    assert table["market_return"].isna().sum() == 3  # the first, the gap, and the session after it
    assert table.loc[table["session"] > pd.Timestamp("2014-01-01"), "stressed"].notna().all()


def test_what_cannot_be_is_refused():
    with pytest.raises(DataError, match="'QQQ'"):
        probabilities(market(), replace(SHORT, market="QQQ"))
    with pytest.raises(SettingsError, match="2 to 4 states"):
        HiddenMarkovParameters(states=1)
    with pytest.raises(SettingsError, match="at least 100 for each"):
        HiddenMarkovParameters(states=4, min_sessions=300)


def test_prices_that_never_move_give_no_fit():
    flat = market().assign(index_close=1.0)
    table, fits = probabilities(flat, SHORT)
    assert table["stressed"].isna().all()
    assert fits.empty


@pytest.fixture(scope="module")
def simulated() -> tuple[pd.DataFrame, pd.Series]:
    """States of the simulated market's last 17 years by both methods, and whether it truly was a bear market or a crisis."""
    from etf_pipeline.providers.simulated import SimulatedMarket

    source = SimulatedMarket.for_profile("full")
    truth = source.truth()
    market_returns = truth.total_returns["XNYS"]["SPY"].fillna(0.0)
    prices = pd.DataFrame(
        {"session": market_returns.index, "ticker": "SPY", "index_close": np.cumprod(1 + market_returns.to_numpy())}
    )
    vix = source.fetch().macro.query("series == 'VIX'")
    known = pd.DataFrame({"session": vix["period"], "series": "VIX", "value": vix["value"], "period": vix["period"]})
    table = probabilities(prices)[0].merge(detect(prices, known, RegimeParameters())[["session", "regime"]], on="session")
    table = table[table["stressed"].notna()].set_index("session")
    return table, truth.regimes.reindex(table.index).isin(["bear", "crisis"])


def balanced(said: pd.Series, true: pd.Series) -> float:
    return 0.5 * (said[true].mean() + (~said[~true]).mean())


def test_both_methods_find_the_simulated_markets_bear_markets_and_crises(simulated):
    # the simulated market is no Markov chain: its states are dated, and a storm of its GARCH may rise in a calm one
    table, true = simulated
    assert balanced(table["stressed"] > 0.5, true) > 0.70
    assert balanced(table["regime"] == "bear", true) > 0.75
    assert table.loc[true, "stressed"].mean() > 2 * table.loc[~true, "stressed"].mean()


@pytest.mark.reference
def test_on_spy_the_state_is_stressed_in_2008_2020_and_2022_and_calm_in_2013_and_2017(reference_data: Path):
    bars = pd.read_parquet(reference_data / "etf_daily.parquet", columns=["ticker", "date", "adjclose"])
    spy = bars[bars["ticker"] == "SPY"].rename(columns={"date": "session", "adjclose": "index_close"})
    table, fits = probabilities(spy)
    stressed = table.set_index("session")["stressed"]
    assert stressed["2008-09":"2009-03"].mean() > 0.95
    assert stressed["2020-03"].mean() > 0.95
    assert stressed["2022"].mean() > 0.8
    assert stressed["2013"].mean() < 0.1
    assert stressed["2017"].mean() < 0.05
    newest = fits[fits["fit_session"] == fits["fit_session"].max()].set_index("state")
    assert 0.08 < newest.loc[1, "volatility"] < 0.13
    assert 0.25 < newest.loc[2, "volatility"] < 0.35
    assert newest["expected_duration"].min() > 21
