"""Sections on count made and lost: performance, drawdowns, costs and stress."""

from __future__ import annotations

import pandas as pd

from etf_pipeline.reporting.formats import count, day, flag, number, percent, probability, short_money, text, words
from etf_pipeline.reporting.page import Column, Grid, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.svg import lines

PERFORMANCE = (
    Column("Costs", "basis", text, numeric=False),
    Column("Growth a year", "cagr", percent),
    Column("Volatility", "volatility", percent),
    Column("Sharpe", "sharpe", number),
    Column("Sharpe, 95 % interval", "interval", text),
    Column("Sortino", "sortino", number),
    Column("Calmar", "calmar", number),
    Column("Largest fall", "max_drawdown", percent),
    Column("Daily 95 % CVaR", "cvar_95", lambda v: percent(v, 2)),
    Column("Turnover a year", "turnover", lambda v: percent(v, 0)),
    Column("Costs a year", "cost_drag", lambda v: percent(v, 2)),
)

REFERENCES = {
    "market": "the market",
    "equal_weight": "equal weight",
    "score_ranking": "ranking by score alone",
    "no_rule": "the same without the rule for trading",
}
"""What a Sharpe ratio is held against: with and without optimising, with and without the rule."""

COMPARED = (
    Column("Strategy", "strategy", words, numeric=False),
    Column("Sharpe", "sharpe", number),
    *(
        Column(f"Less {label}", f"sharpe_minus_{name}", lambda v: number(v, signed=True), under=f"chance_{name}")
        for name, label in REFERENCES.items()
    ),
    Column("Beta", "beta", number),
    Column("Alpha a year", "alpha", lambda v: percent(v, signed=True), under="alpha_interval"),
    Column("Costs charged", "cost_bps", lambda v: f"{number(v, 1)} bp"),
    Column("Costs that leave nothing", "break_even_cost_bps", lambda v: f"{number(v, 0)} bp"),
)

DRAWDOWNS = (
    Column("Place", "place", count),
    Column("High", "peak", day, numeric=False),
    Column("Low", "trough", day, numeric=False),
    Column("Recovered", "recovery", day, numeric=False),
    Column("Fall", "depth", percent, bar=True),
    Column("Sessions under the high", "sessions_under", count),
    Column("Still open", "is_open", flag, numeric=False, tone=lambda v: "bad" if v else ""),
)

COSTS = (
    Column("Year", "year", lambda v: str(v), numeric=False),
    Column("Traded, USD", "traded_value", count),
    Column("Spread, USD", "spread_cost", count),
    Column("Impact, USD", "impact_cost", count),
    Column("Commission, USD", "commission", count),
    Column("All, bp of the traded value", "cost_bps", lambda v: number(v, 1)),
)

STRESS = (
    Column("Scenario", "title", text, numeric=False, wide=True),
    Column("How", "kind", words, numeric=False),
    Column("Sessions", "horizon", count),
    Column("Profit or loss", "profit", lambda v: percent(v, signed=True), bar=True, tone=lambda v: "bad" if v < 0 else "good"),
    Column("Simulation error, ±", "standard_error", lambda v: percent(v, 2)),
    Column("With own history", "coverage", lambda v: percent(v, 0)),
    Column("Hurt most by", "worst_ticker", text, numeric=False),
    Column("Its part", "worst_contribution", lambda v: percent(v, signed=True)),
)

DEEPEST = 5


def performance(tables: ReportTables) -> Section:
    """Measures before and after costs, and the curve of net asset value."""
    rows = tables.rpt_performance.assign(
        basis=tables.rpt_performance["cost_basis"].map({"net": "after", "gross": "before"}),
        interval=[f"{number(r.sharpe_low)} to {number(r.sharpe_high)}" for r in tables.rpt_performance.itertuples()],
    )
    rows = tables.ordered(rows, "basis")
    span = f"{day(rows['start'].min())} to {day(rows['end'].max())}"
    nav = {
        words(name): part.set_index("session")["nav"]
        for name, part in tables.ordered(tables.rpt_nav_monthly, "session").groupby("strategy", sort=False)
    }
    ends = "; ".join(f"{label} {count(values.iloc[-1])}" for label, values in nav.items())
    chart = lines(
        nav,
        short_money,
        log=True,
        alt=f"Line chart of net asset value after costs, {span}. Final values in USD: {ends}.",
        caption="Net asset value at month ends after costs, USD, logarithmic scale: equal distances are equal growth rates.",
    )
    return Section(
        key="performance",
        heading="What it would have earned",
        sentence=(
            f"Simulated trading from {span}: orders fill in the session after the decision and pay for it. "
            "An interval that includes zero means that luck alone could explain the result."
        ),
        sources=("rpt_performance", "rpt_nav_monthly"),
        charts=(chart,),
        paragraphs=_beside(rows, tables.strategies[0]),
        grids=(
            grid(rows, PERFORMANCE, "Measures by strategy, before and after costs", by="strategy", title=words),
            _compared(rows),
        ),
        note=(
            "Chances (p) of a difference are two-sided and each by itself (Ledoit and Wolf); below 0.050 convinces only where it "
            "was the one question asked. Costs that leave nothing: how dear trading could be before growth falls to the bill's."
        ),
    )


def _beside(rows: pd.DataFrame, lead: str) -> tuple[str, ...]:
    """What optimising and the rule added to the leading strategy's Sharpe ratio after costs."""
    mine = rows[(rows["strategy"] == lead) & (rows["cost_basis"] == "net")].head(1)
    said = [
        f"{label}: {number(row[f'sharpe_minus_{name}'], signed=True)} (p = {probability(row[f'sharpe_minus_{name}_p'])})"
        for _, row in mine.iterrows()
        for name, label in REFERENCES.items()
        if not pd.isna(row[f"sharpe_minus_{name}"])
    ]
    return (f"Sharpe ratio of {words(lead)} after costs, less that of {'; '.join(said)}.",) if said else ()


def _compared(rows: pd.DataFrame) -> Grid:
    net = rows[rows["cost_basis"] == "net"]
    chances = {f"chance_{name}": [_chance(p) for p in net[f"sharpe_minus_{name}_p"]] for name in REFERENCES}
    ends = zip(net["alpha_low"], net["alpha_high"], strict=True)
    interval = ["" if pd.isna(low) else f"{percent(low, signed=True)} to {percent(high, signed=True)}" for low, high in ends]
    caption = "After costs, with and without optimising, with and without the rule"
    return grid(net.assign(**chances, alpha_interval=interval), COMPARED, caption, folded=True)


def _chance(value: float) -> str:
    return "" if pd.isna(value) else f"p = {probability(value)}"


def drawdowns(tables: ReportTables) -> Section:
    """The deepest falls and how long they lasted."""
    rows = tables.rpt_drawdowns[tables.rpt_drawdowns["place"] <= DEEPEST]
    rows = tables.ordered(rows, "place")
    open_now = [words(name) for name in tables.books if rows.loc[rows["strategy"] == name, "is_open"].any()]
    now = f"Below their last high today: {', '.join(open_now)}." if open_now else "All of them have recovered."
    return Section(
        key="drawdowns",
        heading="The deepest falls",
        sentence=f"How far each portfolio fell from a high and how long it took to come back. {now}"
        if len(rows)
        else "No fall of note.",
        sources=("rpt_drawdowns",),
        grids=(
            grid(
                rows,
                DRAWDOWNS,
                f"Up to {DEEPEST} deepest falls of each strategy after costs",
                by="strategy",
                title=words,
                folded=True,
            ),
        )
        if len(rows)
        else (),
    )


def costs(tables: ReportTables) -> Section:
    """Costs per year, itemised."""
    rows = tables.ordered(tables.rpt_costs, "year")
    return Section(
        key="costs",
        heading="What trading cost",
        sentence="Every trade pays half the gap between buying and selling price, moves the price, and pays commission.",
        sources=("rpt_costs",),
        grids=(grid(rows, COSTS, "Costs per calendar year by strategy", by="strategy", title=words, folded=True),),
    )


def stress(tables: ReportTables) -> Section:
    """What today's weights would lose, the worst first."""
    rows = tables.ordered(tables.rpt_stress, "place")
    lead = rows["strategy"].iloc[0]
    return Section(
        key="stress",
        heading="What it could lose",
        sentence=f"Today's weights put through past crises and through simulations, the worst first. {_worst(rows)}",
        sources=("rpt_stress",),
        grids=(
            grid(rows[rows["strategy"] == lead], STRESS, f"Stress results of {words(lead)}, the worst first"),
            *_others(rows[rows["strategy"] != lead]),
        ),
        note=(
            "Replay: the weights held through the dated window. Funds that did not exist then move with a stand-in; 'with own "
            "history' says how much of the weight did exist. Monte Carlo: the average of the worst 5 % of simulated outcomes, "
            "with the error that comes from simulating a finite number."
        ),
    )


def _others(rows: pd.DataFrame) -> tuple[Grid, ...]:
    caption = "Stress results of the other portfolios, the worst first"
    return (grid(rows, STRESS, caption, by="strategy", title=words, folded=True),) if len(rows) else ()


def _worst(rows: pd.DataFrame) -> str:
    first = rows[rows["place"] == 1].head(1)
    return "".join(
        f"The worst for {words(row.strategy)}: {row.title}, {percent(row.profit, signed=True)}." for row in first.itertuples()
    )
