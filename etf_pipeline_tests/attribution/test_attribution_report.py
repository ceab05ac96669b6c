"""The report links months to years by SQL as Python links sessions to months."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as arrow

from etf_pipeline.attribution import carino
from etf_pipeline.recipes import run_sql
from etf_pipeline.schemas import TABLES
from etf_pipeline.sql_models import load_models


def months(n: int = 30, seed: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Effects of `n` months that sum to their active returns, by holdings and by factors."""
    rng = np.random.default_rng(seed)
    when = pd.date_range("2021-11-01", periods=n, freq="MS")
    effects, benchmark = rng.normal(0, 0.01, (n, 2)), rng.normal(0.005, 0.03, n)
    own = benchmark + effects.sum(axis=1)
    base = pd.DataFrame({"month": when, "portfolio_return": own, "benchmark_return": benchmark, "link": carino(own, benchmark)})
    base = base.assign(strategy="s", benchmark="SPY")
    holdings = [base.assign(line=name, effect="allocation", value=effects[:, k]) for k, name in enumerate(("bond", "equity"))]
    factors = [base.assign(factor=name, error=0.001, value=effects[:, k]) for k, name in enumerate(("MOM", "specific"))]
    return pd.concat(holdings), pd.concat(factors)


def test_effects_of_every_span_sum_to_its_compounded_active_return() -> None:
    holdings, factors = months()
    inputs = {
        name: arrow.Table.from_pandas(frame, preserve_index=False)
        for name, frame in (("attribution", holdings), ("factor_attribution", factors))
    }
    table = TABLES["rpt_attribution"].conform(run_sql(load_models()["rpt_attribution"].sql, inputs))
    TABLES["rpt_attribution"].check(table)
    found = table.to_pandas()
    spans = found.groupby(["span", "kind"]).agg(
        v=("value", "sum"), a=("annual", "sum"), r=("portfolio_return", "first"), b=("benchmark_return", "first")
    )
    np.testing.assert_allclose(spans["v"], spans["r"] - spans["b"], atol=1e-12)
    whole = holdings.drop_duplicates("month")
    growth = [np.prod(1 + whole[c]) for c in ("portfolio_return", "benchmark_return")]
    np.testing.assert_allclose(spans.loc["all", "r"], growth[0] - 1, rtol=1e-12)
    np.testing.assert_allclose(spans.loc["all", "a"], growth[0] ** (12 / 30) - growth[1] ** (12 / 30), rtol=1e-10)
    assert sorted(found["span"].unique()) == ["2021", "2022", "2023", "2024", "all"]
