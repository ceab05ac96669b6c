"""Replays and skill: planted skill is found, noise is not, and an event alone never decides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etf_pipeline import calendars
from etf_pipeline.macro import EVENTS, ReplayParameters, macro_record, macro_replays, macro_skill
from etf_pipeline.macro.replays import following
from etf_pipeline.schemas import TABLES

SESSIONS = calendars.sessions("XNYS", "2014-01-02", "2022-12-30")
TICKERS = [f"F{i:02d}" for i in range(12)]


def returns(seed: int = 0) -> pd.DataFrame:
    daily = np.random.default_rng(seed).normal(0, 0.01, (len(SESSIONS), len(TICKERS)))
    close = np.cumprod(1 + daily, axis=0)
    opened = np.vstack([np.ones(len(TICKERS)), close[:-1]])
    frames = [
        pd.DataFrame({"session": SESSIONS, "ticker": t, "index_close": close[:, j], "index_open": opened[:, j]})
        for j, t in enumerate(TICKERS)
    ]
    return pd.concat(frames, ignore_index=True)


def adjustments(table: pd.DataFrame, skill: float, seed: int = 1, vintage: str = "first") -> pd.DataFrame:
    """Multipliers that are the coming return to this share, and noise for the rest."""
    rng = np.random.default_rng(seed)
    ahead = following(table, 21).to_numpy()
    tilt = skill * np.nan_to_num(ahead) / 0.05 + (1 - skill) * rng.normal(size=len(table))
    out = table[["session", "ticker"]].assign(macro_multiplier=np.exp(0.1 * np.tanh(tilt)), geo_multiplier=1.0)
    return out.assign(macro_as_of=out["session"], geo_as_of=pd.NaT, vintage=vintage, reason="planted")


def verdict(skill: float, seed: int = 1, vintage: str = "first") -> pd.Series:
    table = returns(seed + 100)
    found = macro_skill(macro_record(adjustments(table, skill, seed, vintage), table))
    TABLES["macro_skill"].check(TABLES["macro_skill"].to_arrow(found))
    return found.set_index(["scope", "part"]).loc[("all", "macro")]


def test_planted_skill_is_found_and_so_is_its_opposite():
    assert verdict(0.6)["verdict"] == "skill"
    assert verdict(-0.6)["verdict"] == "wrong_way"


def test_noise_has_no_skill_more_often_than_chance_allows():
    # 5 % alarms in each of 12 worlds: four or more have a chance of 0.2 %
    alarms = sum(verdict(0.0, seed)["verdict"] != "no_skill" for seed in range(12))
    assert alarms <= 3


def test_final_revisions_support_no_claim_however_good_they_look():
    row = verdict(0.6, vintage="latest")
    assert row["verdict"] == "skill"
    assert not row["claim_allowed"]
    assert verdict(0.6)["claim_allowed"]


def test_an_event_alone_is_too_short_to_decide():
    table = returns()
    found = macro_skill(macro_record(adjustments(table, 0.9), table)).set_index(["scope", "part"])
    for event in EVENTS:
        row = found.loc[(event.name, "both")]
        assert row["verdict"] == "insufficient"
        assert row["n_effective"] == pytest.approx(row["n"] / 21)


def test_adjustments_that_are_the_same_for_all_rank_nothing():
    table = returns()
    found = macro_skill(macro_record(adjustments(table, 0.5), table)).set_index(["scope", "part"])
    assert found.loc[("all", "geopolitics"), "n"] == 0
    assert np.isnan(found.loc[("all", "geopolitics"), "mean_ic"])


def test_a_replay_tells_ranks_moves_and_what_followed():
    table = returns()
    rows = adjustments(table, 0.5)
    inside = rows["session"].between("2020-02-14", "2020-04-30")
    day = pd.Timestamp("2020-03-23")
    rows.loc[inside, "macro_multiplier"] = 1.0
    place = rows["ticker"].map({t: i for i, t in enumerate(TICKERS)})
    at_peak = rows["session"] == day
    rows.loc[at_peak, "macro_multiplier"] = 0.8 + 0.03 * place[at_peak]
    found = macro_replays(rows, table)
    TABLES["macro_replays"].check(TABLES["macro_replays"].to_arrow(found))
    covid = found[found["event"] == "covid_2020"].set_index("ticker")
    assert set(covid["peak"]) == {day}
    assert covid.loc["F11", "rank_peak"] == 1
    assert covid["rank_before"].eq(6.5).all()  # twelve ties
    assert covid.loc["F00", "move"] == pytest.approx(np.log(0.8))
    own = table[table["ticker"] == "F03"].reset_index(drop=True)
    at = int(own.index[own["session"] == day][0])
    expected = own.loc[at + 21, "index_close"] / own.loc[at + 1, "index_open"] - 1
    assert covid.loc["F03", "return_following"] == pytest.approx(expected)


def test_events_outside_the_data_have_no_rows():
    table = returns()
    rows = adjustments(table, 0.5)
    early = rows[rows["session"] < "2019-01-01"]
    assert macro_replays(early, table).empty
    assert macro_skill(macro_record(early, table), ReplayParameters()).set_index("scope").loc["covid_2020", "n"].eq(0).all()


def test_the_record_is_spearmans_correlation_with_the_return_from_the_next_open():
    table = returns()
    rows = adjustments(table, 0.5)
    found = macro_record(rows, table).set_index(["session", "part"])
    TABLES["macro_record"].check(TABLES["macro_record"].to_arrow(found.reset_index()))
    day = pd.Timestamp("2018-03-29")
    own = table.pivot(index="session", columns="ticker", values=["index_open", "index_close"])
    at = own.index.get_loc(day)
    gained = own["index_close"].iloc[at + 21] / own["index_open"].iloc[at + 1] - 1
    favoured = rows[rows["session"] == day].set_index("ticker")["macro_multiplier"]
    assert found.loc[(day, "macro"), "ic"] == pytest.approx(gained.corr(favoured, method="spearman"))
    assert found.loc[(day, "macro"), "settled"] == own.index[at + 31]


def test_a_row_of_the_record_appears_once_and_stays():
    table = returns()
    rows = adjustments(table, 0.5)
    whole = macro_record(rows, table)
    for day in ("2020-03-02", "2020-04-09", "2021-01-29"):
        known = macro_record(rows[rows["session"] <= day], table[table["session"] <= day])
        expected = whole[whole["settled"] <= day]
        assert len(expected) > 100
        pd.testing.assert_frame_equal(known.reset_index(drop=True), expected.reset_index(drop=True))


def test_what_a_fund_returned_after_the_record_was_settled_is_unknown():
    table = returns()
    rows, day = adjustments(table, 0.5), pd.Timestamp("2018-03-29")
    rests = (table["ticker"] == "F00") & table["session"].between("2018-04-02", "2018-06-29")
    found = macro_record(rows[~rests], table[~rests]).set_index(["session", "part"])
    assert found.loc[(day, "macro"), "funds"] == len(TICKERS) - 1
