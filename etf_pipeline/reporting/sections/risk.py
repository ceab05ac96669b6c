"""Sections on what swings: volatility over several horizons, and what moves the portfolios: betas, factors, drift of style."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from etf_pipeline.conventions import CASH
from etf_pipeline.reporting.bars import intervals
from etf_pipeline.reporting.formats import day, flag, number, percent, percent_tick, probability, text, tick, words
from etf_pipeline.reporting.page import Column, Section, grid
from etf_pipeline.reporting.report_tables import ReportTables
from etf_pipeline.reporting.svg import Chart, curves

HORIZONS = {"garch_21": "next 21 sessions", "garch_63": "next 63", "garch_252": "next 252"}

SWINGS = (
    Column("Class", "asset_class", words, numeric=False),
    Column("Most traded fund", "ticker", text, numeric=False, under="name"),
    Column("Next 21 sessions", "garch_21", percent),
    Column("Next 63", "garch_63", percent),
    Column("Next 252", "garch_252", percent),
    Column("All estimators combined", "composite", percent),
    Column("Last 30 sessions", "realised_30", percent),
    Column("Last 90", "realised_90", percent),
    Column("Last 252", "realised_252", percent),
    Column("Used", "volatility", percent),
    Column("From", "source", text, numeric=False),
)

BETAS = (
    Column("Fund", "ticker", text, numeric=False, under="name"),
    Column("Weight", "weight", percent),
    Column("Beta", "beta", number),
    Column("Error, ±", "beta_error_robust", number),
    Column("Drawn to the mean", "beta_vasicek", number),
    Column("Newest weigh most", "beta_ewma", number),
    Column("Explained", "r_squared", lambda v: percent(v, 0)),
    Column("In calm", "beta_calm", number),
    Column("In stress", "beta_stressed", number),
    Column("Do they differ?", "conditional_verdict", words, numeric=False),
    Column("p, all funds", "conditional_p_holm", probability),
    Column("One beta throughout?", "stability_verdict", words, numeric=False),
    Column("Break, if any", "broken", day, numeric=False),
)

PORTFOLIOS = (
    Column("Factor", "factor", lambda v: factor_name(v), numeric=False),
    Column("Against", "benchmark", words, numeric=False),
    Column("Loading", "loading", lambda v: number(v, signed=True)),
    Column("Error, ±", "error", number),
    Column("More than benchmark", "active", lambda v: number(v, signed=True)),
    Column("Its error, ±", "active_error", number),
    Column("Weight known", "coverage", lambda v: percent(v, 0)),
)

FACTORS = {
    "MKT_RF": "Market",
    "SMB": "Size",
    "HML": "Value",
    "RMW": "Profitability",
    "CMA": "Investment",
    "MOM": "Momentum",
}
"""Names of priced factors for people, in the order shown."""

MINUS = re.compile(r"-(?=\d)")

NORMAL_95 = 1.96
"""Standard errors on each side of a 95 % interval."""
DRAWN = 3
"""Portfolios in the drawing."""


def swings(tables: ReportTables) -> Section:
    """Volatility forecasts over three horizons for the most traded fund of each class."""
    rows = tables.rpt_volatility_term.sort_values(["daily_value", "asset_class"], ascending=[False, True])
    known = rows.dropna(subset=list(HORIZONS), how="all")
    return Section(
        key="swings",
        heading="How much markets swing",
        sentence=_slope(known),
        sources=("rpt_volatility_term",),
        charts=(_term(known),) if len(known) else (),
        grids=(grid(rows, SWINGS, "Volatility by the year: forecast, realised and used", folded=True),) if len(rows) else (),
    )


def _slope(known: pd.DataFrame) -> str:
    if known.empty:
        return "No fund has enough history for a forecast of its volatility."
    row = known.iloc[0]
    near, far = row["garch_21"], row["garch_252"]
    now = f"{row['ticker']}, the most traded fund, is expected to swing by {percent(near)} a year over the next 21 sessions"
    if pd.isna(near) or pd.isna(far):
        return f"{now}."
    way = "calmer than usual, so that they should grow" if near < far else "wilder than usual, so that they should fade"
    return f"{now} and by {percent(far)} over the next 252: {way}. Over the last 252 it was {percent(row['realised_252'])}."


def _term(known: pd.DataFrame) -> Chart:
    series = {
        f"{words(row['asset_class'])}: {row['ticker']}": pd.Series({label: row[name] for name, label in HORIZONS.items()})
        for _, row in known.iterrows()
    }
    said = "; ".join(f"{label} {percent(v.iloc[0])}" for label, v in series.items())
    return curves(
        series,
        percent_tick,
        alt=f"Forecast volatility over three horizons by asset class. Over the next 21 sessions: {said}.",
        caption="GARCH forecasts of volatility by the year, most traded fund of each class: a rising line means calm now.",
    )


def exposures(tables: ReportTables) -> Section:
    """Factor loadings of the portfolios, betas of the funds that the leading one holds, and alarms about their style."""
    lead = tables.strategies[0]
    rows = tables.rpt_factor_exposures
    whole = tables.ordered(rows[rows["holder"] == "PORTFOLIO"].assign(_place=_places), "benchmark", "_place")
    funds = rows[(rows["holder"] != "PORTFOLIO") & (rows["strategy"] == lead)]
    held = tables.rpt_current_weights
    held = held[(held["strategy"] == lead) & (held["weight"] > 0) & (held["ticker"] != CASH)]
    betas = _held_betas(held, tables.rpt_betas)
    grids = [grid(betas, BETAS, f"Beta of each fund that {words(lead)} holds to its market", folded=True)] if len(betas) else []
    if len(funds):
        grids.append(_loadings(funds, lead))
    if len(whole):
        grids.append(grid(whole, PORTFOLIOS, "Factor loadings of every portfolio", by="strategy", title=words, folded=True))
    return Section(
        key="exposures",
        heading="What moves the portfolios",
        sentence=_market(whole, lead),
        sources=("rpt_factor_exposures", "rpt_betas", "rpt_current_weights"),
        paragraphs=tuple(p for p in (_stands(whole, lead), _alarms(funds), _stress(betas)) if p),
        charts=(_forest(whole),) if whole["loading"].notna().any() else (),
        grids=tuple(grids),
        note=(
            "Market (MKT_RF): US shares beyond the bill. Size (SMB): small less large companies. Value (HML): cheap less dear. "
            "Profitability (RMW): high less low. Investment (CMA): low less high. Momentum (MOM): past winners less losers. They "
            "say little about bonds and gold, and are US ones: 'factors fit' says where they do. Errors are standard errors."
        ),
    )


def factor_name(name: Any) -> str:
    """A factor as people call it."""
    return FACTORS.get(str(name), words(name))


def _places(rows: pd.DataFrame) -> pd.Series[Any]:
    """The order of `FACTORS`, then of names."""
    names = [*FACTORS, *sorted(set(rows["factor"]) - set(FACTORS))]
    return rows["factor"].map({name: place for place, name in enumerate(names)})


def _held_betas(held: pd.DataFrame, betas: pd.DataFrame) -> pd.DataFrame:
    rows = held[["ticker", "weight"]].merge(betas, on="ticker").sort_values(["weight", "ticker"], ascending=[False, True])
    return rows.assign(broken=rows["break_session"].where(rows["stability_verdict"] == "unstable"))


def _market(whole: pd.DataFrame, lead: str) -> str:
    row = whole[(whole["strategy"] == lead) & (whole["factor"] == "MKT_RF")].head(1)
    if row.empty or pd.isna(row["loading"].iloc[0]):
        return "Factor loadings are not known yet: returns or published factors are too few."
    loading, error = row["loading"].iloc[0], row["error"].iloc[0]
    way = "same" if loading >= 0 else "other"
    return (
        f"When US shares move by 10 %, {words(lead)} has moved by about {percent(abs(loading) / 10)} the {way} way "
        f"(± {percent(NORMAL_95 * error / 10)}, 95 % interval), other factors aside."
    )


def _stands(whole: pd.DataFrame, lead: str) -> str:
    """Factors other than the market whose loading is beyond its 95 % interval from zero."""
    rows = whole[(whole["strategy"] == lead) & (whole["factor"] != "MKT_RF")].drop_duplicates("factor")
    clear = rows[rows["loading"].abs() > NORMAL_95 * rows["error"]]
    if rows["loading"].notna().sum() == 0:
        return ""
    if clear.empty:
        return "No other factor's loading can be told from zero."
    said = ", ".join(f"{factor_name(row.factor)} {number(row.loading, signed=True)}" for row in clear.itertuples())
    return f"Other factors with a loading that can be told from zero, each by itself: {said}."


def _alarms(funds: pd.DataFrame) -> str:
    """Which held funds changed their style beyond chance."""
    each = funds.drop_duplicates("holder")
    if each.empty:
        return ""
    alarms = each[[not pd.isna(alarm) and bool(alarm) for alarm in each["alarm"]]]
    untested = int(each["alarm"].isna().sum() + each["drift"].astype(str).str.startswith("not tested").sum())
    rest = f" {untested} of {len(each)} could not be tested." if untested else ""
    if alarms.empty:
        return f"No held fund that could be tested shows a drift of style beyond chance.{rest}"
    said = "; ".join(f"{row.holder} ({_drift(row.drift)})" for row in alarms.itertuples())
    return f"The style of these held funds has drifted beyond chance: {said}.{rest}"


def _drift(told: Any) -> str:
    said = " ".join(FACTORS.get(word, word) for word in str(told).removeprefix("drift: ").split())
    return MINUS.sub("−", said).replace("->", "to")


def _stress(betas: pd.DataFrame) -> str:
    if betas.empty:
        return ""
    higher = betas.loc[betas["conditional_verdict"] == "higher_in_stress", "ticker"].tolist()
    lower = betas.loc[betas["conditional_verdict"] == "lower_in_stress", "ticker"].tolist()
    if not higher and not lower:
        return "No held fund's beta is shown to differ between calm and stressed markets."
    said = [f"higher in stress: {', '.join(higher)}"] if higher else []
    said += [f"lower in stress: {', '.join(lower)}"] if lower else []
    return f"Betas that differ between calm and stressed markets, {'; '.join(said)}."


def _forest(whole: pd.DataFrame) -> Chart:
    each = whole.drop_duplicates(["strategy", "factor"])
    series = {}
    for name in list(dict.fromkeys(each["strategy"]))[:DRAWN]:
        part = each[each["strategy"] == name].set_index("factor").rename(index=factor_name)
        wide = NORMAL_95 * part["error"]
        series[words(name)] = pd.DataFrame(
            {"value": part["loading"], "low": part["loading"] - wide, "high": part["loading"] + wide}
        )
    first = next(iter(series))
    said = "; ".join(f"{factor} {number(v, signed=True)}" for factor, v in series[first]["value"].items())
    return intervals(
        series,
        tick,
        alt=f"Factor loadings with 95 % intervals for {len(series)} portfolios. {first}: {said}.",
        caption=f"Factor loadings at {day(each['session'].max())} with 95 % intervals: a bar that crosses zero may be nothing.",
    )


def _loadings(funds: pd.DataFrame, lead: str) -> Any:
    """One row per fund, one column per factor."""
    known = funds[funds["factor"] != "unknown"]
    factors = known.assign(_place=_places).sort_values("_place")["factor"].unique()
    wide = known.pivot(index="holder", columns="factor", values="loading")
    rows = funds.drop_duplicates("holder").set_index("holder").join(wide).reset_index()
    rows = rows.assign(fits=~rows["is_weak"].astype("boolean"))
    rows = rows.sort_values(["weight", "holder"], ascending=[False, True])
    columns = (
        Column("Fund", "holder", text, numeric=False),
        Column("Weight", "weight", percent),
        *(Column(factor_name(name), name, lambda v: number(v, signed=True)) for name in factors),
        Column("Explained", "r_squared", lambda v: percent(v, 0)),
        Column("Factors fit", "fits", flag, numeric=False),
        Column("Style", "drift", text, numeric=False, wide=True),
    )
    return grid(rows, columns, f"Factor loadings of each fund that {words(lead)} holds", folded=True)
