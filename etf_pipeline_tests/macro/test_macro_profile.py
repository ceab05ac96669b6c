"""What a fund is: by words that sources use, and by returns whose class is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from etf_pipeline.macro import MonthParameters, ProfileParameters, fund_months, fund_profile
from etf_pipeline.macro.classes import SUB_CLASSES, class_by_words, duration_bucket, sub_class
from etf_pipeline.macro.geography import HOMES, MARKETS, PLACES, locate
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.macro import FUND_MARKETS

MONTHS = pd.DatetimeIndex(pd.bdate_range("2018-01-01", "2021-12-31")).to_series().groupby(lambda d: (d.year, d.month)).max()


def fund(ticker: str, asset_class: str = "unknown", **facts: object) -> dict[str, object]:
    blank = {"name": None, "category": None, "exchange": "XNYS", "is_geared": False}
    return {"ticker": ticker, "asset_class": asset_class} | blank | facts


def months(**returns: np.ndarray) -> pd.DataFrame:
    frames = [
        pd.DataFrame({"session": MONTHS.to_numpy()[-len(values) :], "ticker": name, "excess_return": values})
        for name, values in returns.items()
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize(
    ("category", "name", "asset_class", "expected"),
    [
        ("Large Blend", "SPDR S&P 500 ETF Trust", "equity", "domestic_large"),
        ("Small Value", "Vanguard Small-Cap Value", "equity", "domestic_small"),
        ("Health", "iShares Biotechnology ETF", "equity", "domestic_sector"),
        ("Foreign Large Blend", "iShares MSCI EAFE ETF", "equity", "developed_equity"),
        ("Focused Region", "iShares MSCI South Korea ETF", "equity", "emerging_equity"),
        ("Diversified Emerging Mkts", "Vanguard Emerging Markets", "equity", "emerging_equity"),
        ("Global Large-Stock Blend", "iShares MSCI ACWI ETF", "equity", "global_equity"),
        ("Infrastructure", "Global X U.S. Infrastructure Development ETF", "equity", "domestic_sector"),
        ("Equity Precious Metals", "VanEck Gold Miners ETF", "equity", "precious_metal_shares"),
        ("Miscellaneous Sector", "iShares Global Clean Energy ETF", "equity", "domestic_sector"),
        ("Equity Energy", "Energy Select Sector SPDR", "equity", "energy_shares"),
        ("High Yield Bond", "iShares iBoxx High Yield", "bond", "high_yield"),
        ("Emerging Markets Bond", "iShares J.P. Morgan USD Emerging Markets Bond ETF", "bond", "emerging_bond"),
        ("Inflation-Protected Bond", "iShares TIPS Bond ETF", "bond", "inflation_linked"),
        ("Short Government", "iShares 1-3 Year Treasury Bond ETF", "bond", "government"),
        ("Muni National Interm", "Vanguard Tax-Exempt Bond", "bond", "municipal"),
        ("Intermediate Core Bond", "iShares Core U.S. Aggregate Bond ETF", "bond", "investment_grade"),
        ("Commodities Focused", "SPDR Gold Shares", "commodity", "precious_metal"),
        ("Commodities Broad Basket", "Invesco DB Commodity Index", "commodity", "other_commodity"),
        ("Single Currency", "Simulated Yen Fund", "currency", "foreign_currency"),
        ("Trading-Miscellaneous", "Simulated US Dollar Fund", "currency", "home_currency"),
    ],
)
def test_sub_classes_by_the_words_of_categories_and_names(category, name, asset_class, expected):
    market = locate(category, name, "XNYS")[2]
    assert sub_class(asset_class, f"{category} {name}", market, False) == expected


def test_short_means_inverse_only_where_a_fund_is_geared():
    assert sub_class("equity", "Large Blend ProShares Short S&P500", "domestic", True) == "inverse"
    assert sub_class("bond", "Short-Term Bond Vanguard Short-Term Bond", "domestic", False) == "investment_grade"
    assert sub_class("bond", "Short-Term Bond Vanguard 2x Short-Term", "domestic", True) == "investment_grade"
    assert sub_class("equity", "Trading--Leveraged Equity ProShares Ultra QQQ", "domestic", True) != "inverse"


@pytest.mark.parametrize(
    ("category", "name", "exchange", "expected"),
    [
        ("India Equity", "iShares MSCI India ETF", "XNYS", ("IN", "INR", "emerging")),
        ("Japan Stock", "WisdomTree Japan Hedged Equity Fund", "XNYS", ("JP", "USD", "developed")),
        ("Equity Australia", "Australian Shares 200", "XASX", ("AU", "AUD", "domestic")),
        ("Equity North America", "iShares S&P 500", "XASX", ("US", "USD", "developed")),
        ("Emerging Markets Bond", "USD Emerging Markets Bond", "XNYS", ("many", "USD", "emerging")),
        ("", "", "XNYS", ("US", "USD", "unknown")),
        ("Large Blend", "Campus Industries", "XNYS", ("US", "USD", "domestic")),
    ],
)
def test_places_by_words_else_by_exchange(category, name, exchange, expected):
    assert locate(category, name, exchange) == expected


def test_every_place_has_codes_a_market_and_a_source():
    assert MARKETS == FUND_MARKETS
    for place in PLACES:
        assert place.market in MARKETS
        assert len(place.country) == 2 or place.country == "many"
        assert len(place.currency) == 3 or place.currency == "many"
        assert place.source.startswith("[")
    assert all(len(country) == 2 and len(currency) == 3 for country, currency in HOMES.values())


def test_duration_buckets():
    told = {
        text: duration_bucket("bond", text)
        for text in ("Ultrashort Bond", "Short Government", "Intermediate Core Bond", "Long Government")
    }
    assert list(told.values()) == ["ultrashort", "short", "intermediate", "long"]
    assert duration_bucket("equity", "Long Government") is None
    # of a geared fund "short" is a side, and 20 years are long whichever side it takes
    assert duration_bucket("bond", "Trading--Inverse Debt ProShares UltraShort 20+ Year Treasury", True) == "long"
    assert duration_bucket("bond", "Trading--Inverse Debt ProShares Short 7-10 Year Treasury", True) == "intermediate"


def test_names_tell_a_class_where_there_is_no_reference():
    assert class_by_words("iShares 20+ Year Treasury Bond ETF") == "bond"
    assert class_by_words("Vanguard Real Estate Index Fund") == "real_estate"
    assert class_by_words("Goldman Sachs ActiveBeta U.S. Large Cap Equity") == "equity"
    assert class_by_words("WZRD") == "unknown"


def test_returns_tell_the_class_of_funds_that_follow_a_proxy():
    # 3 classes x 20 funds at correlation 0.8 with their proxy, 36 months: a wrong class needs another proxy to look closer
    rng = np.random.default_rng(7)
    proxies = {name: rng.normal(0, 0.04, 36) for name in ("SPY", "AGG", "DBC")}
    made = {f"{name}{i}": 0.8 * x + 0.6 * rng.normal(0, 0.04, 36) for name, x in proxies.items() for i in range(20)}
    funds = pd.DataFrame(
        [fund(t) for t in made] + [fund(t, c) for t, c in zip(proxies, ("equity", "bond", "commodity"), strict=True)]
    )
    p = ProfileParameters(proxies=("equity=SPY", "bond=AGG", "commodity=DBC"))
    table = fund_profile(funds, months(**proxies, **made), p)
    last = table.groupby("ticker").tail(1).set_index("ticker")
    expected = {"SPY": "equity", "AGG": "bond", "DBC": "commodity"}
    right = [last.loc[t, "asset_class"] == expected[t[:3]] for t in made]
    assert sum(right) == 60
    assert (last.loc[list(made), "basis"] == "returns").all()
    assert last.loc[list(made), "confidence"].min() > 0.5
    assert set(last["sub_class"]) <= set(SUB_CLASSES)
    TABLES["fund_profile"].check(TABLES["fund_profile"].to_arrow(table))


def test_noise_and_short_histories_stay_unknown():
    rng = np.random.default_rng(8)
    spy = rng.normal(0, 0.04, 36)
    made = {"NOISE": rng.normal(0, 0.04, 36), "YOUNG": spy[-11:]}
    funds = pd.DataFrame([fund(t) for t in made] + [fund("SPY", "equity")])
    table = fund_profile(funds, months(SPY=spy, **made), ProfileParameters(proxies=("equity=SPY",)))
    assert set(table.loc[table["ticker"].isin(list(made)), "basis"]) == {"nothing"}
    assert table.loc[table["ticker"] == "SPY", "confidence"].eq(1.0).all()


def test_a_class_told_by_returns_rests_on_months_up_to_then():
    rng = np.random.default_rng(9)
    spy, agg = rng.normal(0, 0.04, 36), rng.normal(0, 0.01, 36)
    funds = pd.DataFrame([fund("X"), fund("SPY", "equity"), fund("AGG", "bond")])
    p = ProfileParameters(proxies=("equity=SPY", "bond=AGG"), window=12)
    table = months(SPY=spy, AGG=agg, X=np.concatenate([spy[:18], agg[18:]]))
    whole = fund_profile(funds, table, p)
    cut = whole["session"].sort_values().iloc[60]
    again = fund_profile(funds, table[table["session"] <= cut], p)
    pd.testing.assert_frame_equal(whole[whole["session"] <= cut].reset_index(drop=True), again)
    own = whole[whole["ticker"] == "X"]["asset_class"]
    assert own.iloc[17] == "equity"
    assert own.iloc[-1] == "bond"


def test_months_are_compounded_less_the_bill_of_the_month_before():
    days = pd.DatetimeIndex(["2024-01-31", "2024-02-15", "2024-02-29", "2024-03-28", "2024-05-31"])
    returns = pd.DataFrame({"session": days, "ticker": "SPY", "index_close": [1.0, 1.5, 1.1, 1.21, 1.3]})
    bill = pd.DataFrame({"session": days, "series": "TBILL13W", "value": 3.6})
    table = fund_months(returns, bill, pd.DataFrame([fund("SPY")]))
    per_day = 0.036 / 360 / (1 - 0.036 * 91 / 360)
    assert table["session"].tolist() == [days[0], *days[2:]]
    expected = [np.nan, 0.1 - 29 * per_day, 0.1 - 28 * per_day, np.nan]  # nothing over the missing April
    assert table["excess_return"].to_numpy() == pytest.approx(expected, rel=1e-12, nan_ok=True)
    plain = fund_months(returns, bill, pd.DataFrame([fund("SPY")]), MonthParameters(bill_series=""))
    assert plain["excess_return"].iloc[1] == pytest.approx(0.1)
