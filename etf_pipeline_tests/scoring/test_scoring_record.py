"""The record of scores: by hand, against validation's own figures, blind to the future, and the same bits night by night."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scoring_frames import DAYS, KEY, everyone, tables

from etf_pipeline.panel import wide
from etf_pipeline.schemas import TABLES
from etf_pipeline.scoring import RECORDED, RecordParameters, ScoreParameters, composite, scoring_record
from etf_pipeline.validation import rank_correlations

SHORT = RecordParameters(top=3, turnover_sessions=2)


def outcomes(given: dict[str, pd.DataFrame], seed: int = 5) -> dict[str, pd.DataFrame]:
    """Arguments of `scoring_record`: the last session's outcome is not known yet."""
    key = given["forecasts"][KEY]
    rng = np.random.default_rng(seed)
    realised = key.assign(
        realised_return=rng.normal(0, 0.05, len(key)),
        available_at=key["session"].dt.tz_localize("UTC") + pd.Timedelta(days=31),
    )
    funds = sorted(key["ticker"].unique())
    classes = ["equity", "bond", "commodity"]
    reference = pd.DataFrame({"ticker": funds, "asset_class": [classes[k % 3] for k in range(len(funds))]})
    return given | {"realised": realised[realised["session"] < DAYS[-1]], "reference": reference}


def test_the_record_keeps_its_contract_and_has_every_weighting_of_every_judged_session():
    out = scoring_record(**outcomes(tables()), parameters=SHORT)
    table = TABLES["scoring_record"]
    table.check(table.to_arrow(out))
    assert out.groupby("weighting")["session"].apply(list).map(lambda days: days == list(DAYS[:-1])).all()
    assert set(out["weighting"]) == set(RECORDED)


@pytest.mark.parametrize("name", ["regime", "blend", "fixed", "equal"])
def test_correlations_are_those_of_validation_on_the_scores_of_that_weighting(name):
    given = outcomes(tables(30))
    out = scoring_record(**given, parameters=SHORT).query("weighting == @name")
    plain = {k: v for k, v in given.items() if k not in ("realised", "reference", "macro")}
    scores = composite(**plain, parameters=ScoreParameters(weighting=name))
    days, funds = pd.DatetimeIndex(out["session"]), pd.Index(sorted(scores["ticker"].unique()))
    s, y = wide(scores, "score", days, funds), wide(given["realised"], "realised_return", days, funds)
    y = np.where(np.isnan(s), np.nan, y)
    np.testing.assert_allclose(out["ic"], rank_correlations(s, y), rtol=1e-12)
    classes = given["reference"].set_index("ticker")["asset_class"].reindex(funds).to_numpy()
    own = [pd.DataFrame(x).T.groupby(classes).transform(lambda c: c - c.mean()).T.to_numpy() for x in (s, y)]
    counts = pd.DataFrame(~np.isnan(y)).T.groupby(classes).transform("sum").T.to_numpy()
    own = [np.where(counts > 1, x, np.nan) for x in own]
    np.testing.assert_allclose(out["ic_within_class"], rank_correlations(*own), rtol=1e-12)


def test_only_the_last_record_lets_the_multipliers_act():
    given = outcomes(everyone())
    out = scoring_record(**given, parameters=SHORT).set_index(["weighting", "session"])["ic"]
    bare = scoring_record(**{k: v for k, v in given.items() if k != "macro"}, parameters=SHORT)
    bare = bare.set_index(["weighting", "session"])["ic"]
    pd.testing.assert_series_equal(out.drop("regime_and_macro"), bare.drop("regime_and_macro"), check_exact=True)
    assert (bare["regime_and_macro"] == bare["regime"]).all()
    assert (out["regime_and_macro"] != out["regime"]).any()


def test_what_rests_on_final_revisions_may_not_be_claimed():
    given = outcomes(everyone())
    given["macro"]["vintage"] = np.where(given["macro"]["session"] < DAYS[3], "first", "latest")
    out = scoring_record(**given, parameters=SHORT)
    told = out[out["weighting"] == "regime_and_macro"].set_index("session")["claimable"]
    assert told.tolist() == [day < DAYS[3] for day in told.index]
    assert out.loc[out["weighting"] != "regime_and_macro", "claimable"].all()


def ranked(order: list[list[int]]) -> dict[str, pd.DataFrame]:
    """Everything but the forecast equal; on day k fund F<order[k][0]> has the best forecast, and so on."""
    given = everyone(len(order[0]))
    for name, column in (("features", "momentum_12_1"), ("volatilities", "volatility"), ("liquidity", "daily_value")):
        given[name][column] = 0.1
    given["liquidity"]["reference_cost"] = 0.001
    place = {(f"F{fund:02d}", DAYS[k]): -rank for k, row in enumerate(order) for rank, fund in enumerate(row)}
    at = zip(given["forecasts"]["ticker"], given["forecasts"]["session"], strict=True)
    given["forecasts"]["expected_return"] = [float(place[key]) for key in at]
    return outcomes(given)


def test_turnover_and_excess_by_hand():
    order = [[0, 1, 2, 3, 4]] * 2 + [[3, 0, 4, 1, 2]] * 2 + [[0, 1, 2, 3, 4]] * 4
    given = ranked(order)
    given["realised"]["realised_return"] = given["realised"]["ticker"].str[1:].astype(float) / 100.0  # F03 returns 3 %
    out = scoring_record(**given, parameters=RecordParameters(top=2, turnover_sessions=2))
    one = out[out["weighting"] == "equal"].set_index("session")
    # best two: {0, 1} on the first two days, {3, 0} on the next two, {0, 1} from then on; the mean outcome is 2 %
    expected = [np.nan, np.nan, 0.5, 0.5, 0.5, 0.5, 0.0]
    np.testing.assert_allclose(one["turnover"], np.array(expected) * 252 / 2)
    np.testing.assert_allclose(one["top_excess"], [-0.02, -0.02, 0.01, 0.01, -0.02, -0.02, -0.02], atol=1e-15)
    np.testing.assert_allclose(one["ic"].iloc[[0, 2]], [-1.0, 0.1])  # squared rank distances 18: 1 - 6 * 18 / 120


def test_a_fund_that_leaves_turns_its_weight_over_and_the_rest_is_scaled():
    given = ranked([[0, 1, 2, 3, 4]] * 8)
    gone = (given["membership"]["session"] >= DAYS[4]) & (given["membership"]["ticker"] >= "F01")
    given["membership"].loc[gone, "member"] = False
    out = scoring_record(**given, parameters=RecordParameters(top=2, turnover_sessions=2))
    # {0, 1} by halves, then {0} alone: half of the money moves from F01 to F00
    turned = out[out["weighting"] == "equal"]["turnover"].to_numpy() / 126
    np.testing.assert_allclose(turned[2:], [0.0, 0.0, 0.5, 0.5, 0.0])


@pytest.mark.parametrize("cut", [3, 5])
def test_rows_known_at_a_cut_do_not_change_with_what_comes_after(cut):
    given, day = outcomes(tables(20)), DAYS[cut]
    whole = scoring_record(**given, parameters=SHORT).query("session <= @day").reset_index(drop=True)
    for future in ("cut", "poisoned"):
        later = {}
        for name, frame in given.items():
            if "session" not in frame:
                later[name] = frame
            elif future == "cut":
                later[name] = frame[frame["session"] <= day]
            else:
                numbers = frame.select_dtypes("float").columns
                later[name] = frame.assign(**{c: frame[c].where(frame["session"] <= day, 1e200) for c in numbers})
        again = scoring_record(**later, parameters=SHORT).query("session <= @day").reset_index(drop=True)
        assert_frame_equal(again, whole, check_exact=True)


def test_a_stretch_gives_the_bits_that_all_of_history_gives():
    given = outcomes(tables(40))
    whole = scoring_record(**given, parameters=SHORT).query("session >= @DAYS[4]").reset_index(drop=True)
    stretch = {name: frame[frame["session"] >= DAYS[2]] if "session" in frame else frame for name, frame in given.items()}
    again = scoring_record(**stretch, parameters=SHORT).query("session >= @DAYS[4]").reset_index(drop=True)
    assert_frame_equal(again, whole, check_exact=True)


def test_before_the_first_outcome_there_is_no_row():
    given = outcomes(tables())
    given["realised"]["realised_return"] = np.nan
    out = scoring_record(**given, parameters=SHORT)
    assert out.empty
    TABLES["scoring_record"].to_arrow(out)
