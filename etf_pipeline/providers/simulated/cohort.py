"""The short-lived funds of the simulated market: niche indices, two funds each, launched from 2006 to 2022 with little money.

A quarter of all exchange-traded products close within about ten years [1]_, mostly young and small ones on narrow themes that
came late to a fashion [2]_. Terms are drawn from the market's seed; which fund closes, and when, follows from what it earned
(`fates`). Four funds have a story of their own in `STORIES`: two whose ticker a later fund takes over, and two that are renamed.

References
----------
.. [1] A. Akhigbe, B. Balasubramnian and M. Newman, "Exchange traded funds and the likelihood of closure," Am. J. Bus. 35,
   2020.
.. [2] I. Ben-David, F. Franzoni, B. Kim and R. Moussawi, "Competition for attention in the ETF space," Rev. Financ. Stud.
   36(3), 2023.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from etf_pipeline.providers.simulated.funds import INDICES, Ending, FundSpec, IndexSpec, Rename

LAUNCHES: Final = (("2006-01-03", "2017-12-29"), ("2009-01-02", "2022-12-30"))
"""First and last day on which a theme's first fund, and the one that imitates it, may be launched."""
MEDIAN_ASSETS, ASSETS_SPREAD = 14.0, 0.9
"""Assets in the first session: median [million USD] and standard deviation of their logarithm."""
GROWTH, CHASE = 0.02, 0.9
"""Net inflow [log per year], and how much of the past year's return over the bill comes in again [ratio]."""
PRICES: Final = (20.0, 25.0, 25.0, 40.0, 50.0)


class Niche(NamedTuple):
    """A narrow index and the lasting fund whose issuer takes over the funds on it that merge."""

    spec: IndexSpec
    parent: str


def _niche(
    parent: str, title: str, asset_class: str, category: str, noise: float, drift: float = 0.0, **loadings: float
) -> Niche:
    return Niche(IndexSpec(title, asset_class, category, noise, loadings, drift), parent)


NICHES: dict[str, Niche] = {
    "CY": _niche("XLK", "Cyber Security", "equity", "Technology", 0.14, MKT=1.08, HML=-0.35, SMB=0.25),
    "RO": _niche("XLK", "Robotics", "equity", "Technology", 0.13, MKT=1.16, SMB=0.30, INTL=0.3),
    "SC": _niche("QQQ", "Social Media", "equity", "Communications", 0.15, MKT=1.15, HML=-0.40, CMA=-0.2),
    "GM": _niche("QQQ", "Video Games", "equity", "Technology", 0.15, MKT=1.05, HML=-0.30, INTL=0.4),
    "BK": _niche("XLF", "Regional Banks", "equity", "Financial", 0.13, MKT=1.10, HML=0.75, SMB=0.45, CREDIT=0.8),
    "IN": _niche("XLF", "Insurance", "equity", "Financial", 0.09, MKT=1.00, HML=0.45, RATES=-2.0),
    "BT": _niche("XLV", "Biotechnology", "equity", "Health", 0.19, MKT=1.10, SMB=0.50, HML=-0.35),
    "DV": _niche("XLV", "Medical Devices", "equity", "Health", 0.10, MKT=0.95, RMW=0.10),
    "HB": _niche("XLY", "Home Builders", "equity", "Consumer Cyclical", 0.17, MKT=1.20, SMB=0.45, HML=0.20, RATES=1.5),
    "LX": _niche("XLY", "Luxury Goods", "equity", "Consumer Cyclical", 0.13, MKT=1.10, INTL=0.6),
    "AG": _niche("XLB", "Agribusiness", "equity", "Natural Resources", 0.13, MKT=0.95, CMDTY=0.25),
    "ST": _niche("XLB", "Steel", "equity", "Natural Resources", 0.19, MKT=1.30, CMDTY=0.35, HML=0.35),
    "UR": _niche("XLE", "Uranium", "equity", "Natural Resources", 0.26, MKT=1.10, SMB=0.6, CMDTY=0.30),
    "SO": _niche("XLE", "Solar Energy", "equity", "Miscellaneous Sector", 0.30, MKT=1.45, SMB=0.6, HML=-0.2),
    "OS": _niche("XLE", "Oil Services", "equity", "Equity Energy", 0.19, MKT=1.15, CMDTY=0.60, HML=0.35),
    "AI": _niche("XLI", "Airlines", "equity", "Industrials", 0.20, MKT=1.25, SMB=0.35, CMDTY=-0.15),
    "IF": _niche("XLI", "Infrastructure", "equity", "Infrastructure", 0.08, MKT=0.90, RATES=1.5, INTL=0.3),
    "SP": _niche("IWM", "Spin-Offs", "equity", "Mid-Cap Blend", 0.09, MKT=1.10, SMB=0.45, HML=0.15),
    "BB": _niche("MTUM", "Buybacks", "equity", "Large Value", 0.06, MKT=1.04, HML=0.15, RMW=0.15),
    "EQ": _niche("IJH", "Equal Weight Alternatives", "equity", "Mid-Cap Blend", 0.05, MKT=1.04, SMB=0.30, HML=0.10),
    "VN": _niche("VWO", "Vietnam", "equity", "Miscellaneous Region", 0.22, MKT=0.70, INTL=0.9),
    "IT": _niche("VEA", "Italy", "equity", "Miscellaneous Region", 0.14, MKT=1.10, INTL=1.2, USD=-0.45, HML=0.3),
    "TK": _niche("VWO", "Turkey", "equity", "Miscellaneous Region", 0.26, MKT=1.00, INTL=1.2, USD=-0.7),
    "AF": _niche("VWO", "Africa", "equity", "Miscellaneous Region", 0.16, MKT=0.75, INTL=1.0, CMDTY=0.20),
    "FL": _niche("LQD", "Floating Rate Notes", "bond", "Ultrashort Bond", 0.006, RATES=0.2, CREDIT=0.35),
    "LB": _niche("VWO", "Local-Currency Bonds", "bond", "Emerging Markets Bond", 0.06, RATES=3.5, USD=-0.7, CREDIT=0.8),
    "CV": _niche("HYG", "Convertible Bonds", "bond", "Convertibles", 0.05, MKT=0.55, SMB=0.2, CREDIT=0.8),
    "TM": _niche("MUB", "Target-Maturity Municipals", "bond", "Muni National Interm", 0.02, RATES=3.0, CREDIT=0.3),
    "GR": _niche("DBC", "Grains", "commodity", "Commodities Focused", 0.22, -0.03, CMDTY=0.40),
    "NG": _niche("DBC", "Natural Gas", "commodity", "Commodities Focused", 0.38, -0.10, CMDTY=0.70),
    "PL": _niche("GLD", "Platinum", "commodity", "Commodities Focused", 0.17, -0.01, GOLD=0.85, CMDTY=0.15, MKT=0.15),
    "HO": _niche("VNQ", "Hotels", "real_estate", "Real Estate", 0.17, 0.01, MKT=1.25, SMB=0.4, CREDIT=1.8),
    "GP": _niche("VNQ", "Property Abroad", "real_estate", "Global Real Estate", 0.09, 0.01, MKT=0.95, INTL=0.8, RATES=1.5),
    "YN": _niche("UUP", "Yen", "currency", "Single Currency", 0.08, -0.01, MKT=-0.12, RATES=1.0, USD=-0.6),
    "LS": _niche("SPY", "Long/Short Shares", "alternative", "Long-Short Equity", 0.05, -0.01, MKT=0.45, MOM=0.15),
    "MF": _niche("SPY", "Managed Futures", "alternative", "Systematic Trend", 0.09, -0.01, MOM=0.20, CMDTY=0.10, RATES=0.8),
}  # fmt: skip
"""Niche indices by the two middle letters of the tickers on them: Z, the letters, and A or B."""

SPECS: dict[str, IndexSpec] = INDICES | {code: niche.spec for code, niche in NICHES.items()}
"""Every index that a fund may track."""

STORIES: dict[str, dict[str, Any]] = {
    "ZCYA": {"ticker": "ZCYA.1", "start": "2007-02-14",
             "ending": Ending("liquidation", "2012-08-17", haircut=0.003, notice=28, pay=5, reason="Issuer leaves the market")},
    "ZCYB": {"ticker": "ZCYA", "start": "2016-05-10"},
    "ZHOA": {"ticker": "ZHOA.1", "start": "2007-09-12",
             "ending": Ending("merger", "2013-03-22", "VNQ", notice=40, pay=1, reason="Merged into a larger fund")},
    "ZHOB": {"ticker": "ZHOA", "start": "2018-03-06"},
    "ZROA": {"start": "2010-06-08", "rename": Rename("2017-09-13", "ZROX")},
    "ZLSB": {"start": "2011-04-12", "rename": Rename("2015-12-11", "ZLSX")},
}  # fmt: skip
"""What is not drawn: a closed fund's ticker that another company lists under years later, and changes of ticker."""


def cohort_funds(days: pd.DatetimeIndex, rng: np.random.Generator) -> tuple[FundSpec, ...]:
    """Terms of the short-lived funds; those that no story ends have no ending yet.

    Parameters
    ----------
    days : DatetimeIndex
        New York sessions.
    """
    funds = []
    for code in NICHES:
        for letter, (first, last) in zip("AB", LAUNCHES, strict=True):
            fund = _drawn(f"Z{code}{letter}", code, days[days.slice_indexer(first, last)], rng)
            funds.append(replace(fund, **STORIES.get(fund.ticker, {})))
    return tuple(funds)


def _drawn(ticker: str, code: str, launches: pd.DatetimeIndex, rng: np.random.Generator) -> FundSpec:
    kind, payments = _distributes(NICHES[code].spec)
    return FundSpec(
        ticker,
        code,
        price=float(rng.choice(PRICES)),
        expense_ratio=float(rng.integers(35, 96)) / 10_000,
        aum=round(float(MEDIAN_ASSETS * np.exp(ASSETS_SPREAD * rng.standard_normal())), 3),
        growth=float(GROWTH + 0.08 * rng.standard_normal()),
        turnover=float(np.round(rng.uniform(0.006, 0.02), 4)),
        yield_kind=kind,
        payments=payments,
        start=str(launches[int(rng.integers(len(launches)))].date()),
        chase=CHASE,
    )


def _distributes(spec: IndexSpec) -> tuple[Literal["", "stock", "bond", "high_yield", "reit"], int]:
    """What a fund of the asset class distributes, and how often a year."""
    if spec.asset_class == "bond":
        return ("high_yield" if spec.loadings.get("CREDIT", 0.0) > 0.5 else "bond"), 12
    if spec.asset_class == "real_estate":
        return "reit", 4
    return ("stock", 1) if spec.asset_class == "equity" else ("", 1)
