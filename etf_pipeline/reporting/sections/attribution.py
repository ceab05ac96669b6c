"""Section on where the return over a benchmark came from: what was held, which funds, trading, costs; and priced factors."""

from __future__ import annotations

from typing import Any

import pandas as pd

from etf_pipeline.reporting.bars import stacked_bars
from etf_pipeline.reporting.formats import percent, percent_tick, text, words
from etf_pipeline.reporting.page import Column, Grid, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.sections.risk import factor_name
from etf_pipeline.reporting.svg import Chart

EFFECTS = {
    "allocation": "how much was held in {line}",
    "selection": "which funds were held among {line}",
    "interaction": "how much and which together, in {line}",
    "trading": "fills away from the close",
    "costs": "costs",
}
"""Effects as causes in words; the residual of rounding is no cause."""

EFFECT = Column("Effect", "effect", words, numeric=False)
LINE = Column("Class", "line", words, numeric=False)
ANNUAL = Column("A year", "annual", lambda v: percent(v, 2, signed=True))

HOLDINGS = (LINE, EFFECT, ANNUAL, Column("In all", "value", lambda v: percent(v, signed=True)))

FACTORS = (
    Column("Factor", "line", factor_name, numeric=False),
    ANNUAL,
    Column("In all", "value", lambda v: percent(v, signed=True)),
    Column("Error at most, ±", "error", percent),
)

YEARS = (
    Column("Year", "span", text, numeric=False),
    Column("Portfolio", "portfolio_return", lambda v: percent(v, signed=True)),
    Column("Benchmark", "benchmark_return", lambda v: percent(v, signed=True)),
    *(Column(words(name), name, lambda v: percent(v, 2, signed=True)) for name in EFFECTS),
)

CLASSES = {"bond": "bonds", "equity": "shares", "commodity": "commodities", "unknown": "funds of unknown class"}
"""Asset classes within a sentence, where their word alone will not do."""

NOTEWORTHY = 0.0005
"""Effects of at least so much a year are named in words: 5 basis points."""


def attribution(tables: ReportTables) -> Section:
    """Effects of the leading strategy against each benchmark, in words, drawings and tables."""
    lead = tables.strategies[0]
    rows = tables.rpt_attribution
    rows = rows[(rows["strategy"] == lead) & (rows["effect"] != "residual")]
    whole = rows[rows["span"] == "all"]
    held, priced = whole[whole["kind"] == "holdings"], whole[whole["kind"] == "factors"]
    benchmarks = sorted(held["benchmark"].unique(), key=lambda name: (name in tables.strategies, name))
    return Section(
        key="attribution",
        heading="Where the difference came from",
        sentence=(
            f"What {words(lead)} earned over each benchmark, or less, after costs, split into causes that add up."
            if benchmarks
            else "There is no benchmark with enough months yet to compare with."
        ),
        sources=("rpt_attribution",),
        paragraphs=tuple(_told(held[held["benchmark"] == name], name) for name in benchmarks),
        charts=(*_drawn(held, benchmarks[:1], lead), *_factors(priced, benchmarks[:1], lead)),
        grids=_grids(rows, held, priced, benchmarks, lead),
        note=(
            "Allocation: holding more or less of a class that did better or worse than the benchmark. Selection: funds that "
            "did better or worse than the benchmark's of the same class (Brinson and Fachler; months linked by Carino). Factors: "
            "loadings times what the factors earned; 'specific' is what they leave over. A factor's error is an upper bound."
        ),
    )


def _told(part: pd.DataFrame, benchmark: str) -> str:
    """The difference of growth a year and its largest causes."""
    first, total = part.iloc[0], part["annual"].sum()
    causes = part[part["annual"].abs() >= NOTEWORTHY].sort_values(["annual", "line"])
    worst, best = causes[causes["annual"] < 0].head(2), causes[causes["annual"] > 0].tail(2)[::-1]
    said = [f"{name}: {_causes(side)}" for name, side in (("For it", best), ("Against it", worst)) if len(side)]
    return (
        f"{words(benchmark)}, {first['first_month']:%b %Y} to {first['last_month']:%b %Y}: {percent(total, signed=True)} a year "
        f"({percent(first['portfolio_return'], 0, signed=True)} in all, the benchmark "
        f"{percent(first['benchmark_return'], 0, signed=True)}). {'. '.join(said)}{'.' if said else ''}"
    ).strip()


def _causes(side: pd.DataFrame) -> str:
    return ", ".join(
        f"{EFFECTS[effect].format(line=CLASSES.get(line, words(line).lower()))} ({percent(annual, signed=True)})"
        for effect, line, annual in zip(side["effect"], side["line"], side["annual"], strict=True)
    )


def _drawn(held: pd.DataFrame, benchmarks: list[str], lead: str) -> tuple[Chart, ...]:
    """Effects by asset class against the first benchmark."""
    if not benchmarks:
        return ()
    part = held[held["benchmark"] == benchmarks[0]]
    wide = part.pivot(index="line", columns="effect", values="annual")[[e for e in EFFECTS if (part["effect"] == e).any()]]
    wide = wide.loc[wide.abs().sum(axis=1).sort_values(ascending=False, kind="stable").index]
    names = [words(name) if name != "all" else "Whole portfolio" for name in wide.index]
    said = "; ".join(f"{name} {percent(v, signed=True)}" for name, v in zip(names, wide.sum(axis=1), strict=True))
    return (
        stacked_bars(
            wide.set_axis(names),
            percent_tick,
            alt=f"Effects a year of {words(lead)} against {words(benchmarks[0])} by asset class: {said}.",
            caption=f"{words(lead)} against {words(benchmarks[0])}: effects by asset class, points of growth a year.",
        ),
    )


def _factors(priced: pd.DataFrame, benchmarks: list[str], lead: str) -> tuple[Chart, ...]:
    part = priced[priced["benchmark"].isin(benchmarks)].sort_values("line")
    if part.empty:
        return ()
    part = part.loc[part["annual"].abs().sort_values(ascending=False, kind="stable").index]
    bars = pd.DataFrame({"annual": part["annual"].to_numpy()}, index=[factor_name(name) for name in part["line"]])
    said = "; ".join(f"{name} {percent(v, signed=True)}" for name, v in bars["annual"].items())
    return (
        stacked_bars(
            bars,
            percent_tick,
            sums=False,
            alt=f"What factors explain of {words(lead)} against {words(benchmarks[0])}, a year: {said}.",
            caption=f"The same difference by priced factor, points of growth a year, while factors are published "
            f"(to {part['last_month'].iloc[0]:%b %Y}).",
        ),
    )


def _grids(rows: pd.DataFrame, held: pd.DataFrame, priced: pd.DataFrame, benchmarks: list[str], lead: str) -> tuple[Grid, ...]:
    if not benchmarks:
        return ()
    held = held.assign(_size=-held["annual"].abs()).sort_values(["benchmark", "_size", "line", "effect"])
    grids = [
        _years(rows[rows["benchmark"] == benchmarks[0]], f"{words(lead)} against {words(benchmarks[0])} by calendar year"),
        grid(held, HOLDINGS, "Effects by class and benchmark", by="benchmark", title=_against, folded=True),
    ]
    if len(priced):
        priced = priced.sort_values(["benchmark", "line"])
        grids.append(grid(priced, FACTORS, "Factors by benchmark", by="benchmark", title=_against, folded=True))
    return tuple(grids)


def _against(name: Any) -> str:
    return f"Against {words(name) if name != 'bill' else 'the bill'}"


def _years(rows: pd.DataFrame, caption: str) -> Grid:
    """One row per year, one column per effect."""
    held = rows[(rows["kind"] == "holdings") & (rows["span"] != "all")]
    wide = held.pivot_table(index="span", columns="effect", values="value", aggfunc="sum", sort=True).reindex(columns=[*EFFECTS])
    returns = held.groupby("span")[["portfolio_return", "benchmark_return"]].first()
    return grid(returns.join(wide).reset_index()[::-1], YEARS, caption, folded=True)
