"""Mandates: what their files may say, refusals by file and key, and portfolios that keep to them."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from portfolio_market import CLASSES, make_market

from etf_pipeline.conventions import CASH
from etf_pipeline.errors import SettingsError
from etf_pipeline.orchestration.portfolio_files import read_mandates
from etf_pipeline.portfolio import PortfolioParameters, build_portfolios, check_mandate, mandate_rows, portfolios_of
from etf_pipeline.portfolio.currency import exchange_rates
from etf_pipeline.portfolio.limit_settings import group_settings

CLASS_OF = [name.replace("credit", "bond") for name, count, _, _ in CLASSES for _ in range(count)]
SHORT = dataclasses.replace(
    make_market(years=0.5, seed=1),
    reference=pd.DataFrame(
        {
            "ticker": [f"T{i:02d}" for i in range(len(CLASS_OF))],
            "asset_class": CLASS_OF,
            "family": [("Ant", "Bee", "Cat")[i % 3] for i in range(len(CLASS_OF))],
            "category": None,
            "currency": "USD",
            "exchange": "XNYS",
        }
    ),
)
ALONE = PortfolioParameters(strategies=())
TOLD = {
    "strategy": "max_sharpe",
    "rule": False,
    "universe": {"asset_classes": ["equity", "bond"], "exclude": ["T02"]},
    "limits": {"upper": "20 %", "group_limits": ["asset_class:bond<=0.40"], "issuer_limit": 0.45, "var_limit": 0.05},
    "portfolio_value": 5_000_000,
}


def run(told: dict, name: str = "growth", parameters: PortfolioParameters = ALONE):
    return build_portfolios(*SHORT.tables(), parameters, mandate_rows({f"{name}.yaml": check_mandate(told, f"{name}.yaml")}))


def test_a_mandate_keeps_to_its_universe_and_limits():
    made = run(TOLD)
    funds = made.target_weights[(made.target_weights["ticker"] != CASH) & (made.target_weights["weight"] > 0)]
    facts = SHORT.reference.set_index("ticker").loc[funds["ticker"]]
    assert set(facts["asset_class"]) == {"equity", "bond"}
    assert "T02" not in set(funds["ticker"])
    assert set(made.target_weights["strategy"]) == {"growth"}
    weights = funds.set_index("session")["weight"]
    assert 0.15 < weights.max() <= 0.20 + 1e-9
    bonds = weights[(facts["asset_class"] == "bond").to_numpy()].groupby("session").sum()
    assert bonds.max() == pytest.approx(0.40, abs=1e-6)  # it would like more: the limit binds and is named
    assert made.optimizer_solutions["reason"].str.contains("group bond").any()
    for issuer in ("Ant", "Bee", "Cat"):
        assert weights[(facts["family"] == issuer).to_numpy()].groupby("session").sum().max() <= 0.45 + 1e-6


def test_a_limit_that_binds_has_a_price():
    made = run(TOLD).optimizer_solutions
    bound = made[made["reason"].str.contains("group bond")]
    assert bound["shadow_prices"].str.contains("group bond").all()


def test_a_group_floor_that_cannot_be_met_is_refused_by_name_and_the_chain_is_told():
    told = {"universe": {"asset_classes": ["equity", "bond"], "exclude": [f"T{i:02d}" for i in range(15, 26)]},
            "limits": {"group_limits": ["asset_class:bond>=0.30"]}}  # fmt: skip
    made = run(told)
    first = made.optimizer_attempts.query("step_number == 1")
    assert (first["outcome"] == "infeasible").all()
    assert first["reason"].str.contains("group bond >= 30 % needs 2 funds").all()


def test_tracking_error_to_a_benchmark_stays_within_its_limit():
    held = [f"T{i:02d}" for i in (2, 3, 4, 7, 8, 9, 10, 11)]  # equities; without the limit the portfolio is mostly bonds
    told = {
        "rule": False,
        "benchmark": dict.fromkeys(held, 0.125),
        "limits": {"tracking_error_limit": 0.05, "var_limit": 1.0, "n_candidates": 34},
    }
    made = run(told)
    newest = made.target_weights["session"].max()
    weights = made.target_weights[made.target_weights["session"] == newest].set_index("ticker")["weight"].drop(CASH)
    rows = SHORT.covariances[SHORT.covariances["session"] == newest]
    matrix = rows.pivot(index="ticker_1", columns="ticker_2", values="covariance")
    matrix = matrix.fillna(matrix.T)
    now = SHORT.volatilities[SHORT.volatilities["session"] == newest].set_index("ticker")["volatility"].reindex(matrix.index)
    scale = now / np.sqrt(np.diag(matrix))
    active = weights.reindex(matrix.index).fillna(0.0)
    active[held] -= 0.125
    scaled = active * scale
    status = made.optimizer_solutions.set_index("session")["status"]
    assert status[newest] == "optimal"
    assert np.sqrt(scaled @ matrix @ scaled) == pytest.approx(0.05, rel=1e-5)  # it would like to be further away


def test_mandates_run_beside_the_strategies_without_changing_them():
    parameters = PortfolioParameters(strategies=("min_variance", "equal_weight"))
    alone = build_portfolios(*SHORT.tables(), parameters)
    both = run(TOLD, parameters=parameters)
    for one, two in zip(alone, both, strict=True):
        kept = two[two["strategy"] != "growth"].reset_index(drop=True)
        pd.testing.assert_frame_equal(one, kept, check_exact=True)
    assert set(both.rebalance_decisions["strategy"]) == {"min_variance", "equal_weight", "growth"}


def test_a_larger_portfolio_pays_more_per_unit_traded():
    small, large = (run(TOLD | {"portfolio_value": value}).rebalance_decisions for value in (2e5, 4e6))
    assert large["cost"].sum() / large["turnover"].sum() > 1.05 * small["cost"].sum() / small["turnover"].sum()
    assert (set(small["portfolio_value"]), set(large["portfolio_value"])) == ({2e5}, {4e6})


def test_a_base_currency_is_converted_by_the_series_of_macro_or_refused_by_name():
    with pytest.raises(SettingsError, match="AUDUSD or USDAUD in fct_macro"):
        run(TOLD | {"base_currency": "AUD"})
    rates = SHORT.macro.assign(series="AUDUSD", value=0.5)
    rich = dataclasses.replace(SHORT, macro=pd.concat([SHORT.macro, rates], ignore_index=True))
    rows = mandate_rows({"a.yaml": check_mandate(TOLD | {"base_currency": "AUD"}, "a.yaml")})
    made = build_portfolios(*rich.tables(), ALONE, rows).rebalance_decisions
    assert set(made["fx_rate"]) == {0.5}
    assert set(made["portfolio_value"]) == {5_000_000.0}
    half = run(TOLD | {"portfolio_value": 2_500_000}).rebalance_decisions
    np.testing.assert_allclose(made["cost"], half["cost"], rtol=1e-12)  # A$5m are US$2.5m


def test_exchange_rates_are_those_known_by_the_session_and_turned_over_where_need_be():
    days = pd.bdate_range("2020-01-06", periods=3)
    macro = pd.DataFrame({"session": days, "series": "AUDUSD", "value": [0.5, 0.6, 0.8]})
    assert exchange_rates(macro, days[1:], "AUD", "USD").tolist() == [0.6, 0.8]
    assert exchange_rates(macro, days[2:], "USD", "AUD").tolist() == [1.25]
    with pytest.raises(SettingsError, match="starts 2020-01-06"):
        exchange_rates(macro, days[:1] - pd.Timedelta(days=3), "AUD", "USD")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"strategi": "hrp"}, "m.yaml, strategi: no such key"),
        ({"strategy": "magic"}, "m.yaml, strategy: one of"),
        ({"limits": {"uper": 0.1}}, "m.yaml, limits.uper: no such key"),
        ({"limits": {"upper": 15}}, "m.yaml, limits.upper: a fraction between 0 and 1; found 15. Write 15 % or 0.15"),
        ({"limits": {"upper": "much"}}, "m.yaml, limits.upper: a number"),
        ({"limits": {"lower": 0.2, "upper": 0.1}}, "m.yaml, limits: lower must not exceed upper"),
        ({"limits": {"tracking_error_limit": 0.1}}, "m.yaml, limits: .* need a benchmark"),
        ({"limits": {"n_buy": 2.5}}, "m.yaml, limits.n_buy: a whole number"),
        ({"universe": {"tickers": ["SPY"], "exclude": ["SPY"]}}, "m.yaml, universe: SPY stands under"),
        ({"universe": {"exchange": "NYSE"}}, "m.yaml, universe.exchange: a code such as XNYS"),
        ({"benchmark": {"SPY": 60}}, "m.yaml, benchmark.SPY: a fraction"),
        ({"base_currency": "dollars"}, "m.yaml, base_currency: a code such as USD"),
        ({"portfolio_value": "10 %"}, "m.yaml, portfolio_value: an amount"),
        ({"rule": "yes please"}, "m.yaml, rule: true or false"),
        ({"schedule": ["daily"]}, "m.yaml, limits: schedule needs"),
        ({"name": "max_sharpe"}, "m.yaml, name: .* no strategy's or"),
        ({"name": "balanced_60_40"}, "m.yaml, name: .* no strategy's or benchmark's name"),
        ({"name": "growth_no_rule\n"}, "m.yaml, name: small letters"),
        (
            {"universe": {"asset_classes": ["equity", "bonds"]}},
            "m.yaml, universe.asset_classes: some of equity, .* found 'bonds'",
        ),
        ({"name": "../../etc/passwd"}, "m.yaml, name: small letters"),
        ({"name": ["growth"]}, "m.yaml, name: small letters"),
        ({"strategy": ["hrp"]}, "m.yaml, strategy: one of"),
        ({"strategy": {"hrp": 1}}, "m.yaml, strategy: one of"),
        ({"limits": []}, "m.yaml, limits: names with values"),
        ({"universe": False}, "m.yaml, universe: asset_classes"),
        ({"universe": {"exchange": False}}, "m.yaml, universe.exchange: a code"),
        ({"universe": {"asset_classes": "bond"}}, "m.yaml, universe.asset_classes: a list"),
        ({"base_currency": False}, "m.yaml, base_currency: a code"),
        ({"benchmark": {False: 0.5}}, "m.yaml, benchmark: tickers in capitals, quoted if need be; found False"),
        ({"benchmark": {"spy": 0.5}}, "m.yaml, benchmark: tickers in capitals"),
        ({"limits": {"group_limits": ["asset_class:bond>=0.5", "asset_class:bond<=0.3"]}}, "contradict each other"),
    ],
)
def test_refusals_name_file_and_key(change, told):
    with pytest.raises(SettingsError, match=told):
        check_mandate(change, "m.yaml")


def test_files_are_read_with_their_names_and_equal_settings_have_equal_hashes(tmp_path):
    (tmp_path / "one.yaml").write_text("strategy: hrp\nlimits:\n  upper: 10 %\n", encoding="utf-8")
    (tmp_path / "two.yml").write_text("name: one_more\nlimits: {upper: 0.1}\nstrategy: hrp\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a mandate", encoding="utf-8")
    rows = read_mandates(tmp_path).set_index("mandate")
    assert list(rows.index) == ["one", "one_more"]
    first, second = (json.loads(text) for text in rows["settings"])
    assert first["limits"] == second["limits"] == {"upper": 0.1}
    assert rows["settings_hash"].str.len().eq(64).all()
    again = read_mandates(tmp_path)
    assert list(again["settings_hash"]) == list(rows["settings_hash"])
    assert [p.name for p in portfolios_of(ALONE, again)] == ["one", "one_more"]
    assert read_mandates(tmp_path / "absent").empty
    (tmp_path / "three.yaml").write_text("limits: [", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"three.yaml, line \d+: this is no YAML"):
        read_mandates(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "m.yaml needs keys such as name, strategy"),
        ("- hrp\n", "m.yaml needs keys .* found list"),
        ("strategy: hrp\nlimits: {upper: 0.1}\nlimits: {lower: 0.05}\n", r"m.yaml, line 3: .*limits stands twice"),
        ("limits: {upper: 0.1, upper: 0.2}\n", r"m.yaml, line 1: .*upper stands twice"),
        ("universe: &a {tickers: [SPY]}\nlimits: *a\n", r"m.yaml, line 2: .*a reference; write it out"),
        ("a: &a [x]\nb: &b [*a, *a]\n", "a reference"),
        ("[" * 50_000, "no YAML that can be used"),
        ("strategy: !!python/object/apply:os.getcwd []\n", "no YAML that can be used"),
        ("#" * 200_000, "200,000 bytes; at most 100,000 are read"),
    ],
)
def test_files_that_are_no_mandate_are_refused_by_name(tmp_path, text, told):
    (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=told):
        read_mandates(tmp_path)


def test_of_several_limits_on_one_group_the_tightest_count():
    texts = ("asset_class:bond<=0.3", "asset_class:bond<=0.5", "asset_class:bond>=0.2", "asset_class:bond>=0.1")
    for order in (texts, texts[::-1]):
        [setting] = group_settings(order)
        assert (setting.lower, setting.upper) == (0.2, 0.3)
