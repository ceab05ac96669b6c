"""The funds of the simulated market and the indices that they track: two tables, one row each.

Tickers are familiar; nothing else about the funds is real.

Tickers that begin with Z are invented: they belong to the funds that close, merge or change their name, and to the short-lived
ones of `cohort`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

EARLIER: Final = ".1"
"""Ends the permanent name of a fund whose ticker another fund took over later."""


@dataclass(frozen=True)
class IndexSpec:
    """What an index earns: loadings on the factors, an own annual volatility, and a drift beyond its factors.

    Attributes
    ----------
    title : str
        Words of the fund's name.
    asset_class, category : str
        As in `raw_reference`.
    noise : float
        Annual volatility that no factor explains. [fraction per year]
    loadings : dict of str to float
        Factor loadings; RATES in years of duration, CREDIT in years of spread duration.
    drift : float
        Return beyond bill, carry and factors. [fraction per year]
    """

    title: str
    asset_class: str
    category: str
    noise: float
    loadings: dict[str, float]
    drift: float = 0.0


@dataclass(frozen=True)
class Ending:
    """How a fund ends.

    Attributes
    ----------
    kind : {"liquidation", "merger"}
        What becomes of a holding.
    last : str
        Last session; moved back to a session where it is none.
    successor : str
        Fund that the holding becomes (merger).
    haircut : float
        Liquidation value under the last close. [fraction]
    notice, pay : int
        Sessions from the announcement to the last session, and from there to the payment.
    reason : str
        Why, in the issuer's words.
    """

    kind: Literal["liquidation", "merger"]
    last: str
    successor: str = ""
    haircut: float = 0.002
    notice: int = 25
    pay: int = 6
    reason: str = "Too little demand"


@dataclass(frozen=True)
class Rename:
    """A change of ticker: the fund stays what it is.

    Attributes
    ----------
    last : str
        Last session under the old ticker.
    ticker : str
        The new one.
    notice, pay : int
        Sessions from the announcement to the last session, and from there to the exchange of the shares.
    """

    last: str
    ticker: str
    notice: int = 20
    pay: int = 1


@dataclass(frozen=True)
class FundSpec:
    """One fund: index, terms, size and fate.

    Attributes
    ----------
    ticker, index : str
        Permanent name, and the index that it tracks. The name is the first ticker; where a later fund took over the same
        ticker it ends in .1.
    price : float
        First close. [listing currency]
    expense_ratio : float
        Annual. [fraction per year]
    aum : float
        Assets in its first session. [million USD]
    growth : float
        Net inflow. [log per year]
    turnover : float
        Mean traded value of a session over assets. [fraction]
    yield_kind : {"", "stock", "bond", "high_yield", "reit"}
        What it distributes; empty for nothing.
    payments : int
        Distributions a year: 1, 2, 4 or 12.
    start : str
        First session; empty where it is older than the market's history.
    leverage : float
        Daily multiple of the index.
    splits : tuple of (str, float)
        Ex-date and new shares per old.
    ending : Ending, optional
        How it ends, if it does.
    rename : Rename, optional
        Its change of ticker, if it has one.
    chase : float
        Part of the past year's return over the bill that comes in again, as flows, within a year. [ratio]
    """

    ticker: str
    index: str
    price: float
    expense_ratio: float
    aum: float
    growth: float
    turnover: float
    yield_kind: Literal["", "stock", "bond", "high_yield", "reit"] = "stock"
    payments: int = 4
    start: str = ""
    leverage: float = 1.0
    splits: tuple[tuple[str, float], ...] = field(default=())
    ending: Ending | None = None
    rename: Rename | None = None
    chase: float = 0.0

    @property
    def listed_as(self) -> str:
        """The first ticker: the permanent name without what tells an earlier owner from a later one."""
        return self.ticker.removesuffix(EARLIER)

    @property
    def exchange(self) -> str:
        """Calendar of the listing."""
        return "XASX" if self.ticker.endswith(".AX") else "XNYS"

    @property
    def currency(self) -> str:
        """Currency of the listing."""
        return "AUD" if self.ticker.endswith(".AX") else "USD"


def _equity(title: str, category: str, noise: float, **loadings: float) -> IndexSpec:
    return IndexSpec(title, "equity", category, noise, loadings)


def _bond(title: str, category: str, noise: float, **loadings: float) -> IndexSpec:
    return IndexSpec(title, "bond", category, noise, loadings)


def _other(title: str, asset_class: str, category: str, noise: float, drift: float, **loadings: float) -> IndexSpec:
    return IndexSpec(title, asset_class, category, noise, loadings, drift)


INDICES: dict[str, IndexSpec] = {
    "us_large": _equity("US Large Cap", "Large Blend", 0.004, MKT=1.0),
    "us_total": _equity("US Total Market", "Large Blend", 0.005, MKT=1.0, SMB=0.06),
    "us_100": _equity("US Growth 100", "Large Growth", 0.055, MKT=1.06, HML=-0.30, RMW=0.15, CMA=-0.25),
    "us_mid": _equity("US Mid Cap", "Mid-Cap Blend", 0.035, MKT=1.03, SMB=0.38, HML=0.05),
    "us_small": _equity("US Small Cap", "Small Blend", 0.035, MKT=1.03, SMB=0.85, HML=0.12),
    "us_small_quality": _equity("US Small Cap Profitable", "Small Blend", 0.04, MKT=1.01, SMB=0.78, HML=0.15, RMW=0.15),
    "us_value": _equity("US Value", "Large Value", 0.025, MKT=0.97, HML=0.35, CMA=0.10),
    "us_growth": _equity("US Growth", "Large Growth", 0.025, MKT=1.03, HML=-0.30, CMA=-0.10),
    "us_momentum": _equity("US Momentum", "Large Growth", 0.04, MKT=1.0, MOM=0.45),
    "us_quality": _equity("US Quality", "Large Blend", 0.03, MKT=0.99, RMW=0.30),
    "us_low_volatility": _equity("US Low Volatility", "Large Value", 0.04, MKT=0.73, RMW=0.18, CMA=0.15, RATES=1.0),
    "us_dividend": _equity("US Dividend", "Large Value", 0.04, MKT=0.86, HML=0.25, RMW=0.20, CMA=0.15),
    "energy": _equity("US Energy", "Equity Energy", 0.145, MKT=0.98, CMDTY=0.40, HML=0.35),
    "financials": _equity("US Financials", "Financial", 0.11, MKT=1.15, HML=0.60, CREDIT=1.0, RATES=-2.5),
    "technology": _equity("US Technology", "Technology", 0.075, MKT=1.10, HML=-0.35, CMA=-0.25),
    "health": _equity("US Health Care", "Health", 0.085, MKT=0.80, RMW=0.15, CMA=0.15),
    "industrials": _equity("US Industrials", "Industrials", 0.07, MKT=1.06, SMB=0.10, HML=0.10),
    "staples": _equity("US Consumer Staples", "Consumer Defensive", 0.075, MKT=0.66, RMW=0.25, CMA=0.20, RATES=0.8),
    "utilities": _equity("US Utilities", "Utilities", 0.11, MKT=0.72, CMA=0.15, RATES=2.5),
    "discretionary": _equity("US Consumer Discretionary", "Consumer Cyclical", 0.075, MKT=1.10, SMB=0.10, CMA=-0.10),
    "materials": _equity("US Materials", "Natural Resources", 0.09, MKT=1.08, CMDTY=0.12, HML=0.15),
    "communication": _equity("US Communication", "Communications", 0.10, MKT=1.0, HML=-0.20),
    "real_estate": _other("US Real Estate", "real_estate", "Real Estate", 0.15, 0.01, MKT=1.05, SMB=0.25, CREDIT=1.8, RATES=2.5),
    "developed": _equity("Developed ex US", "Foreign Large Blend", 0.03, MKT=0.94, INTL=1.0, USD=-0.35),
    "emerging": _equity("Emerging Markets", "Diversified Emerging Mkts", 0.085, MKT=1.02, INTL=1.2, USD=-0.40, CMDTY=0.06),
    "japan": _equity("Japan", "Japan Stock", 0.115, MKT=0.78, INTL=0.9, USD=-0.15),
    "germany": _equity("Germany", "Miscellaneous Region", 0.10, MKT=1.05, INTL=1.1, USD=-0.45),
    "china": _equity("China", "China Region", 0.19, MKT=0.98, INTL=1.3, CMDTY=0.05),
    "brazil": _equity("Brazil", "Latin America Stock", 0.20, MKT=1.10, INTL=1.5, CMDTY=0.20, USD=-0.80),
    "gold_miners": _other("Gold Miners", "equity", "Equity Precious Metals", 0.22, -0.08, MKT=0.45, GOLD=1.5),
    "bills": _bond("US Treasury Bills", "Ultrashort Bond", 0.0010, RATES=0.08),
    "short_treasury": _bond("US Treasury 1-3 Years", "Short Government", 0.0065, RATES=1.3),
    "medium_treasury": _bond("US Treasury 7-10 Years", "Long Government", 0.010, RATES=7.2),
    "long_treasury": _bond("US Treasury 20+ Years", "Long Government", 0.040, RATES=15.8),
    "inflation_linked": _bond("US Inflation-Linked", "Inflation-Protected Bond", 0.035, RATES=5.8, CMDTY=0.03),
    "us_aggregate": _bond("US Aggregate Bond", "Intermediate Core Bond", 0.010, RATES=5.3, CREDIT=0.35),
    "us_corporate": _bond("US Investment-Grade Corporate", "Corporate Bond", 0.022, RATES=7.0, CREDIT=1.7),
    "high_yield": _bond("US High Yield Corporate", "High Yield Bond", 0.025, RATES=0.8, CREDIT=3.4, MKT=0.14),
    "emerging_bond": _bond("Emerging Markets USD Bond", "Emerging Markets Bond", 0.04, RATES=5.5, CREDIT=2.3, MKT=0.10),
    "municipal": _bond("US Municipal", "Muni National Interm", 0.028, RATES=4.2, CREDIT=0.4),
    "gold": _other("Gold", "commodity", "Commodities Focused", 0.010, 0.0, GOLD=1.0),
    "silver": _other("Silver", "commodity", "Commodities Focused", 0.19, -0.02, GOLD=1.35, CMDTY=0.15, MKT=0.15),
    "oil": _other("Crude Oil", "commodity", "Commodities Focused", 0.13, 0.0, CMDTY=1.35),
    "commodities": _other("Broad Commodities", "commodity", "Broad Basket", 0.06, -0.02, CMDTY=0.62, GOLD=0.15, USD=-0.3),
    "dollar": _other("US Dollar", "currency", "Trading-Miscellaneous", 0.008, 0.0, USD=1.0),
    "euro": _other("Euro", "currency", "Single Currency", 0.035, -0.01, USD=-1.15),
    "aud": _other("Australian Dollar", "currency", "Single Currency", 0.006, 0.015, AUD=1.0),
    "clean_energy": _equity("Clean Energy", "Miscellaneous Sector", 0.24, MKT=1.35, SMB=0.5, CMDTY=0.20, HML=-0.3),
    "water": _equity("Water", "Miscellaneous Sector", 0.08, MKT=1.02, SMB=0.40),
    "cotton": _other("Cotton", "commodity", "Commodities Focused", 0.24, -0.03, CMDTY=0.35),
    "nickel": _other("Nickel", "commodity", "Commodities Focused", 0.28, -0.04, CMDTY=0.45, MKT=0.2),
    "rouble": _other("Rouble", "currency", "Single Currency", 0.13, 0.02, CMDTY=0.25, USD=-0.6),
    "shipping": _equity("Shipping", "Miscellaneous Sector", 0.20, MKT=1.20, SMB=0.5, INTL=0.4, CMDTY=0.15),
    "hedge": _other("Hedge Fund Replication", "alternative", "Multistrategy", 0.025, -0.005, MKT=0.25, CREDIT=0.3, MOM=0.05),
    "china_bond": _bond("China Bond", "Emerging-Markets Local-Currency Bond", 0.03, RATES=1.0, USD=-0.3),
    "retail": _equity("Retail", "Consumer Cyclical", 0.13, MKT=1.10, SMB=0.55, HML=0.15),
    "mortgage_reit": _other("Mortgage Real Estate", "real_estate", "Real Estate", 0.16, 0.02, MKT=0.75, SMB=0.3, CREDIT=1.5),
    "fintech": _equity("Financial Technology", "Technology", 0.12, MKT=1.18, SMB=0.35, HML=-0.25, CMA=-0.2),
    "australia": _equity("Australian Shares", "Equity Australia", 0.012, MKT=0.52, AUS=1.0),
    "australia_200": _equity("Australian Shares 200", "Equity Australia", 0.010, MKT=0.52, AUS=1.0),
    "world_aud": _equity("World ex Australia", "Equity World", 0.02, MKT=0.98, INTL=0.35, AUD=-1.0),
    "us_large_aud": _equity("US Large Cap", "Equity North America", 0.012, MKT=1.0, AUD=-1.0),
    "us_100_aud": _equity("US Growth 100", "Equity North America", 0.055, MKT=1.06, HML=-0.30, RMW=0.15, CMA=-0.25, AUD=-1.0),
    "australia_bond": _bond("Australian Fixed Interest", "Bonds Australia", 0.016, RATES=4.2),
    "gold_aud": _other("Gold", "commodity", "Commodities", 0.012, 0.0, GOLD=1.0, AUD=-1.0),
    "australia_property": _other("Australian Property", "real_estate", "Property", 0.09, 0.01, MKT=0.55, AUS=0.9, RATES=2.0),
    "australia_small": _equity("Australian Small Companies", "Equity Australia", 0.10, MKT=0.55, AUS=0.95, CMDTY=0.05),
}  # fmt: skip

_LIQ: Final = "liquidation"
_MERGER: Final = "merger"

FUNDS: tuple[FundSpec, ...] = (
    FundSpec("SPY", "us_large", 120.3, 0.000945, 55_000, 0.04, 0.10),
    FundSpec("IVV", "us_large", 120.4, 0.0003, 13_000, 0.12, 0.012),
    FundSpec("VOO", "us_large", 52.0, 0.0003, 400, 0.28, 0.010, start="2010-09-09", splits=(("2013-10-24", 0.5),)),
    FundSpec("VTI", "us_total", 115.7, 0.0003, 5_000, 0.16, 0.010, splits=(("2008-06-18", 2.0),)),
    FundSpec("QQQ", "us_100", 39.9, 0.002, 21_000, 0.05, 0.06),
    FundSpec("MDY", "us_mid", 120.1, 0.0023, 8_000, 0.0, 0.02),
    FundSpec("IJH", "us_mid", 131.0, 0.0005, 2_500, 0.12, 0.008, splits=(("2005-06-09", 2.0),)),
    FundSpec("IWM", "us_small", 127.9, 0.0019, 8_000, 0.05, 0.09, splits=(("2005-06-09", 2.0),)),
    FundSpec("IJR", "us_small_quality", 161.5, 0.0006, 4_000, 0.10, 0.009, splits=(("2005-06-09", 3.0), ("2017-01-19", 2.0))),
    FundSpec("IWD", "us_value", 66.2, 0.0019, 5_500, 0.05, 0.008),
    FundSpec("IWF", "us_growth", 48.9, 0.0019, 4_500, 0.05, 0.008),
    FundSpec("MTUM", "us_momentum", 50.2, 0.0015, 60, 0.30, 0.010, start="2013-04-18"),
    FundSpec("QUAL", "us_quality", 50.5, 0.0015, 50, 0.40, 0.010, start="2013-07-18"),
    FundSpec("USMV", "us_low_volatility", 25.0, 0.0015, 80, 0.42, 0.010, start="2011-10-20"),
    FundSpec("DVY", "us_dividend", 61.1, 0.0038, 6_500, 0.02, 0.006),
    FundSpec("XLE", "energy", 35.5, 0.0009, 3_500, 0.08, 0.09),
    FundSpec("XLF", "financials", 30.4, 0.0009, 1_900, 0.16, 0.06),
    FundSpec("XLK", "technology", 20.9, 0.0009, 1_400, 0.10, 0.03),
    FundSpec("XLV", "health", 30.1, 0.0009, 1_500, 0.12, 0.03),
    FundSpec("XLI", "industrials", 30.9, 0.0009, 800, 0.12, 0.05),
    FundSpec("XLP", "staples", 23.0, 0.0009, 900, 0.11, 0.05),
    FundSpec("XLU", "utilities", 27.9, 0.0009, 1_800, 0.06, 0.06),
    FundSpec("XLY", "discretionary", 35.0, 0.0009, 450, 0.14, 0.04),
    FundSpec("XLB", "materials", 29.6, 0.0009, 700, 0.07, 0.05),
    FundSpec("XLC", "communication", 50.0, 0.0009, 150, 0.45, 0.02, start="2018-06-19"),
    FundSpec("VNQ", "real_estate", 56.5, 0.0012, 700, 0.15, 0.015, "reit"),
    FundSpec("IYR", "real_estate", 121.2, 0.0039, 1_200, 0.02, 0.10, "reit", splits=(("2005-06-09", 2.0),)),
    FundSpec("EFA", "developed", 160.2, 0.0033, 14_000, 0.05, 0.02, payments=2, splits=(("2005-06-09", 3.0),)),
    FundSpec("VEA", "developed", 50.1, 0.0006, 150, 0.32, 0.008, start="2007-07-26"),
    FundSpec("EEM", "emerging", 200.1, 0.007, 5_500, 0.06, 0.05, payments=2, splits=(("2005-06-09", 3.0), ("2008-07-24", 3.0))),
    FundSpec("VWO", "emerging", 49.7, 0.0008, 90, 0.32, 0.015, start="2005-03-10", splits=(("2008-06-18", 2.0),)),
    FundSpec("EWJ", "japan", 10.9, 0.005, 6_500, 0.0, 0.02, payments=2, splits=(("2016-11-07", 0.25),)),
    FundSpec("EWG", "germany", 18.5, 0.005, 700, 0.02, 0.02, payments=1),
    FundSpec("FXI", "china", 55.4, 0.0074, 900, 0.10, 0.06, payments=2, splits=(("2008-07-24", 3.0),)),
    FundSpec("EWZ", "brazil", 22.2, 0.0059, 900, 0.05, 0.07, payments=2),
    FundSpec("GDX", "gold_miners", 37.0, 0.0051, 60, 0.25, 0.06, payments=1, start="2006-05-22"),
    FundSpec("BIL", "bills", 91.7, 0.0014, 100, 0.28, 0.03, "bond", 12, start="2007-05-30", splits=(("2008-04-10", 0.5),)),
    FundSpec("SHY", "short_treasury", 81.4, 0.0015, 4_700, 0.08, 0.015, "bond", 12),
    FundSpec("IEF", "medium_treasury", 84.9, 0.0015, 1_600, 0.14, 0.025, "bond", 12),
    FundSpec("TLT", "long_treasury", 88.6, 0.0015, 900, 0.18, 0.06, "bond", 12),
    FundSpec("TIP", "inflation_linked", 105.8, 0.0019, 3_000, 0.09, 0.010, "bond", 12),
    FundSpec("AGG", "us_aggregate", 102.3, 0.0003, 2_800, 0.18, 0.008, "bond", 12),
    FundSpec("BND", "us_aggregate", 74.6, 0.0003, 150, 0.36, 0.008, "bond", 12, start="2007-04-10"),
    FundSpec("LQD", "us_corporate", 111.5, 0.0014, 2_400, 0.12, 0.025, "bond", 12),
    FundSpec("HYG", "high_yield", 104.1, 0.0049, 100, 0.28, 0.08, "high_yield", 12, start="2007-04-11"),
    FundSpec("JNK", "high_yield", 47.6, 0.004, 150, 0.25, 0.05, "high_yield", 12, start="2007-12-04",
             splits=(("2019-05-06", 1 / 3),)),
    FundSpec("EMB", "emerging_bond", 100.4, 0.0039, 90, 0.32, 0.015, "high_yield", 12, start="2007-12-19"),
    FundSpec("MUB", "municipal", 100.3, 0.0005, 80, 0.36, 0.006, "bond", 12, start="2007-09-10"),
    FundSpec("GLD", "gold", 43.0, 0.004, 1_400, 0.18, 0.025, ""),
    FundSpec("IAU", "gold", 42.7, 0.0025, 70, 0.22, 0.010, "", start="2005-01-28",
             splits=(("2010-06-24", 10.0), ("2021-05-24", 0.5))),
    FundSpec("SLV", "silver", 129.0, 0.005, 400, 0.14, 0.03, "", start="2006-04-28", splits=(("2008-07-24", 10.0),)),
    FundSpec("USO", "oil", 68.0, 0.006, 80, 0.26, 0.12, "", start="2006-04-10", splits=(("2020-04-29", 0.125),)),
    FundSpec("DBC", "commodities", 24.0, 0.0085, 100, 0.18, 0.02, "", start="2006-02-06"),
    FundSpec("UUP", "dollar", 25.0, 0.0077, 40, 0.15, 0.04, "", start="2007-03-01"),
    FundSpec("FXE", "euro", 119.3, 0.004, 60, 0.08, 0.05, "", start="2005-12-12"),
    FundSpec("FXA", "aud", 73.8, 0.004, 20, 0.12, 0.02, "", start="2006-06-26"),
    FundSpec("SSO", "us_large", 70.2, 0.0089, 120, 0.14, 0.18, "", start="2006-06-21", leverage=2.0,
             splits=(("2015-05-20", 2.0), ("2022-01-13", 2.0))),
    FundSpec("SH", "us_large", 70.0, 0.0089, 30, 0.42, 0.06, "", start="2006-06-21", leverage=-1.0,
             splits=(("2020-10-15", 0.5),)),
    FundSpec("UBT", "long_treasury", 65.0, 0.0095, 6, 0.10, 0.02, "", start="2010-01-21", leverage=2.0),
    FundSpec("ZCLN", "clean_energy", 25.0, 0.006, 40, -0.22, 0.010, payments=1, start="2006-10-10",
             ending=Ending(_LIQ, "2012-10-19", haircut=0.004)),
    FundSpec("ZWTR", "water", 20.0, 0.0065, 25, -0.10, 0.008, payments=1, start="2007-05-14", ending=Ending(_LIQ, "2016-03-18")),
    FundSpec("ZBRC", "brazil", 25.2, 0.0065, 60, -0.15, 0.012, payments=1, start="2006-09-21", ending=Ending(_LIQ, "2013-08-16")),
    FundSpec("ZCTN", "cotton", 50.0, 0.0075, 12, -0.15, 0.015, "", start="2008-06-25",
             ending=Ending(_LIQ, "2011-11-11", haircut=0.0)),
    FundSpec("ZNKL", "nickel", 40.0, 0.0075, 15, -0.05, 0.012, "", start="2007-10-23",
             ending=Ending(_LIQ, "2019-09-13", notice=40)),
    FundSpec("ZRUB", "rouble", 25.0, 0.0079, 30, -0.12, 0.010, "", start="2008-11-11",
             ending=Ending(_LIQ, "2022-03-04", haircut=0.35, notice=2, pay=60)),
    FundSpec("ZSHP", "shipping", 25.0, 0.0065, 30, -0.05, 0.012, start="2010-06-11",
             ending=Ending(_LIQ, "2020-03-20", haircut=0.012, notice=15)),
    FundSpec("ZHDG", "hedge", 25.0, 0.0095, 8, 0.0, 0.006, "", start="2009-03-31", ending=Ending(_LIQ, "2015-09-18")),
    FundSpec("ZCNB", "china_bond", 25.0, 0.005, 10, 0.0, 0.006, "bond", 12, start="2014-11-10",
             ending=Ending(_LIQ, "2021-10-22")),
    FundSpec("ZRTL", "retail", 25.0, 0.0035, 18, -0.12, 0.012, start="2012-03-14", ending=Ending(_LIQ, "2023-05-19")),
    FundSpec("ZREM", "mortgage_reit", 25.0, 0.0048, 20, -0.08, 0.010, "reit", start="2007-05-04",
             ending=Ending(_LIQ, "2017-06-23")),
    FundSpec("ZEMX", "emerging", 30.0, 0.0095, 20, -0.05, 0.05, "", start="2009-05-04", leverage=2.0,
             splits=(("2016-01-20", 0.25),), ending=Ending(_LIQ, "2020-04-03", haircut=0.006)),
    FundSpec("ZSML", "us_small_quality", 50.0, 0.0025, 45, -0.06, 0.008, start="2006-07-12",
             ending=Ending(_MERGER, "2014-11-14", "IJR", notice=45, pay=1)),
    FundSpec("ZLQC", "us_corporate", 25.0, 0.003, 30, -0.02, 0.006, "bond", 12, start="2009-01-15",
             ending=Ending(_MERGER, "2018-05-18", "LQD", notice=45, pay=1)),
    FundSpec("ZFTA", "fintech", 20.0, 0.0068, 35, 0.10, 0.010, payments=1, start="2016-09-13",
             rename=Rename("2021-06-25", "ZFTB")),
    FundSpec("STW.AX", "australia_200", 40.1, 0.0013, 700, 0.06, 0.006, "reit"),
    FundSpec("VAS.AX", "australia", 50.0, 0.001, 15, 0.34, 0.004, "reit", start="2009-05-08"),
    FundSpec("A200.AX", "australia_200", 100.0, 0.0004, 60, 0.35, 0.005, "reit", start="2018-05-08"),
    FundSpec("VGS.AX", "world_aud", 50.0, 0.0018, 12, 0.45, 0.004, start="2014-11-20"),
    FundSpec("IVV.AX", "us_large_aud", 170.0, 0.0004, 60, 0.20, 0.006, start="2007-10-15", splits=(("2022-12-07", 15.0),)),
    FundSpec("NDQ.AX", "us_100_aud", 10.0, 0.0048, 5, 0.50, 0.006, payments=2, start="2015-05-27"),
    FundSpec("VAF.AX", "australia_bond", 46.0, 0.001, 20, 0.32, 0.004, "bond", start="2012-10-31"),
    FundSpec("GOLD.AX", "gold_aud", 56.0, 0.004, 90, 0.16, 0.006, "", splits=(("2020-02-05", 10.0),)),
    FundSpec("VAP.AX", "australia_property", 50.0, 0.0023, 10, 0.30, 0.005, "reit", start="2010-10-15"),
    FundSpec("ZSO.AX", "australia_small", 20.0, 0.0055, 14, -0.05, 0.008, payments=2, start="2011-04-13",
             ending=Ending(_LIQ, "2019-05-24", haircut=0.003, pay=8)),
)  # fmt: skip

DEMO_START = "2018-07-02"
DEMO_TICKERS = ("SPY", "QQQ", "IWM", "EFA", "EEM", "AGG", "TLT", "HYG", "GLD", "USO", "VNQ", "ZRTL")
