"""Small, hand-made frames that satisfy the contracts: one market of twelve funds over four years, drawn from one seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from etf_pipeline.reporting.scales import spells
from etf_pipeline.schemas import TABLES

FUNDS = ["SPY", "EFA", "EEM", "TLT", "AGG", "GLD", "VNQ", "LQD", "IWM", "QQQ", "XLE", "HYG"]
CLASSES = ["equity", "equity", "equity", "bond", "bond", "commodity", "real_estate", "bond", "equity", "equity", "equity", "bond"]
STRATEGIES = ["equal_weight", "max_sharpe", "risk_parity"]
BOOKS = [*STRATEGIES, "SPY"]
SESSIONS = pd.bdate_range("2020-01-02", "2023-12-29")
REBALANCES = pd.DatetimeIndex(pd.Series(SESSIONS, index=SESSIONS).groupby(SESSIONS.to_period("M")).last())


def _rng(salt: int) -> np.random.Generator:
    return np.random.default_rng(20240630 + salt)


def _grid(sessions: pd.DatetimeIndex, tickers: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {"session": np.repeat(sessions, len(tickers)), "ticker": np.tile(np.array(tickers, dtype=object), len(sessions))}
    )


def fct_returns() -> pd.DataFrame:
    rows = _grid(SESSIONS, FUNDS)
    daily = _rng(1).normal(0.0003, 0.01, (len(SESSIONS), len(FUNDS)))
    daily[0] = 0
    index = np.cumprod(1 + daily, axis=0)
    daily[0] = np.nan
    return rows.assign(
        total_return=daily.ravel(),
        open_return=daily.ravel() / 2,
        index_close=index.ravel(),
        index_open=index.ravel() * 0.999,
        gap_days=pd.array([pd.NA] * len(FUNDS) + [1] * (len(rows) - len(FUNDS)), dtype="Int64"),
    )


def universe_membership() -> pd.DataFrame:
    rows = _grid(SESSIONS, FUNDS)
    age = np.repeat(np.arange(1, len(SESSIONS) + 1), len(FUNDS))
    young = age < 253
    thin = rows["ticker"].isin(["XLE", "HYG"]) & (age < 600)
    reason = np.where(young, "not_seasoned", np.where(thin, "illiquid_value", "member"))
    return rows.assign(
        member=reason == "member",
        reason=reason,
        aum_unknown=True,
        shares_look_ahead=False,
        history_sessions=age,
        mean_volume=1e6,
        mean_traded_value=5e7,
        aum_value=np.nan,
    )


def regimes() -> pd.DataFrame:
    n = len(SESSIONS)
    cycle = np.sin(np.arange(n) / 90.0)
    states = np.where(np.arange(n) < 200, "unknown", np.where(cycle > 0.4, "bull", np.where(cycle < -0.5, "bear", "sideways")))
    run = pd.Series(states).ne(pd.Series(states).shift()).cumsum()
    return pd.DataFrame(
        {
            "session": SESSIONS,
            "regime": states,
            "candidate": states,
            "reason": np.where(states == "bull", "VIX 14.2 < 16 and market 3.1 % above its mean", "neither condition held"),
            "days_in_state": run.groupby(run).cumcount() + 1,
            "vix": 20 - 8 * cycle + _rng(2).normal(0, 1, n),
            "distance_200": np.where(np.arange(n) < 200, np.nan, 0.08 * cycle),
            "index_close": np.exp(0.0003 * np.arange(n) + 0.08 * cycle),
        }
    )


def regime_probabilities() -> pd.DataFrame:
    n = len(SESSIONS)
    index = np.exp(0.0003 * np.arange(n) + 0.08 * np.sin(np.arange(n) / 90.0))
    stressed = np.where(np.arange(n) < 500, np.nan, 1 / (1 + np.exp(4 * np.sin(np.arange(n) / 90.0) + _rng(19).normal(0, 1, n))))
    return pd.DataFrame(
        {
            "session": SESSIONS,
            "index_close": index,
            "market_return": np.append(np.nan, index[1:] / index[:-1] - 1),
            "stressed": stressed,
            "stressed_21": 0.5 * stressed + 0.15,
            "fit_session": pd.Series(pd.Timestamp("2021-12-31"), index=range(n)).where(np.arange(n) >= 500),
        }
    )


def betas() -> pd.DataFrame:
    rows = _grid(SESSIONS, FUNDS)
    early = np.repeat(np.arange(len(SESSIONS)) < 126, len(FUNDS))
    level = np.tile(np.linspace(-0.2, 1.6, len(FUNDS)), len(SESSIONS))
    beta = np.where(early, np.nan, level + _rng(11).normal(0, 0.02, len(rows)))
    error = np.where(early, np.nan, 0.05)
    return rows.assign(
        beta=beta,
        beta_error=error,
        beta_error_robust=error,
        r_squared=np.where(early, np.nan, 0.5),
        residual_volatility=np.where(early, np.nan, 0.1),
        n=252,
        beta_ewma=beta,
        beta_vasicek=beta,
    )


def volatilities() -> pd.DataFrame:
    rows = _grid(SESSIONS, FUNDS)
    noise = np.abs(_rng(3).normal(0, 0.01, len(rows)))
    base = 0.15 + 0.05 * np.sin(np.repeat(np.arange(len(SESSIONS)), len(FUNDS)) / 60.0)
    early = np.repeat(np.arange(len(SESSIONS)) < 252, len(FUNDS))
    return rows.assign(
        garch_21=np.where(early, np.nan, base + noise),
        garch_63=np.where(early, np.nan, 0.16 + noise),
        garch_252=np.where(early, np.nan, 0.17),
        regime_conditional=base + 1.5 * noise,
        composite=np.where(early, np.nan, base + noise),
        ewma=base + 2 * noise,
        realised_30=base,
        realised_90=base,
        realised_252=np.where(early, np.nan, 0.16),
        volatility=base + noise,
        source=np.where(early, "ewma: short history", "garch"),
    )


def covariance_health() -> pd.DataFrame:
    n = len(REBALANCES)
    return pd.DataFrame(
        {
            "session": REBALANCES,
            "estimator": "scaled_ledoit_wolf",
            "n_assets": 12,
            "n_sessions": 504,
            "shrinkage": np.linspace(0.3, 0.05, n),
            "condition_number": np.geomspace(80, 4000, n),
            "excluded": 1,
            "completed": 2,
            "less_traded": 0,
            "repaired": False,
        }
    )


def covariance_stability() -> pd.DataFrame:
    rows = pd.DataFrame(
        [(session, name) for session in REBALANCES for name in ("ewma", "sample", "scaled_ledoit_wolf")],
        columns=["session", "estimator"],
    )
    after = rows["session"] + pd.offsets.MonthEnd()
    noise = _rng(15).lognormal(0.0, 0.2, (len(rows), 3))
    return rows.assign(
        realised_session=after,
        available_at=after.dt.tz_localize("UTC") + pd.Timedelta(hours=21),
        n_assets=12,
        n_sessions=504,
        shrinkage=np.where(rows["estimator"] == "scaled_ledoit_wolf", 0.02, np.nan),
        repaired=False,
        condition_number=rows["estimator"].map({"ewma": 1e5, "sample": 1e4, "scaled_ledoit_wolf": 900.0}) * noise[:, 0],
        effective_rank=6.0,
        first_share=0.5,
        first_share_change=0.01,
        leading_angle=0.1,
        expected_volatility=0.02,
        min_variance_volatility=0.03 * noise[:, 1],
        gross_exposure=1.8,
        balanced_volatility=0.35 * noise[:, 2],
        log_likelihood=4.0,
    )


def scores() -> pd.DataFrame:
    rows = _grid(SESSIONS[-3:], FUNDS)
    parts = ["forecast_part", "momentum_part", "risk_part", "liquidity_part", "cost_part", "macro_part", "geo_part"]
    values = _rng(4).normal(0, 0.3, (len(rows), len(parts)))
    rows = rows.assign(regime="bull", days_in_state=7, stressed=0.04, **{part: values[:, i] for i, part in enumerate(parts)})
    rows = rows.assign(macro_multiplier=np.exp(rows["macro_part"]), geo_multiplier=np.exp(rows["geo_part"]))
    rows = rows.assign(macro_as_of=pd.Timestamp("2023-11-01"), geo_as_of=pd.NaT)
    rows["score"] = rows[parts].sum(axis=1)
    rows["rank"] = rows.groupby("session")["score"].rank(ascending=False).astype("int64")
    return rows


def forecast_windows() -> pd.DataFrame:
    rows = []
    rng = _rng(5)
    for model in ("random_forest", "ridge"):
        for window, test in enumerate(pd.date_range("2021-01-04", "2023-10-02", freq="QS")):
            rows.append(
                {
                    "model": model,
                    "window": window,
                    "train_start": pd.Timestamp("2020-01-02"),
                    "train_end": test - pd.Timedelta(days=40),
                    "test_start": test,
                    "test_end": test + pd.Timedelta(days=88),
                    "n_train": 1200 + window,
                    "n_test": 700,
                    "in_sample_bias": -3e-5 if model == "random_forest" else 0.0,
                    "out_of_fold_bias": 0.0021,
                    "test_bias": rng.normal(0.001, 0.002),
                    "mse": 0.0019,
                    "mse_zero": 0.0020,
                    "information_coefficient": rng.normal(0.03, 0.08),
                    "hit_rate": 0.55,
                }
            )
    return pd.DataFrame(rows)


SKILL = {"ic": 0.04, "icir": 0.13, "hit_rate": 0.58, "pt_p_value": 0.6}


def forecast_bias() -> pd.DataFrame:
    rows = []
    for model, verdict in (("ensemble", "no_difference"), ("random_forest", "improved"), ("ridge", "worse")):
        for i, asset_class in enumerate(("all", "equity", "bond", "commodity")):
            bias = 0.0023 - 0.001 * i
            rows.append(
                {
                    "model": model,
                    "asset_class": asset_class,
                    "horizon": 21,
                    "n": 9000 - 2000 * i,
                    "n_effective": 41.5 - i,
                    "in_sample_bias": np.nan if model == "ensemble" else -3e-5,
                    "out_of_fold_bias": bias,
                    "standard_error": 0.0012,
                    "ci_low": bias - 0.0026,
                    "ci_high": bias + 0.0026,
                    "corrected_bias": 0.0004,
                    **{f"{figure}_{which}": value for which in ("raw", "corrected") for figure, value in SKILL.items()},
                    "mse_raw": 0.00201,
                    "mse_corrected": 0.00198,
                    "mse_gain_low": -0.00002,
                    "mse_gain_high": 0.00009,
                    "dm_p_value": 0.271,
                    "dm_p_adjusted": 0.271,
                    "verdict": verdict,
                }
            )
    return pd.DataFrame(rows)


def target_weights() -> pd.DataFrame:
    parts = []
    for k, strategy in enumerate(STRATEGIES):
        raw = _rng(6 + k).gamma(2.0, 1.0, (len(REBALANCES), len(FUNDS) + 1))
        weight = raw / raw.sum(axis=1, keepdims=True)
        rows = _grid(REBALANCES, [*FUNDS, "CASH"]).assign(strategy=strategy, weight=weight.ravel())
        rows["previous_weight"] = rows.groupby("ticker")["weight"].shift(fill_value=0.0)
        parts.append(rows)
    return pd.concat(parts, ignore_index=True).assign(
        expected_return=0.07, volatility=0.15, cost=2e-5, risk_contribution=1 / (len(FUNDS) + 1)
    )


def portfolio_exposures() -> pd.DataFrame:
    factors = ["MKT_RF", "SMB", "HML", "RMW", "CMA", "MOM"]
    keys = [(s, k, b, f) for s in REBALANCES for k in STRATEGIES for b in ("SPY", "equal_weight") for f in factors if b != k]
    rows = pd.DataFrame(keys, columns=["session", "strategy", "benchmark", "factor"])
    loading = _rng(12).normal(0.2, 0.3, len(rows))
    return rows.assign(
        loading=loading,
        error=0.03,
        benchmark_loading=0.1,
        active=loading - 0.1,
        active_error=0.02,
        coverage=1.0,
        benchmark_coverage=1.0,
        factor_session=rows["session"] - pd.Timedelta(days=60),
    )


def optimizer_solutions() -> pd.DataFrame:
    rows = pd.DataFrame([(s, k) for k in STRATEGIES for s in REBALANCES], columns=["session", "strategy"])
    rng = _rng(9)
    n = len(rows)
    fallback = (np.arange(n) % 17 == 5) & (rows["strategy"] == "max_sharpe").to_numpy()
    return rows.assign(
        engine=np.where(rows["strategy"] == "risk_parity", "ccd", "clarabel"),
        status=np.where(fallback, "minimum_variance_with_cash", "optimal"),
        reason=np.where(fallback, "VaR 2 % cannot be met fully invested: minimum is 2.7 %", "max_weight"),
        shadow_prices="",
        kkt_residual=np.where(fallback, np.nan, 3e-9),
        n_candidates=12,
        n_held=9,
        cash=np.where(fallback, 0.31, 0.02),
        expected_return=0.071,
        volatility=0.113,
        sharpe=0.52,
        var_1d=0.0117,
        cvar_1d=0.0147,
        effective_names=7.4,
        turnover=np.abs(rng.normal(0.15, 0.05, n)),
        cost=1.2e-4,
    )


def backtest_ledger() -> pd.DataFrame:
    parts = []
    for k, strategy in enumerate(BOOKS):
        for j, basis in enumerate(("gross", "net")):
            daily = _rng(10 + k).normal(0.0004 - 0.00004 * j, 0.008, len(SESSIONS))
            nav = 1e6 * np.cumprod(1 + daily)
            parts.append(
                pd.DataFrame({"session": SESSIONS, "strategy": strategy, "cost_basis": basis, "nav": nav, "daily_return": daily})
            )
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(
        cash=0.02 * rows["nav"],
        receivables=0.0,
        holdings_value=0.98 * rows["nav"],
        dividends=0.0,
        interest=0.0,
        costs=0.0,
        traded_value=0.0,
        turnover=0.0,
        flow=0.0,
        identity_error=0.0,
    )


def drawdowns() -> pd.DataFrame:
    rows = []
    for k, strategy in enumerate(BOOKS):
        for i, (peak, depth) in enumerate((("2020-02-19", 0.2213), ("2021-11-08", 0.1541), ("2023-07-31", 0.0622))):
            start = pd.Timestamp(peak)
            open_ = i == 2
            end = start + pd.Timedelta(days=150)
            rows.append(
                {
                    "strategy": strategy,
                    "peak": start,
                    "trough": start + pd.Timedelta(days=33),
                    "recovery": pd.NaT if open_ else end,
                    "depth": depth + 0.01 * k,
                    "sessions_down": 24,
                    "sessions_under": 104,
                    "is_open": open_,
                    "available_at": pd.Timestamp("2023-12-29 21:00" if open_ else f"{end:%Y-%m-%d} 21:00", tz="UTC"),
                }
            )
    return pd.DataFrame(rows)


SCENARIOS = (
    ("gfc_2008", "Global financial crisis 2008", "replay", -0.3127),
    ("covid_2020", "Covid crash of February and March 2020", "replay", -0.2218),
    ("bonds_2022", "Bond market of 2022", "replay", -0.1434),
    ("taper_2013", "Taper tantrum 2013", "replay", -0.0312),
    ("student_t", "Monte Carlo, Student-t, one day", "monte_carlo", -0.0271),
    ("svb_2023", "Silicon Valley Bank 2023", "replay", 0.0107),
)


def stress_results() -> pd.DataFrame:
    rows = []
    for k, strategy in enumerate(STRATEGIES):
        for scenario, title, kind, profit in SCENARIOS:
            replay = kind == "replay"
            rows.append(
                {
                    "strategy": strategy,
                    "scenario": scenario,
                    "kind": kind,
                    "title": title,
                    "start": pd.Timestamp("2008-09-12") if replay else pd.NaT,
                    "end": pd.Timestamp("2009-03-09") if replay else pd.NaT,
                    "horizon": 120 if replay else 1,
                    "profit": profit * (1 - 0.1 * k),
                    "low": profit * (1 - 0.1 * k) - 0.01,
                    "high": profit * (1 - 0.1 * k) + 0.01,
                    "max_drawdown": abs(profit) if replay else np.nan,
                    "var": np.nan if replay else 0.0201,
                    "cvar": np.nan if replay else 0.0271,
                    "standard_error": np.nan if replay else 0.0004,
                    "var_error": np.nan if replay else 0.0002,
                    "drawdown_median": np.nan if replay else 0.0,
                    "drawdown_95": np.nan if replay else 0.0201,
                    "drawdown_error": np.nan if replay else 0.0002,
                    "coverage": 0.83 if replay else 1.0,
                    "source": "dated window",
                }
            )
    return pd.DataFrame(rows)


def quality_findings() -> pd.DataFrame:
    rng = _rng(12)
    n = 300
    severity = rng.choice(["info", "warning", "error"], n, p=[0.5, 0.3, 0.2])
    return pd.DataFrame(
        {
            "dataset": "stg_prices",
            "ticker": rng.choice(FUNDS, n),
            "session": SESSIONS[rng.integers(0, len(SESSIONS), n)],
            "rule": np.where(severity == "error", "price_not_positive", "stale_price"),
            "severity": severity,
            "found": "close -1.0",
            "remedy": "ask the source",
            "source": "prices.csv",
            "source_row": np.arange(n),
        }
    )


def liquidity() -> pd.DataFrame:
    rows = _grid(SESSIONS[-5:], FUNDS)
    value = np.tile(np.geomspace(2e6, 2e10, len(FUNDS)), 5)
    return rows.assign(
        daily_value=np.where(np.arange(len(rows)) % 12 == 3, np.nan, value),
        daily_volatility=0.01,
        amihud_rank=np.tile(np.linspace(1, 0, len(FUNDS)), 5),
        half_spread=2.5e-4 + 5e-3 / np.sqrt(value / 1e5),
        reference_cost=2.5e-4 + 2e-2 / np.sqrt(value / 1e5),
    )


def _months(column: str, names: tuple[str, ...], benchmark: str) -> pd.DataFrame:
    months = pd.date_range("2020-02-01", "2023-12-01", freq="MS")
    rows = pd.MultiIndex.from_product([STRATEGIES, months, names], names=["strategy", "month", column]).to_frame(index=False)
    values = _rng(23).normal(0, 0.004, len(rows))
    base = {"benchmark": benchmark, "value": values, "portfolio_return": 0.01, "benchmark_return": 0.008, "link": 0.99}
    return rows.assign(**base, available_at=(rows["month"] + pd.offsets.MonthEnd(0)).dt.tz_localize("UTC"))


def attribution() -> pd.DataFrame:
    return _months("effect", ("allocation", "selection", "interaction", "trading", "costs"), "SPY").assign(line="equity")


def factor_attribution() -> pd.DataFrame:
    return _months("factor", ("MKT_RF", "SMB", "specific"), "bill").assign(error=0.001, loading=0.8, loading_error=0.05)


PLOTTED: dict[str, Callable[[], pd.DataFrame]] = {
    f.__name__: f
    for f in (
        fct_returns,
        universe_membership,
        regimes,
        regime_probabilities,
        betas,
        volatilities,
        covariance_health,
        covariance_stability,
        scores,
        forecast_windows,
        forecast_bias,
        target_weights,
        portfolio_exposures,
        optimizer_solutions,
        backtest_ledger,
        drawdowns,
        stress_results,
        attribution,
        factor_attribution,
        quality_findings,
        liquidity,
    )
}


def raw_source(simulated: bool = True) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "provider": ["simulated" if simulated else "files"],
            "origin": ["test"],
            "simulated": [simulated],
            "label": ["Simulated market, seed 7, 12 funds" if simulated else "Folder of daily bars, 12 funds"],
            "fetched_until": [pd.Timestamp("2023-12-29 21:00", tz="UTC")],
        }
    )


SCORED = ("forecast", "momentum", "risk", "liquidity", "cost", "macro", "geo")


def rpt_current_weights() -> pd.DataFrame:
    newest = target_weights()
    newest = newest[newest["session"] == REBALANCES[-1]].reset_index(drop=True)
    fund = newest["ticker"] != "CASH"
    place = newest["ticker"].map({t: i for i, t in enumerate(FUNDS)})
    return pd.DataFrame(
        {
            "strategy": newest["strategy"],
            "ticker": newest["ticker"],
            "session": newest["session"],
            "name": np.where(fund, "Fund <" + newest["ticker"] + "> & Co", None),
            "asset_class": np.where(fund, place.map(dict(enumerate(CLASSES))), None),
            "weight": newest["weight"],
            "previous_weight": newest["previous_weight"],
            "trade": newest["weight"] - newest["previous_weight"],
            "expected_return": np.where(fund, 0.0613, np.nan),
            "forecast": np.where(fund, 0.0047, np.nan),
            "volatility": np.where(fund, 0.1487, np.nan),
            "risk_contribution": np.where(fund, 0.0833, np.nan),
            "score": np.where(fund, 0.71, np.nan),
            "rank": (place + 1).astype("Int64"),
            **{f"{part}_part": np.where(fund, 0.1, np.nan) for part in SCORED},
            "macro_as_of": pd.to_datetime(np.where(fund, pd.Timestamp("2023-11-01"), pd.NaT)),
            "geo_as_of": pd.NaT,
            "half_spread": np.where(fund, 0.00031, np.nan),
            "cost": np.where(fund, 2.3e-5, 0.0),
            "regime": "bear",
            "stressed": 0.91,
        }
    )


def rpt_performance() -> pd.DataFrame:
    rows = pd.DataFrame([(s, b) for s in BOOKS for b in ("gross", "net")], columns=["strategy", "cost_basis"])
    net = (rows["cost_basis"] == "net").to_numpy()
    rows = rows.assign(
        start=SESSIONS[0],
        end=SESSIONS[-1],
        cagr=np.where(net, 0.0682, 0.0731),
        volatility=0.1134,
        sharpe=np.where(net, 0.47, 0.52),
        sharpe_low=np.where(net, -0.31, -0.26),
        sharpe_high=np.where(net, 1.21, 1.27),
        sortino=0.66,
        calmar=0.31,
        max_drawdown=0.2213,
        cvar_95=0.0164,
        turnover=1.87,
        cost_drag=np.where(net, 0.0046, 0.0),
    )
    mine = (rows["strategy"] == "max_sharpe").to_numpy()
    rows = rows.assign(sharpe_minus_equal_weight=np.where(mine, -0.123, np.nan), sharpe_minus_equal_weight_p=0.456)
    return rows


def rpt_nav_monthly() -> pd.DataFrame:
    ledger = backtest_ledger()
    rows = ledger[(ledger["cost_basis"] == "net") & ledger["session"].isin(REBALANCES)]
    rows = rows[["strategy", "session", "nav"]].reset_index(drop=True)
    return rows.assign(
        month=rows["session"].dt.to_period("M").dt.start_time, monthly_return=rows.groupby("strategy")["nav"].pct_change()
    )


def rpt_drawdowns() -> pd.DataFrame:
    rows = drawdowns().sort_values(["strategy", "depth"], ascending=[True, False])
    rows["place"] = rows.groupby("strategy").cumcount() + 1
    return rows[["strategy", "place", "peak", "trough", "recovery", "depth", "sessions_under", "is_open"]]


def rpt_costs() -> pd.DataFrame:
    rows = pd.DataFrame([(s, y) for s in STRATEGIES for y in (2020, 2021, 2022, 2023)], columns=["strategy", "year"])
    rows = rows.assign(traded_value=3_456_789.0, spread_cost=1_234.5, impact_cost=345.6, commission=78.9, cost_bps=4.8)
    return rows


def rpt_stress() -> pd.DataFrame:
    rows = stress_results().sort_values(["strategy", "profit"])
    rows["place"] = rows.groupby("strategy").cumcount() + 1
    replay = rows["kind"] == "replay"
    rows["worst_ticker"] = np.where(replay, "EEM", None)
    rows["worst_contribution"] = np.where(replay, -0.0456, np.nan)
    rows["worst_factor"] = np.where(replay, "equity", None)
    rows["worst_factor_contribution"] = np.where(replay, -0.0789, np.nan)
    return rows[
        [
            "strategy",
            "place",
            "scenario",
            "title",
            "kind",
            "horizon",
            "profit",
            "low",
            "high",
            "standard_error",
            "coverage",
            "worst_ticker",
            "worst_contribution",
            "worst_factor",
            "worst_factor_contribution",
        ]
    ]


def rpt_universe() -> pd.DataFrame:
    rows = universe_membership()
    rows = rows[rows["session"].isin(REBALANCES)]
    return rows.groupby(["session", "reason"]).size().rename("funds").reset_index()


def rpt_survivorship() -> pd.DataFrame:
    both = {"start": SESSIONS[0], "end": SESSIONS[-1], "asset_class": "all", "rule": "equal_weight"}
    few = {"screens": "strict", "n_funds": 12, "n_ended": 3, "n_held_to_end": 1, "verdict": "too_few_endings"}
    many = {"screens": "all_listed", "n_funds": 90, "n_ended": 40, "n_held_to_end": 38, "verdict": "biased"}
    growth = {"cagr_full": 0.061, "cagr_survivors": 0.072, "cagr_gap": 0.011, "cagr_gap_low": 0.004, "cagr_gap_high": 0.017}
    risk = {"sharpe_gap": 0.08, "sharpe_gap_low": 0.02, "sharpe_gap_high": 0.13, "max_drawdown_gap": -0.012}
    rows = pd.DataFrame([{**both, **study, **growth, **risk} for study in (few, many)])
    return rows.assign(n_held_to_end=rows["n_held_to_end"].astype("Int64"))


def rpt_lifecycle() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ticker": ["ZED", "OLD"],
            "name": ["Zed <Fund>", None],
            "asset_class": ["equity", None],
            "inception": SESSIONS[[0, 0]],
            "first_session": SESSIONS[[0, 5]],
            "announced_at": pd.to_datetime(["2023-03-01 21:00", None], utc=True),
            "last_session": SESSIONS[[-180, -300]],
            "fate": ["closure", "unknown"],
            "liquidation_value": [24.1234, np.nan],
            "pay_date": [SESSIONS[-175], pd.NaT],
            "successor": [None, None],
            "ratio": [np.nan, np.nan],
            "basis": ["given", "inferred"],
            "known_from": pd.to_datetime(["2023-04-25 21:00", "2022-11-21 21:00"], utc=True),
            "evidence": ["liquidation of 24.1234", "no bar in 10 sessions"],
        }
    )


def rpt_data_quality() -> pd.DataFrame:
    found = quality_findings()
    rows = found.groupby(["session", "rule"]).agg(
        severity=("severity", "max"), findings=("ticker", "size"), tickers=("ticker", "nunique")
    )
    rows = rows.reset_index()
    return rows.assign(
        refused=np.where(rows["rule"] == "price_not_positive", rows["findings"], 0), bars=12, example="SPY: close <-1.0>"
    )


def rpt_quality_trend() -> pd.DataFrame:
    found = quality_findings()
    rows = found.assign(month=found["session"].dt.to_period("M").dt.to_timestamp()).groupby(["month", "rule"])
    rows = rows.agg(severity=("severity", "max"), findings=("ticker", "size"), tickers=("ticker", "nunique")).reset_index()
    return rows.assign(refused=0, bars=240, per_hundred_thousand=1e5 * rows["findings"] / 240)


def rpt_quality_newest() -> pd.DataFrame:
    found = quality_findings()
    rows = found[found["severity"] != "info"].sort_values(["session", "source_row"], ascending=[False, True]).head(50)
    rows = rows.assign(place=np.arange(1, len(rows) + 1), refused=rows["severity"] == "error", remedy="Ask the <source>.")
    order = ["place", "session", "ticker", "rule", "severity", "refused", "dataset", "source", "source_row", "found", "remedy"]
    return rows[order].reset_index(drop=True)


def rpt_restatements() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "known_at": pd.to_datetime(["2023-11-02 06:00", "2023-12-05 06:00"], utc=True),
            "dataset": "raw_prices",
            "ticker": FUNDS[:2],
            "fields": ["close, volume", "row"],
            "changes": [7, 3],
            "sessions": [5, 3],
            "first_session": SESSIONS[[-60, -40]],
            "last_session": SESSIONS[[-50, -38]],
            "largest_change": [0.0125, np.nan],
        }
    )


def rpt_edge() -> pd.DataFrame:
    record = {
        "kind": "strategy",
        "claim": "skill",
        "statement": "Its record after costs is better than luck.",
        "verdict": "no_edge",
        "why": "Sharpe ratio 0.41 a year after costs over 4.1 years. Confidence that it is not luck: 31 % (95 % is needed).",
        "estimate": 0.41,
        "p_value": 0.2,
        "p_adjusted": 0.69,
        "n_obs": 1042,
        "psr": 0.8,
        "dsr": 0.31,
        "n_trials": 14,
        "min_track_record": 2520.0,
        "pbo": 0.4,
        "spa_p": 0.62,
        "in_mcs": True,
    }
    claim = {
        "kind": "forecast",
        "subject": "ensemble",
        "claim": "ic",
        "statement": "Funds that it ranks higher do better afterwards.",
        "verdict": "no_edge",
        "why": "Mean rank correlation 0.043.",
        "estimate": 0.043,
        "p_value": 0.021,
        "p_adjusted": 0.08,
        "n_obs": 1021,
        "n_effective": 56.0,
    }
    over = claim | {"kind": "strategy", "subject": "max_sharpe", "claim": "sharpe_over_SPY", "verdict": "not_enough_data"}
    over |= {"statement": "It earns more for its risk than SPY.", "p_adjusted": np.nan}
    whole = {name: record[name] for name in ("verdict", "estimate", "p_value", "p_adjusted", "n_obs")}
    whole |= {"kind": "overall", "subject": "all", "claim": "edge", "statement": "There is an edge.", "why": "0 of 2 stand."}
    worse = record | {"subject": "risk_parity", "dsr": 0.2, "min_track_record": np.nan}
    rows = [whole, record | {"subject": "max_sharpe"}, worse, claim, claim | {"subject": "ridge"}, over]
    frame = pd.DataFrame(rows)
    return frame.assign(n_trials=frame["n_trials"].astype("Int64"), in_mcs=frame["in_mcs"].astype("boolean"))


def rpt_regimes() -> pd.DataFrame:
    states = regimes().set_index("session")["regime"]
    rows = pd.DataFrame(spells(states), columns=["start", "end", "regime", "sessions"])
    newest = rows.index == len(rows) - 1
    rows = rows.assign(is_open=newest, end=rows["end"].where(~newest), market_return=0.0412, return_when_known=0.0287)
    return rows.assign(max_drawdown=0.0511, mean_vix=18.3, mean_stressed=0.123)


def rpt_market_context() -> pd.DataFrame:
    rows = pd.DataFrame(
        [
            ("rates", 4.34, 1.31, "yields have risen: weighs on <long> bonds", "first"),
            ("inflation", 306.5, -0.24, "inflation near its mean", "latest"),
            ("dollar", np.nan, np.nan, "US dollar unknown", None),
            ("labour", 238_000.0, 0.2, "slack in the labour market near its mean", "latest"),
        ],
        columns=["dimension", "value", "z", "meaning", "vintage"],
    )
    released = pd.Timestamp("2023-12-27 20:30", tz="UTC")
    rows = rows.assign(session=SESSIONS[-1], z_change_21=0.1, as_of=pd.Timestamp("2023-11-01"), released_at=released)
    return rows.assign(regime="bear", regime_reason="neither condition held", stressed=0.378, stressed_21=0.31)


def rpt_macro_tilts() -> pd.DataFrame:
    moved = [3, -1, -2, *[0] * (len(FUNDS) - 3)]
    rows = pd.DataFrame({"ticker": FUNDS, "asset_class": CLASSES, "rank": range(1, len(FUNDS) + 1)})
    rows = rows.assign(session=SESSIONS[-1], name="Fund <" + rows["ticker"] + ">", places_gained=moved)
    rows = rows.assign(rank_without=rows["rank"] + moved, score=0.3, macro_part=0.05, geo_part=-0.02, macro_multiplier=1.0513)
    return rows.assign(
        geo_multiplier=0.9802,
        macro_as_of=pd.Timestamp("2023-11-01"),
        geo_as_of=pd.Timestamp("2023-12-01"),
        vintage="latest",
        reason="ten-year yield +1.3 sd weighs on <government> funds",
    )


def rpt_volatility_term() -> pd.DataFrame:
    rows = pd.DataFrame({"asset_class": ["equity", "bond"], "ticker": ["SPY", "AGG"], "daily_value": [2e10, 1e9]})
    near, far = np.array([0.1231, 0.0612]), np.array([0.1672, 0.0581])
    return rows.assign(
        name=rows["ticker"] + " & Co",
        session=SESSIONS[-1],
        garch_21=near,
        garch_63=(near + far) / 2,
        garch_252=far,
        composite=near,
        realised_30=near,
        realised_90=near,
        realised_252=[0.1543, 0.06],
        volatility=near,
        source="garch",
    )


def rpt_betas() -> pd.DataFrame:
    rows = betas()
    rows = rows[rows["session"] == SESSIONS[-1]].drop(columns="beta_error").reset_index(drop=True)
    place = np.arange(len(rows))
    return rows.assign(
        name="Fund " + rows["ticker"],
        asset_class=CLASSES,
        tested=pd.Timestamp("2023-09-29"),
        beta_calm=rows["beta"] - 0.1,
        beta_stressed=rows["beta"] + 0.2,
        conditional_p_holm=0.031,
        conditional_verdict=np.where(place == 1, "higher_in_stress", np.where(place == 2, "lower_in_stress", "no_difference")),
        break_session=pd.Timestamp("2021-05-04"),
        beta_before=0.6,
        beta_after=0.9,
        stability_p_holm=0.02,
        stability_verdict=np.where(place == 3, "unstable", "stable"),
    )


def rpt_factor_exposures() -> pd.DataFrame:
    whole = portfolio_exposures()
    whole = whole[whole["session"] == REBALANCES[-1]].drop(columns=["benchmark_loading", "benchmark_coverage"])
    whole = whole.assign(holder="PORTFOLIO", weight=1.0)
    keys = [(s, t, f) for s in STRATEGIES for t in FUNDS for f in ("MKT_RF", "SMB")]
    funds = pd.DataFrame(keys, columns=["strategy", "holder", "factor"]).assign(benchmark="none", session=REBALANCES[-1])
    funds = funds.assign(weight=0.08, loading=0.7, error=0.05, coverage=1.0, r_squared=0.8, is_weak=False, match="own")
    funds = funds.assign(alarm=funds["holder"] == "QQQ", drift="no drift")
    funds["drift"] = funds["drift"].mask(funds["holder"] == "QQQ", "drift: CMA -0.01 -> -0.50")
    funds["drift"] = funds["drift"].mask(funds["holder"] == "TLT", "not tested: share factors explain too little")
    rows = pd.concat([whole, funds], ignore_index=True)
    return rows.astype({"alarm": "boolean", "is_weak": "boolean"})


def rpt_volatility_evaluation() -> pd.DataFrame:
    rows = pd.DataFrame({"estimator": ["composite", "ewma", "garch_21", "realised_252"]})
    rows = rows.assign(verdict=["better", "worse", "no_difference", "no_difference"], dm_p=[0.03, 0.01, 0.4, np.nan])
    rows = rows.assign(
        funds=12, outcomes=694, better=0.1, worse=0.05, no_difference=[0.8, 0.85, 0.9, 1.0], qlike=[0.2, 0.3, 0.4, 0.5]
    )
    return rows.assign(qlike_difference=0.1, dm=2.0, mz_slope=0.8, mz_slope_median=0.7, unbiased=0.6)


def rpt_covariance_stability() -> pd.DataFrame:
    rows = pd.DataFrame({"estimator": ["sample", "oas", "scaled_ledoit_wolf", "ewma"]})
    rows = rows.assign(min_variance_verdict=["reference", "worse", "better", "no_difference"], n_months=59)
    rows = rows.assign(balanced_verdict="no_difference", log_likelihood_verdict="no_difference", mean_assets=11.0)
    rows = rows.assign(first_session=SESSIONS[0], last_session=SESSIONS[-1], repaired_share=0.0, median_condition_number=174.9)
    rows = rows.assign(median_effective_rank=4.7, median_first_share=0.5, median_gross_exposure=1.8)
    return rows.assign(min_variance_volatility=[0.021, 0.031, 0.02, 0.022])


def rpt_scoring() -> pd.DataFrame:
    rows = pd.DataFrame({"subject": ["blend", "regime", "regime_and_macro"], "against": ["equal", "fixed", "regime"]})
    rows = rows.assign(sessions=731, note=["", "", "final revisions"], verdict=["adaptive_better", "no_difference", "not_judged"])
    named = {f"verdict_{part}": "no_difference" for part in ("bull", "bear", "sideways", "ic", "within_class", "top_excess")}
    return rows.assign(**named, ic_difference=0.0226)


def macro_skill() -> pd.DataFrame:
    rows = pd.DataFrame([(s, p) for s in ("all", "covid_2020") for p in ("both", "macro")], columns=["scope", "part"])
    whole = rows["scope"] == "all"
    rows = rows.assign(mean_ic=-0.01, error=0.06, t=-0.2, n=58, n_effective=np.where(whole, 58.0, 2.5))
    return rows.assign(verdict=np.where(whole, "no_skill", "insufficient"), vintage="latest", claim_allowed=False)


def rpt_macro_replay() -> pd.DataFrame:
    rows = pd.DataFrame({"ticker": FUNDS, "rank_peak": np.arange(1.0, 13.0), "outcome": ["right side"] * 7 + ["wrong side"] * 5})
    dates = {"before": pd.Timestamp("2020-02-14"), "peak": pd.Timestamp("2020-03-04"), "after": pd.Timestamp("2020-04-30")}
    rows = rows.assign(event="covid_2020", title="COVID-19 crash", name="Fund " + rows["ticker"], **dates)
    rows = rows.assign(
        macro_peak=1.2114, geo_peak=1.0355, place_by_move=np.arange(1, 13), vintage="latest", reason="yield -2.0 sd"
    )
    return rows.assign(return_following=0.0542)


def rpt_attribution() -> pd.DataFrame:
    effects = {
        ("allocation", "bond"): -0.0231,
        ("selection", "equity"): 0.0112,
        ("costs", "all"): -0.0017,
        ("residual", "all"): 1e-16,
    }
    priced = {("factor", "MKT_RF"): -0.0173, ("factor", "SMB"): 0.0037}
    both = [("holdings", k, v) for k, v in effects.items()] + [("factors", k, v) for k, v in priced.items()]
    rows = pd.DataFrame(
        [
            (strategy, benchmark, span, kind, effect, line, value * (4 if span == "all" else 1), value)
            for strategy in STRATEGIES
            for benchmark in ("SPY", "equal_weight")
            for span in ("all", "2022", "2023")
            for kind, (effect, line), value in both
            if strategy != benchmark
        ],
        columns=["strategy", "benchmark", "span", "kind", "effect", "line", "value", "annual"],
    )
    rows = rows.assign(error=np.where(rows["kind"] == "factors", 0.02, np.nan), portfolio_return=0.2312, benchmark_return=0.3126)
    return rows.assign(first_month=pd.Timestamp("2020-02-01"), last_month=pd.Timestamp("2023-12-01"))


def rpt_decisions() -> pd.DataFrame:
    rows = pd.DataFrame({"strategy": STRATEGIES, "newest_verdict": ["hold_band", "forced", "hold_cost"]})
    rows = rows.assign(first_session=REBALANCES[0], last_session=REBALANCES[-1], decisions=48, trades=11, forced=4)
    rows = rows.assign(held_by_band=3, held_by_cost=28, held_unsolved=2, turnover=3.14, turnover_saved=2.72, cost=0.0031)
    return rows.assign(
        cost_saved=0.0018, median_gain=0.0004, median_hurdle=0.0006, gain_forgone=0.012, newest_breach="max_weight of <SPY>"
    )


def rpt_trade_list() -> pd.DataFrame:
    rows = pd.DataFrame([(s, t) for s in STRATEGIES for t in ("SPY", "TLT")], columns=["strategy", "ticker"])
    buy = (rows["ticker"] == "SPY").to_numpy()
    rows = rows.assign(
        session=REBALANCES[-1], side=np.where(buy, "buy", "sell"), previous_weight=0.05, weight=np.where(buy, 0.12, 0.02)
    )
    rows = rows.assign(reason=np.where(buy, "more of it", "less of it"), holdings="model", price=471.23, base_currency="USD")
    rows = rows.assign(trade_value=np.where(buy, 70_000.0, -30_000.0), shares=np.where(buy, 148.55, -63.66), cost_value=12.34)
    return rows.assign(verdict="trade")


def _completed(make: Callable[[], pd.DataFrame]) -> Callable[[], pd.DataFrame]:
    """The same rows, with every other column of the contract that may be unknown, unknown."""

    def completed() -> pd.DataFrame:
        rows = make()
        absent = [name for name, rule in TABLES[make.__name__].columns.items() if rule.nullable and name not in rows]
        return rows.assign(**{name: pd.Series([None] * len(rows), index=rows.index, dtype=object) for name in absent})

    return completed


REPORTED: dict[str, Callable[[], pd.DataFrame]] = {
    f.__name__: _completed(f)
    for f in (
        raw_source,
        rpt_edge,
        rpt_current_weights,
        rpt_performance,
        rpt_nav_monthly,
        rpt_drawdowns,
        rpt_costs,
        rpt_stress,
        rpt_universe,
        rpt_survivorship,
        rpt_lifecycle,
        rpt_data_quality,
        rpt_quality_trend,
        rpt_quality_newest,
        rpt_restatements,
        forecast_bias,
        forecast_windows,
        regimes,
        optimizer_solutions,
        regime_probabilities,
        rpt_regimes,
        rpt_market_context,
        rpt_macro_tilts,
        rpt_volatility_term,
        rpt_betas,
        rpt_factor_exposures,
        rpt_volatility_evaluation,
        rpt_covariance_stability,
        rpt_scoring,
        macro_skill,
        rpt_macro_replay,
        rpt_attribution,
        rpt_decisions,
        rpt_trade_list,
    )
}
