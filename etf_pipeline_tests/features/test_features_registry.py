"""Features: each against pandas' rolling windows, the contract, and the proof that none reads ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from etf_pipeline.errors import DataError
from etf_pipeline.features import FEATURES, FeatureParameters, market_returns
from etf_pipeline.features import compute as compute_features
from etf_pipeline.schemas import TABLES

YEAR = np.sqrt(252)
KEY = ["ticker", "session"]


def compute(
    prices: pd.DataFrame, returns: pd.DataFrame, membership: pd.DataFrame, parameters: FeatureParameters | None = None
) -> pd.DataFrame:
    """Both steps: the market, and the features that read it."""
    market = market_returns(prices, returns, membership)
    return compute_features(prices, returns, membership, market, parameters)


def market_return(returns: pd.DataFrame, membership: pd.DataFrame) -> pd.Series:
    """Slow second implementation: mean return over funds that were members one session before."""
    r = returns.pivot(index="session", columns="ticker", values="total_return")
    member = membership.pivot(index="session", columns="ticker", values="member").astype(float)
    chosen = member.shift(1).fillna(0).eq(1)
    return r.where(chosen).mean(axis=1)


def same_month(index: pd.Series) -> pd.Series:
    month_end = index.groupby(index.index.to_period("M")).last()
    complete = month_end.reindex(pd.period_range(month_end.index[0], month_end.index[-1], freq="M"))
    monthly = complete / complete.shift(1) - 1
    out = {}
    for day in index.index:
        now = day.to_period("M")
        earlier = monthly[(monthly.index < now) & (monthly.index >= now - 60) & (monthly.index.month == now.month)].dropna()
        out[day] = earlier.mean()
    return pd.Series(out)


def line(logs: np.ndarray) -> float:
    correlation = np.corrcoef(np.arange(len(logs)), logs)[0, 1]
    return correlation * abs(correlation)


def unexplained(r: pd.Series, m: pd.Series, n: int) -> pd.Series:
    """Standard deviation of the market model's residuals, window by window."""
    slope = r.rolling(n).cov(m) / m.rolling(n).var()
    return (r.rolling(n).var() - slope**2 * m.rolling(n).var()) ** 0.5


def residual_momentum(r: pd.Series, m: pd.Series) -> pd.Series:
    out = pd.Series(np.nan, index=r.index)
    both = pd.concat([r, m], axis=1, keys=["r", "m"]).dropna()
    for end in range(231, len(both) - 20):
        part = both.iloc[end - 231 : end]
        slope = part.cov().loc["r", "m"] / part["m"].var()
        residual = part["r"] - slope * part["m"]
        out[both.index[end + 20]] = residual.sum() / (residual.std() * np.sqrt(231))
    return out


def oracle(name: str, bars: pd.DataFrame, m: pd.Series) -> pd.Series:
    """The feature of one fund, by pandas; `bars` is indexed by session."""
    r, index, value = bars["total_return"], bars["index_close"], bars["traded_value"]
    known = r.dropna()
    beside = known[m.reindex(known.index).notna()]
    market = m.reindex(beside.index)
    if name == "amihud_21":
        ratio = (1e6 * known.abs() / value[known.index].replace(0, np.nan)).rolling(21, min_periods=1).mean()
        return np.log(ratio.where(known.rolling(21).count() == 21))
    if name == "dividend_yield":
        shares = bars["split_ratio"].cumprod()
        return (bars["dividend"] * shares).rolling(252).sum() / (bars["close"] * shares)
    mean20, sd20 = index.rolling(20).mean(), index.rolling(20).std()
    days = (1 + bars["total_return"]) / (1 + bars["open_return"]) - 1
    return {
        "momentum_12_1": lambda: index.shift(21) / index.shift(252) - 1,
        "momentum_12_7": lambda: index.shift(126) / index.shift(252) - 1,
        "momentum_126": lambda: index.pct_change(126),
        "momentum_63": lambda: index.pct_change(63),
        "momentum_21": lambda: index.pct_change(21),
        "reversal_5": lambda: -index.pct_change(5),
        "reversal_1": lambda: -index.pct_change(1),
        "volatility_21": lambda: known.rolling(21).std() * YEAR,
        "volatility_63": lambda: known.rolling(63).std() * YEAR,
        "volatility_ratio": lambda: known.rolling(21).std() / known.rolling(126).std(),
        "downside_63": lambda: (known.clip(upper=0) ** 2).rolling(63).mean() ** 0.5 * YEAR,
        "skewness_126": lambda: known.rolling(126).skew(),
        "kurtosis_126": lambda: known.rolling(126).kurt(),
        "max_return_21": lambda: known.rolling(21).max(),
        "sharpe_252": lambda: known.rolling(252).mean() / known.rolling(252).std() * YEAR,
        "variance_ratio_126": lambda: known.rolling(5).sum().rolling(126).var() / (5 * known.rolling(126).var()),
        "autocorrelation_126": lambda: known.rolling(126).corr(known.shift(1)).where(known.shift(1).rolling(126).count() == 126),
        "drawdown_252": lambda: 1 - index / index.rolling(252).max(),
        "underwater_252": lambda: (251 - index.rolling(252).apply(np.argmax, raw=True)) / 252,
        "rsi_14": lambda: 100 * known.clip(lower=0).rolling(14).sum() / known.abs().rolling(14).sum(),
        "distance_200": lambda: index / index.rolling(200).mean() - 1,
        "crossover_50_200": lambda: index.rolling(50).mean() / index.rolling(200).mean() - 1,
        "bollinger_20": lambda: (index - mean20) / sd20,
        "trend_r2_126": lambda: np.log(index).rolling(126).apply(line, raw=True),
        "volume_trend": lambda: value.rolling(21).mean() / value.rolling(63).mean() - 1,
        "volume_shock": lambda: value / value.rolling(63).mean() - 1,
        "idle_63": lambda: ((known == 0) | (value[known.index] == 0)).astype(float).rolling(63).mean(),
        "range_volatility_21": lambda: (
            ((np.log(bars["high"] / bars["low"]) ** 2).rolling(21).mean() / (4 * np.log(2))) ** 0.5 * YEAR
        ),
        "overnight_63": lambda: bars["open_return"].rolling(63).sum(),
        "intraday_63": lambda: days.rolling(63).sum(),
        "correlation_126": lambda: beside.rolling(126).corr(market),
        "idiosyncratic_volatility_126": lambda: unexplained(beside, market, 126) * YEAR,
        "residual_momentum": lambda: residual_momentum(known, m.reindex(known.index)),
        "seasonality": lambda: same_month(index),
    }[name]()


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_equals_its_obvious_pandas_version(name, small_market):
    prices, returns, membership = small_market
    ours = compute(*small_market)
    m = market_return(returns, membership)
    long = prices.merge(returns, on=KEY)
    compared = 0
    for ticker, bars in long.groupby("ticker"):
        mine = ours[ours["ticker"] == ticker].set_index("session")[name]
        theirs = oracle(name, bars.set_index("session"), m).reindex(mine.index)
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-11)
        compared += int(mine.notna().sum())
    assert compared > 1000


def test_the_table_keeps_its_contract_and_its_rows_are_the_bars(small_market):
    out = compute(*small_market)
    table = TABLES["features"]
    table.check(table.to_arrow(out))
    assert len(out) == len(small_market[0])


def test_the_registry_names_the_columns_of_the_contract_with_their_words_and_units():
    declared = {name: col for name, col in TABLES["features"].columns.items() if name not in KEY}
    assert set(declared) == set(FEATURES)
    for name, feature in FEATURES.items():
        assert (feature.description, feature.unit) == (declared[name].description, declared[name].metadata["unit"])


@pytest.mark.parametrize("cut", [130, 400, 777])
def test_features_do_not_read_the_future(cut, small_market):
    prices, returns, membership = small_market
    day = prices["session"].drop_duplicates().sort_values().iloc[cut]
    whole = compute(*small_market)
    before = whole[whole["session"] <= day].reset_index(drop=True)

    def until(frame):
        return frame[frame["session"] <= day]

    def poisoned(frame, columns, value):
        return frame.assign(**{c: frame[c].where(frame["session"] <= day, value) for c in columns})

    truncated = compute(until(prices), until(returns), until(membership))
    poison = compute(
        poisoned(prices, ["high", "low", "close", "traded_value", "dividend", "split_ratio"], 1e200),
        poisoned(returns, ["total_return", "open_return", "index_close"], 1e200),
        poisoned(membership, ["member"], True),
    )
    for later in (truncated, poison):
        rows = later[later["session"] <= day].reset_index(drop=True)
        assert_frame_equal(rows, before, check_exact=True)


@pytest.mark.parametrize("name", [n for n, f in FEATURES.items() if f.lookback < 300])
def test_an_absurd_value_is_forgotten_once_it_has_left_the_lookback(name, small_market):
    prices, returns, membership = small_market
    day = prices["session"].drop_duplicates().sort_values().iloc[280]
    spoiled_prices = prices.assign(
        **{c: prices[c].where(prices["session"] != day, 1e250) for c in ("high", "traded_value", "dividend")}
    )
    spoiled_returns = returns.assign(
        **{c: returns[c].where(returns["session"] != day, 1e250) for c in ("total_return", "open_return", "index_close")}
    )
    clean, spoiled = compute(*small_market), compute(spoiled_prices, spoiled_returns, membership)
    age = clean.groupby("ticker")["session"].transform(lambda s: (s > day).cumsum())
    forgotten = age > FEATURES[name].lookback + 1
    assert forgotten.sum() > 200
    assert_frame_equal(spoiled.loc[forgotten, [name]], clean.loc[forgotten, [name]], check_exact=True)


def test_a_split_leaves_the_dividend_yield_alone(small_market):
    prices, returns, membership = small_market
    split = prices["ticker"] == "F1"
    whole = compute(*small_market)
    shares = prices.loc[split, "split_ratio"].cumprod()
    unsplit = prices.copy()
    for column, factor in (("close", shares), ("dividend", shares)):
        unsplit.loc[split, column] = prices.loc[split, column] * factor
    unsplit["split_ratio"] = 1.0
    again = compute(unsplit, returns, membership)
    assert_frame_equal(again[["dividend_yield"]], whole[["dividend_yield"]], rtol=1e-12)


def test_dividend_yield_is_unknown_where_prices_already_contain_dividends(small_market):
    prices, returns, membership = small_market
    out = compute(prices.assign(adjustment="split_dividend"), returns, membership)
    assert out["dividend_yield"].isna().all()


def test_a_fund_abroad_knows_nothing_of_the_main_market_of_the_same_date(small_market):
    prices, returns, membership = small_market
    abroad = prices["ticker"] == "F4"
    out = compute(
        prices.assign(exchange=np.where(abroad, "XASX", "XNYS")),
        returns,
        membership.assign(member=membership["member"] & ~abroad),
    )
    own = out["ticker"] == "F4"
    assert out.loc[own, ["correlation_126", "idiosyncratic_volatility_126", "residual_momentum"]].isna().all(axis=None)
    assert out.loc[own, "momentum_126"].notna().any()


def test_only_members_hides_the_features_of_everyone_else(small_market):
    out = compute(*small_market, FeatureParameters(only_members=True))
    member = small_market[2].sort_values(KEY)["member"].to_numpy()
    assert out.loc[~member, list(FEATURES)].isna().all(axis=None)
    assert out.loc[member, "rsi_14"].notna().all()


def test_other_rows_than_the_prices_are_refused(small_market):
    prices, returns, membership = small_market
    market = market_returns(prices, returns, membership)
    with pytest.raises(DataError, match="fct_returns has"):
        compute_features(prices, returns.iloc[1:], membership, market)
    with pytest.raises(DataError, match="universe_membership has"):
        compute_features(prices, returns, membership.iloc[1:], market)
    with pytest.raises(DataError, match="fct_returns has"):
        market_returns(prices, returns.iloc[1:], membership)
