"""Real holdings and flows: read from files, rejected by row, valued, drifted, and where the next rebalance starts."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from portfolio_market import make_market

from etf_pipeline.conventions import CASH
from etf_pipeline.errors import DataError
from etf_pipeline.orchestration.portfolio_files import REMEDIES, read_portfolio_files
from etf_pipeline.portfolio import PortfolioParameters, build_portfolios
from etf_pipeline.recipes import run_sql
from etf_pipeline.schemas import TABLES, from_arrow
from etf_pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SHORT = make_market(years=0.6, seed=1)
ENDS = np.sort(SHORT.covariances["session"].unique())
PARAMETERS = PortfolioParameters(strategies=("min_variance",), ruled=())
NO_FLOWS = from_arrow(TABLES["raw_flows"].arrow_schema.empty_table())


def holdings(as_of, **values: float) -> pd.DataFrame:
    """Rows of `fct_holdings`."""
    frame = pd.DataFrame({"ticker": list(values), "value": list(values.values())})
    return frame.assign(
        strategy="min_variance",
        as_of=pd.Timestamp(as_of),
        shares=frame["value"] / 10.0,
        price=10.0,
        priced_on=pd.Timestamp(as_of),
        available_at=pd.Timestamp(as_of, tz="UTC"),
    )


def flows(date, amount: float) -> pd.DataFrame:
    return pd.DataFrame({"strategy": "min_variance", "date": [pd.Timestamp(date)], "amount": [amount]})


def before(made, session) -> pd.Series:
    weights = made.target_weights
    return weights[weights["session"] == session].set_index("ticker")["previous_weight"]


def test_the_first_rebalance_after_a_statement_starts_from_it_and_earlier_history_stands():
    as_of = ENDS[3]
    told = holdings(as_of, T03=300_000.0, T20=600_000.0, CASH=100_000.0)
    made = build_portfolios(*SHORT.tables(), PARAMETERS, None, told, NO_FLOWS)
    model = build_portfolios(*SHORT.tables(), PARAMETERS)
    np.testing.assert_allclose(before(made, as_of)[["T03", "T20", CASH]], [0.3, 0.6, 0.1], rtol=1e-12)
    value = made.rebalance_decisions.set_index("session")["portfolio_value"]
    assert value[as_of] == 1_000_000.0
    for one, two in zip(made, model, strict=True):
        early = [frame[frame["session"] < as_of].reset_index(drop=True) for frame in (one, two)]
        pd.testing.assert_frame_equal(*early, check_exact=True)
    rows = made.target_weights.query("session == @as_of and previous_weight > 0").set_index("ticker")
    assert set(rows.index) == {"T03", "T20", CASH}
    assert (rows.loc[["T03", "T20"], "weight"] <= 0.15 + 1e-12).all()  # sold down from 30 % and 60 %


def test_a_statement_between_two_decisions_drifts_from_its_close_to_the_next():
    closes = SHORT.returns.pivot(index="session", columns="ticker", values="index_close")
    as_of, then = closes.index[closes.index < ENDS[3]][-6], ENDS[3]
    made = build_portfolios(*SHORT.tables(), PARAMETERS, None, holdings(as_of, T03=40.0, T20=60.0), NO_FLOWS)
    value = np.array([40.0, 60.0]) * (closes.loc[then] / closes.loc[as_of])[["T03", "T20"]].to_numpy()
    np.testing.assert_allclose(before(made, then)[["T03", "T20"]], value / value.sum(), rtol=1e-12)
    decided = made.rebalance_decisions.set_index("session")["portfolio_value"]
    assert decided[then] == pytest.approx(value.sum(), rel=1e-12)


def test_money_that_comes_is_cash_and_money_that_goes_makes_the_funds_weigh_more():
    as_of, then = ENDS[3], ENDS[4]
    told = holdings(as_of, T03=500_000.0, T20=500_000.0)
    plain = build_portfolios(*SHORT.tables(), PARAMETERS, None, told, NO_FLOWS)
    paid = build_portfolios(*SHORT.tables(), PARAMETERS, None, told, flows(then, 250_000.0))
    worth = plain.rebalance_decisions.set_index("session")["portfolio_value"]
    np.testing.assert_allclose(
        paid.rebalance_decisions.set_index("session")["portfolio_value"][then], worth[then] + 250_000.0, rtol=1e-12
    )
    share = worth[then] / (worth[then] + 250_000.0)
    funds = before(plain, then).drop(CASH)
    np.testing.assert_allclose(before(paid, then)[funds.index], funds * share, rtol=1e-12)
    with pytest.raises(DataError, match="take out 9,000,000"):
        build_portfolios(*SHORT.tables(), PARAMETERS, None, told, flows(then, -9e6))


def test_a_holding_outside_the_universe_is_sold_by_name():
    told = holdings(ENDS[3], T05=500_000.0, GOLDBAR=500_000.0)
    made = build_portfolios(*SHORT.tables(), PARAMETERS, None, told, NO_FLOWS)
    row = made.rebalance_decisions.set_index("session").loc[ENDS[3]]
    assert row["verdict"] == "forced"
    assert "GOLDBAR left" in row["breach"]
    sold = made.target_weights.query("ticker == 'GOLDBAR'")
    assert sold["weight"].tolist() == [0.0]
    assert sold["cost"].iloc[0] > 0


def test_a_holding_without_a_price_is_refused_by_name():
    told = holdings(ENDS[3], T03=1.0).assign(value=np.nan)
    with pytest.raises(DataError, match=r"need a price for .'T03'"):
        build_portfolios(*SHORT.tables(), PARAMETERS, None, told, NO_FLOWS)


def test_a_later_statement_or_flow_changes_nothing_before_it():
    cut = ENDS[4]
    early = holdings(ENDS[2], T03=1e6)
    late = pd.concat([early, holdings(cut + np.timedelta64(3, "D"), T20=5e6)], ignore_index=True)
    one = build_portfolios(*SHORT.tables(), PARAMETERS, None, early, flows(ENDS[3], 1e5))
    later, none = flows(cut + np.timedelta64(1, "D"), 7e5), early.iloc[:0]
    never, soon = (build_portfolios(*SHORT.tables(), PARAMETERS, None, none, told) for told in (NO_FLOWS, later))
    for left, right in zip(never, soon, strict=True):  # nor does it make a model portfolio a real one before its day
        kept = [frame[frame["session"] <= cut].reset_index(drop=True) for frame in (left, right)]
        pd.testing.assert_frame_equal(*kept, check_exact=True)
    more = pd.concat([flows(ENDS[3], 1e5), flows(cut + np.timedelta64(1, "D"), 7e5)], ignore_index=True)
    two = build_portfolios(*SHORT.tables(), PARAMETERS, None, late, more)
    for left, right in zip(one, two, strict=True):
        kept = [frame[frame["session"] <= cut].reset_index(drop=True) for frame in (left, right)]
        pd.testing.assert_frame_equal(*kept, check_exact=True)


def test_files_become_rows_and_bad_rows_become_rejects(tmp_path):
    for name in ("mandates", "holdings", "flows"):
        (tmp_path / name).mkdir()
    (tmp_path / "mandates" / "family.yaml").write_text("strategy: hrp\n", encoding="utf-8")
    (tmp_path / "holdings" / "family.csv").write_text(
        "as_of,ticker,shares,price\n2024-06-28,spy,10,\n2024-06-28,AGG,5,98.5\n2024-06-28,CASH,1000,\n"
        "28.06.2024,SPY,1,\n2024-05-31,NOPE,1,\n2024-04-30,AGG,7,\n2024-04-30,AGG,7,\n2024-03-28,TLT,-3,\n"
        "2024-02-29,TLT,3,free\n2024-02-29,SPY,3,\n",
        encoding="utf-8",
    )
    (tmp_path / "holdings" / "stranger.csv").write_text("as_of,ticker,shares\n", encoding="utf-8")
    (tmp_path / "holdings" / "hrp.csv").write_text("as_of,shares\n2024-06-28,1\n", encoding="utf-8")
    (tmp_path / "flows" / "family.csv").write_text("date,amount\n2024-06-30,-500\n2024-07-01,lots\n", encoding="utf-8")
    files = read_portfolio_files(Settings(home=tmp_path), frozenset({"SPY", "AGG", "TLT"}))
    assert files.holdings[["ticker", "shares"]].to_numpy().tolist() == [["SPY", 10.0], ["AGG", 5.0], ["CASH", 1000.0]]
    assert files.flows["amount"].tolist() == [-500.0]
    told = sorted(zip(files.rejects["source"], files.rejects["source_row"], files.rejects["rule"], strict=True))
    assert told == [
        ("flows/family.csv", 1, "unreadable_number"),
        ("holdings/family.csv", 3, "unreadable_date"),
        ("holdings/family.csv", 4, "unknown_ticker"),
        ("holdings/family.csv", 5, "incomplete_statement"),
        ("holdings/family.csv", 6, "repeated_row"),
        ("holdings/family.csv", 7, "unreadable_number"),
        ("holdings/family.csv", 8, "unreadable_number"),
        ("holdings/family.csv", 9, "incomplete_statement"),
        ("holdings/hrp.csv", -1, "missing_column"),
        ("holdings/stranger.csv", -1, "unknown_portfolio"),
    ]
    assert set(files.rejects["remedy"]) <= set(REMEDIES.values())
    for name, frame in (("raw_mandates", files.mandates), ("raw_holdings", files.holdings), ("raw_flows", files.flows)):
        TABLES[name].check(TABLES[name].to_arrow(frame))
    TABLES["raw_rejects"].check(TABLES["raw_rejects"].to_arrow(files.rejects))


def rejected(tmp_path: Path, content: bytes) -> tuple[list[list[object]], list[str]]:
    """Holdings and rules broken of one file of `hrp`."""
    (tmp_path / "holdings").mkdir()
    (tmp_path / "holdings" / "hrp.csv").write_bytes(content)
    (tmp_path / "holdings" / "folder.csv").mkdir()
    files = read_portfolio_files(Settings(home=tmp_path), frozenset({"SPY", "AGG"}))
    return files.holdings[["ticker", "shares"]].to_numpy().tolist(), files.rejects["rule"].tolist()


@pytest.mark.parametrize(
    ("content", "kept", "rules"),
    [
        (b"\xef\xbb\xbfas_of,ticker,shares\r\n2024-06-28,SPY,10\r\n", [["SPY", 10.0]], []),  # as spreadsheets save it
        (b"as_of,ticker,shares\n2024-06-28,SPY,10,\n\n2024-06-28,CASH,5,,\n", [["SPY", 10.0], ["CASH", 5.0]], []),
        (b"as_of, ticker ,shares\n2024-06-28, SPY ,10\n", [["SPY", 10.0]], []),
        (b"as_of,ticker,shares\n2024-06-28,SPY,10,98.5\n", [], ["unreadable_file"]),  # a price without its column
        (b"as_of,ticker,shares,shares\n2024-06-28,SPY,10,11\n", [], ["unreadable_file"]),
        ("as_of,ticker,shares\n2024-06-28,SPY,10\n".encode("utf-16"), [], ["unreadable_file"]),
        (b"as_of,ticker,shares\n2024-06-28,SP\xdc,10\n", [], ["unreadable_file"]),
        (b"", [], ["unreadable_file"]),
        (b"as_of,ticker,shares\n2024-06-28,SPY\n", [], ["unreadable_number"]),
        (b'as_of,ticker,shares\n2024-06-28,SPY,"1,000"\n', [], ["unreadable_number"]),
        (b"as_of,ticker,shares\n2024-06-28,SPY,inf\n2024-06-28,AGG,nan\n", [], ["unreadable_number"] * 2),
        (b"as_of,ticker,shares\n9999-12-31,SPY,1\n2024-02-30,SPY,1\n", [], ["unreadable_date"] * 2),
    ],
)
def test_whatever_a_spreadsheet_saves_is_read_or_refused_by_row(tmp_path, content, kept, rules):
    assert rejected(tmp_path, content) == (kept, rules)


def test_a_statement_with_one_bad_row_is_not_used_in_part(tmp_path):
    content = b"as_of,ticker,shares\n2024-06-28,SPY,10\n2024-06-28,NOPE,1\n2024-05-31,AGG,1\n"
    kept, rules = rejected(tmp_path, content)
    assert (kept, sorted(rules)) == ([["AGG", 1.0]], ["incomplete_statement", "unknown_ticker"])


def test_no_folders_are_no_files(tmp_path):
    files = read_portfolio_files(Settings(home=tmp_path), frozenset())
    for name, frame in (("raw_mandates", files.mandates), ("raw_holdings", files.holdings), ("raw_flows", files.flows)):
        assert TABLES[name].to_arrow(frame).num_rows == 0
    assert TABLES["raw_rejects"].to_arrow(files.rejects).num_rows == 0


def test_a_statement_is_valued_at_its_own_price_else_at_the_newest_close_by_then():
    with duckdb.connect() as connection:
        held = connection.sql(
            """
            select
                'a' as strategy, date '2024-06-30' as as_of, ticker, shares, price,
                timestamptz '2024-06-30 00:00:00+00' as available_at
            from (values ('SPY', 10, null), ('AGG', 5, 98.5), ('CASH', 7, null), ('NEW', 1, null)) as t (ticker, shares, price)
            """
        ).to_arrow_table()
        prices = connection.sql(
            """
            select ticker, session, close
            from (values ('SPY', date '2024-06-27', 540.0), ('SPY', date '2024-06-28', 544.0), ('SPY', date '2024-07-01', 999.0),
                         ('AGG', date '2024-06-28', 97.0), ('NEW', date '2024-07-01', 10.0)) as t (ticker, session, close)
            """
        ).to_arrow_table()
    query = (ROOT / "dbt_like_sql" / "marts" / "fct_holdings.sql").read_text(encoding="utf-8")
    made = TABLES["fct_holdings"].conform(run_sql(query, {"raw_holdings": held, "fct_prices": prices}))
    value = {row["ticker"]: row["value"] for row in made.to_pylist()}
    assert value == {"SPY": 5440.0, "AGG": 492.5, "CASH": 7.0, "NEW": None}


def test_the_trade_list_counts_shares_by_hand_and_rests_on_the_newest_statement_before_the_decision():
    day = pd.Timestamp("2024-06-28")
    frames = {
        "rebalance_decisions": pd.DataFrame(
            {
                "strategy": ["a", "a"],
                "session": [pd.Timestamp("2024-05-31"), day],
                "traded": True,
                "verdict": ["trade", "forced"],
                "breach": "VaR",
                "portfolio_value": [1.0, 3e6],
                "fx_rate": [1.0, 0.5],
                "base_currency": "AUD",
            }
        ),
        "target_weights": pd.DataFrame(
            {
                "strategy": "a",
                "session": day,
                "ticker": ["SPY", "AGG", "TLT", "CASH"],
                "previous_weight": [0.2, 0.3, 0.0, 0.5],
                "weight": [0.1, 0.3, 0.4, 0.2],
                "cost": [0.001, 0.0, 0.002, 0.0],
            }
        ),
        "fct_prices": pd.DataFrame(
            {"ticker": ["SPY", "SPY", "TLT"], "session": [day, day + pd.Timedelta(days=3), day], "close": [500.0, 9.0, 100.0]}
        ),
        "dim_etf": pd.DataFrame({"ticker": ["SPY", "TLT"], "traded_ticker": ["SPY", "TLT"]}),
        "fct_holdings": pd.DataFrame({"strategy": "a", "as_of": [day - pd.Timedelta(days=9), day + pd.Timedelta(days=9)]}),
    }
    query = (ROOT / "dbt_like_sql" / "reports" / "rpt_trade_list.sql").read_text(encoding="utf-8")
    made = run_sql(query, {name: pa.Table.from_pandas(frame) for name, frame in frames.items()}).to_pandas().set_index("ticker")
    assert sorted(made.index) == ["SPY", "TLT"]  # neither cash nor what stays
    assert set(made["holdings"]) == {"stated"}
    assert set(pd.to_datetime(made["stated_on"])) == {day - pd.Timedelta(days=9)}
    # A$3m are US$1.5m: a tenth less of SPY at 500 is 300 shares, four tenths of TLT at 100 are 6,000
    assert made["shares"].to_dict() == pytest.approx({"SPY": -300.0, "TLT": 6000.0})
    assert made["trade_value"].to_dict() == pytest.approx({"SPY": -3e5, "TLT": 1.2e6})
    assert made["cost_value"].to_dict() == pytest.approx({"SPY": 3000.0, "TLT": 6000.0})
    assert made.loc["SPY", "reason"].endswith(": VaR")
    assert made.loc["TLT", "reason"] == "new holding"
