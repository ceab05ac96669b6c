"""Sections on how far to believe the rest: forecast record, universe and provenance."""

from __future__ import annotations

from typing import Any

import pandas as pd

from etf_pipeline.reporting.formats import (
    basis_points,
    count,
    day,
    flag,
    number,
    percent,
    probability,
    squared,
    text,
    tick,
    words,
)
from etf_pipeline.reporting.page import Column, Fact, Section, grid
from etf_pipeline.reporting.report_tables import TABLE_NAMES, ReportTables
from etf_pipeline.reporting.svg import lines, stacked

TONES = {"improved": "good", "worse": "bad"}

BIAS = (
    Column("Funds", "asset_class", words, numeric=False),
    Column("Forecasts", "n", count),
    Column("Worth, independent", "n_effective", lambda v: number(v, 0)),
    Column("Bias in sample", "in_sample_bias", lambda v: basis_points(v, signed=True)),
    Column("Bias out of fold", "out_of_fold_bias", lambda v: basis_points(v, signed=True)),
    Column("95 % interval", "interval", text),
    Column("After correction", "corrected_bias", lambda v: basis_points(v, signed=True)),
    Column("Squared error before", "mse_raw", squared),
    Column("Squared error after", "mse_corrected", squared),
    Column("p-value, for all rows together", "dm_p_adjusted", probability),
    Column("Verdict", "verdict", words, numeric=False, tone=lambda v: TONES.get(v, "")),
)

WINDOWS = (
    Column("Window", "window", count),
    Column("Trained to", "train_end", day, numeric=False),
    Column("Tested from", "test_start", day, numeric=False),
    Column("To", "test_end", day, numeric=False),
    Column("Forecasts", "n_test", count),
    Column("Rank correlation", "information_coefficient", lambda v: number(v, 3, signed=True)),
    Column("Right sign", "hit_rate", percent),
    Column("Bias", "test_bias", lambda v: basis_points(v, signed=True)),
    Column("Squared error", "mse", squared),
    Column("Of forecasting zero", "mse_zero", squared),
)

UNIVERSE = (
    Column("Outcome", "reason", words, numeric=False),
    Column("Funds", "funds", count, bar=True),
)

NEWEST = 8
"""Windows listed, the newest first."""


def forecasts(tables: ReportTables) -> Section:
    """Bias in and out of fold, what correction did, and the skill of every window."""
    bias = tables.forecast_bias
    bias = bias.assign(
        interval=[f"{basis_points(r.ci_low, signed=True)} to {basis_points(r.ci_high, signed=True)}" for r in bias.itertuples()],
        _part=bias["asset_class"] != "all",
        _model=bias["model"] != "ensemble",
    ).sort_values(["_model", "model", "_part", "asset_class"], kind="stable")
    windows = tables.forecast_windows.sort_values(["model", "window"])
    recent = windows.groupby("model").tail(NEWEST)[::-1].sort_values(["model", "window"], ascending=[True, False])
    return Section(
        key="forecasts",
        heading="Can the forecasts be believed?",
        sentence=(
            "A model always looks unbiased on the data it was trained on; only data it never saw count. "
            "A verdict of 'no difference' means that the correction did no more than chance would."
        ),
        sources=("forecast_bias", "forecast_windows"),
        charts=(_skill(windows),) if windows["information_coefficient"].notna().any() else (),
        grids=(
            grid(bias, BIAS, f"Forecast bias over {_horizons(bias)} sessions, by model", by="model", title=words, folded=True),
            grid(
                recent,
                WINDOWS,
                f"Newest {NEWEST} walk-forward windows of each model, out of sample",
                by="model",
                title=words,
                folded=True,
            ),
        ),
        note=(
            "Bias: mean forecast less outcome, in hundredths of a percent (bp). Overlapping forecasts repeat each other: "
            "'worth, independent' says how many independent sessions they equal, and the interval allows for it. "
            "Squared errors are in units of one percent squared."
        ),
    )


def _horizons(bias: pd.DataFrame) -> str:
    return ", ".join(str(h) for h in sorted(bias["horizon"].unique()))


def _skill(windows: pd.DataFrame) -> Any:
    series = {words(m): part.set_index("test_start")["information_coefficient"] for m, part in windows.groupby("model")}
    last = "; ".join(f"{label} {number(v.iloc[-1], 3, signed=True)}" for label, v in series.items())
    return lines(
        series,
        tick,
        dots=True,
        alt=f"Rank correlation of forecast and outcome per walk-forward window. Newest windows: {last}.",
        caption="Rank correlation of forecast and outcome across funds, per window (information coefficient). Zero is no skill.",
    )


def universe(tables: ReportTables) -> Section:
    """Which funds may be held, and why the others may not."""
    rows = tables.rpt_universe
    newest = rows[rows["session"] == rows["session"].max()].assign(_first=lambda f: f["reason"] != "member")
    newest = newest.sort_values(["_first", "funds"], ascending=[True, False], kind="stable")
    wide = rows.pivot(index="session", columns="reason", values="funds").fillna(0).sort_index()
    order = sorted(wide.columns, key=lambda reason: (reason != "member", -wide[reason].sum(), reason))
    members = newest.loc[newest["reason"] == "member", "funds"].sum()
    session = day(newest["session"].iloc[0])
    chart = stacked(
        wide[order],
        count,
        alt=f"Funds per month by outcome of the screens. At {session}: {members} members of {newest['funds'].sum()} funds.",
        caption="Funds with a price at each month's last session, by the first screen that they failed.",
    )
    return Section(
        key="universe",
        heading="Which funds qualify",
        sentence=(
            f"At {session}, {members} of {newest['funds'].sum()} funds may be held. A fund counts for as long as it has prices, "
            "also if it closed later; whether closed funds are there at all depends on the source."
        ),
        sources=("rpt_universe",),
        charts=(chart,),
        grids=(grid(newest, UNIVERSE, f"Funds at {session} by outcome"),),
    )


def provenance(tables: ReportTables) -> Section:
    """Where the figures come from."""
    source = tables.raw_source.iloc[0]
    return Section(
        key="provenance",
        heading="Where the figures come from",
        sentence="Every figure is read from a table of the warehouse; the line under each heading's tables names it.",
        sources=TABLE_NAMES,
        facts=(
            Fact("Provider", words(source["provider"]), str(source["label"])),
            Fact("Data until", day(source["fetched_until"]), f"{source['fetched_until']:%H:%M} UTC"),
            Fact(
                "Simulated",
                flag(source["simulated"]),
                "no real market stands behind it" if source["simulated"] else "market data",
            ),
            Fact("Backtest", _span(tables), "first to last session"),
        ),
    )


def _span(tables: ReportTables) -> str:
    return f"{day(tables.rpt_performance['start'].min())} – {day(tables.rpt_performance['end'].max())}"
