"""Spread estimators: by their papers' formulas, on planted spreads, beside real quotes, and what they cannot see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from etf_pipeline import calendars
from etf_pipeline.conventions import BPS
from etf_pipeline.costs import SPREAD_ESTIMATORS, CostParameters, SpreadParameters, edge, half_spread, spread_estimates
from etf_pipeline.errors import SettingsError
from etf_pipeline.panel import Floats
from etf_pipeline.schemas import TABLES

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
approx = pytest.approx


def bars(spread: float, windows: int, n: int = 60, *, volatility: float = 0.01, trades: int = 200, seed: int = 0) -> list[Floats]:
    """Log open, high, low and close of `windows` histories: a random walk, each trade at the bid or ask with equal chance."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, volatility / np.sqrt(trades), (windows, n, trades))
    price = np.cumsum(steps.reshape(windows, -1), axis=1).reshape(windows, n, trades)
    price += 0.5 * spread * rng.choice([-1.0, 1.0], price.shape)
    return [price[..., 0], price.max(axis=-1), price.min(axis=-1), price[..., -1]]


def edge_in_pandas(o: Floats, h: Floats, low: Floats, c: Floats) -> float:
    """The square of the estimator, term by term as the paper's appendix lists it, one window."""
    f = pd.DataFrame({"o": o, "h": h, "l": low, "c": c}).assign(m=0.5 * (h + low))
    f = f.join(f.shift(1).add_suffix("1")).iloc[1:]
    tau = ((f.h != f.l) | (f.l != f.c1)).astype(float)
    po = (tau * (f.o != f.h)).mean() + (tau * (f.o != f.l)).mean()
    pc = (tau * (f.c1 != f.h1)).mean() + (tau * (f.c1 != f.l1)).mean()
    r1, r2, r3, r4, r5 = f.m - f.o, f.o - f.m1, f.m - f.c1, f.c1 - f.m1, f.o - f.c1
    d1, d3, d5 = (r - r.mean() / tau.mean() * tau for r in (r1, r3, r5))
    x1, x2 = -4 / po * d1 * r2 - 4 / pc * d3 * r4, -4 / po * d1 * r5 - 4 / pc * d5 * r4
    v1, v2 = x1.var(ddof=0), x2.var(ddof=0)
    return float((v2 * x1.mean() + v1 * x2.mean()) / (v1 + v2))


def test_edge_equals_the_paper_s_formula_window_by_window_also_where_bars_touch_their_ends():
    found = bars(0.01, 12, trades=4)  # few trades: opens and closes are often the high or the low
    found[1][3, 10:14] = found[2][3, 10:14] = found[0][3, 10:14] = found[3][3, 10:14] = found[3][3, 9]  # bars that do not move
    ours = edge(*found)
    for w in range(12):
        square = edge_in_pandas(*(x[w] for x in found))
        assert ours.spread[w] == approx(np.sqrt(max(square, 0.0)), rel=1e-10)


def test_corwin_schultz_and_abdi_ranaldo_by_hand_on_two_bars():
    o = np.log([[100.0, 100.0]])
    h, low, c = np.log([[101.0, 102.0]]), np.log([[99.0, 100.0]]), np.log([[100.5, 101.0]])
    beta = np.log(101 / 99) ** 2 + np.log(102 / 100) ** 2
    gamma = np.log(102 / 99) ** 2
    k = 3 - 2 * np.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / k - np.sqrt(gamma / k)
    two = [np.concatenate([x, x[:, 1:]], axis=1) for x in (o, h, low, c)]  # a third bar equal to the second, for the error
    pair = 2 * np.log(102 / 100) ** 2, np.log(102 / 100) ** 2
    second = (np.sqrt(2 * pair[0]) - np.sqrt(pair[0])) / k - np.sqrt(pair[1] / k)
    expected = np.mean([2 * (np.exp(a) - 1) / (1 + np.exp(a)) for a in (alpha, second)])
    assert SPREAD_ESTIMATORS["corwin_schultz"](*two).spread[0] == approx(max(expected, 0.0), rel=1e-10)
    eta1, eta2 = 0.5 * (np.log(101) + np.log(99)), 0.5 * (np.log(102) + np.log(100))
    terms = [(np.log(100.5) - eta1) * (np.log(100.5) - eta2), (np.log(101) - eta2) ** 2]
    assert SPREAD_ESTIMATORS["abdi_ranaldo"](*two).spread[0] == approx(np.sqrt(max(4 * np.mean(terms), 0)), rel=1e-10)


@pytest.mark.parametrize("name", SPREAD_ESTIMATORS)
def test_a_planted_spread_of_two_percent_is_found_within_a_fifth(name):
    # mean of 150 windows; its error is below 2 % of the spread, the rest is each estimator's own bias in discrete time
    found = SPREAD_ESTIMATORS[name](*bars(0.02, 150))
    assert found.spread.mean() == approx(0.02, rel=0.2)
    assert (found.spread > found.resolution).mean() > 0.9


def test_edge_is_the_least_biased_where_trades_are_few():
    errors = {name: abs(f(*bars(0.02, 150, trades=5)).spread.mean() - 0.02) for name, f in SPREAD_ESTIMATORS.items()}
    assert min(errors, key=errors.get) == "edge"
    assert errors["edge"] < 0.002


@pytest.mark.parametrize("name", ["edge", "abdi_ranaldo"])
def test_no_estimator_sees_a_spread_of_one_basis_point_and_the_resolution_says_so(name):
    found = SPREAD_ESTIMATORS[name](*bars(1 * BPS, 400))
    assert np.median(found.resolution) > 12 * BPS
    # a one-sided test at 5 %: of 400 windows 20 are expected, 36 lie 3.7 deviations above (false alarm 1 in 10,000 at 5 %)
    assert (found.spread > found.resolution).sum() <= 36
    error = np.sqrt(np.mean((found.spread - 1 * BPS) ** 2))
    assert error > 5 * BPS  # many times the spread itself


def test_a_spread_of_zero_is_estimated_as_zero_in_about_half_of_the_windows():
    found = edge(*bars(0.0, 400, seed=3))
    assert 0.35 < (found.spread == 0.0).mean() < 0.65


def world(n: int = 150, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    sessions = calendars.sessions("XNYS", "2022-01-03", "2022-12-30")[:n]
    frames = []
    for i, ticker in enumerate(["AAA", "BBB", "CCC"]):
        o, h, low, c = (np.exp(x[0]) * 50 for x in bars(0.004 * (i + 1), 1, n, trades=30, seed=seed + i))
        frame = pd.DataFrame({"session": sessions, "ticker": ticker, "open": o, "high": h, "low": low, "close": c})
        frames.append(frame.assign(exchange="XNYS", total_return=frame["close"].pct_change()).iloc[5 * i :])
    whole = pd.concat(frames, ignore_index=True).sample(frac=1.0, random_state=0)
    key = ["session", "ticker"]
    liquidity = whole[key].assign(half_spread=0.001)
    return whole[[*key, "exchange", "open", "high", "low", "close"]], whole[[*key, "total_return"]], liquidity


def test_the_table_keeps_its_contract_and_ends_each_month_with_a_full_window():
    made = spread_estimates(*world(), SpreadParameters())
    TABLES["spread_estimates"].check(TABLES["spread_estimates"].to_arrow(made))
    assert made["session"].dt.strftime("%m-%d").unique().tolist() == ["03-31", "04-29", "05-31", "06-30", "07-29"]
    assert (made["model_spread"] == 0.002).all()
    one = made.set_index(["ticker", "session", "estimator"])
    prices = world()[0].sort_values("session")
    window = prices[(prices["ticker"] == "BBB") & (prices["session"] <= "2022-05-31")].tail(60)
    expected = edge(*(np.log(window[[name]].to_numpy().T) for name in ("open", "high", "low", "close")))
    assert one.loc[("BBB", pd.Timestamp("2022-05-31"), "edge"), "spread"] == approx(expected.spread[0], rel=1e-6)


def test_a_split_leaves_the_estimates_as_they_were():
    prices, returns, liquidity = world()
    split = prices.copy()
    late = split["session"] >= "2022-04-12"
    for name in ("open", "high", "low", "close"):
        split.loc[late, name] = split.loc[late, name] / 3.0
    expected, found = (spread_estimates(p, returns, liquidity, SpreadParameters()) for p in (prices, split))
    np.testing.assert_allclose(found["spread"], expected["spread"], rtol=1e-6, atol=1e-9)


def test_rows_do_not_change_with_what_comes_after():
    tables, cut = world(), pd.Timestamp("2022-05-12")
    whole = spread_estimates(*tables, SpreadParameters())
    early = spread_estimates(*(t[t["session"] <= cut] for t in tables), SpreadParameters())
    poisoned = tables[0].copy()
    poisoned.loc[poisoned["session"] > cut, ["open", "high", "low", "close"]] = 1e12
    absurd = spread_estimates(poisoned, *tables[1:], SpreadParameters())
    for other in (early, absurd):
        before, expected = (f[f["session"] <= cut].reset_index(drop=True) for f in (other, whole))
        pd.testing.assert_frame_equal(before, expected, check_exact=True)
    assert len(early) == 12  # one fund in March, three in April, three estimators


def test_an_unknown_bar_leaves_its_windows_unknown():
    prices, returns, liquidity = world()
    prices.loc[(prices["ticker"] == "AAA") & (prices["session"] == "2022-02-10"), "open"] = np.nan
    made = spread_estimates(prices, returns, liquidity, SpreadParameters()).query("ticker == 'AAA' and estimator == 'edge'")
    assert made["spread"].isna().tolist() == [True, True, False, False, False]


def test_unknown_estimators_and_short_windows_are_refused():
    with pytest.raises(SettingsError, match="found \\['roll'\\]"):
        spread_estimates(*world(), SpreadParameters(estimators=("roll",)))
    with pytest.raises(SettingsError, match="at least 5 bars; found 2"):
        SpreadParameters(window=2)


@pytest.mark.reference
def test_real_quotes_of_spy_are_a_cent_wide_far_below_the_model_and_below_what_bars_can_show():
    folder = DATA / "lean" / "minute" / "spy"
    if not folder.is_dir():
        pytest.skip("../shared/data is absent")
    halves = {}
    for path in sorted(folder.glob("*_quote.zip")):
        quotes = pd.read_csv(path, header=None)
        quotes = quotes[(quotes[0] >= 34_200_000) & (quotes[0] < 57_600_000)]  # milliseconds: 9:30 to 16:00
        bid, ask = quotes[4], quotes[9]  # closes of the minute
        halves[path.name[:4]] = float(((ask - bid) / (ask + bid)).median())
    assert halves["2013"] == approx(0.30 * BPS, abs=0.02 * BPS)
    assert halves["2023"] == approx(0.11 * BPS, abs=0.01 * BPS)
    charged = float(half_spread(np.array([0.0]), base_spread=CostParameters.base_spread)[0])
    assert 8 < charged / halves["2013"] < 9
    daily = pd.read_parquet(DATA / "etf_daily.parquet", filters=[("ticker", "=", "SPY")])
    year = daily[(daily["date"] >= "2013-07-15") & (daily["date"] <= "2013-10-11")]
    assert len(year) > 55
    logs = [np.log(year[[name]].to_numpy(dtype=float).T) for name in ("open", "high", "low", "close")]
    assert edge(*logs).resolution[0] > 20 * 2 * halves["2013"]
