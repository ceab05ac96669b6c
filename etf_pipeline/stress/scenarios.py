"""The catalogue: windows in which markets fell and shocks that may come; dates, sizes, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

from etf_pipeline.stress.shocks import Shock


@dataclass(frozen=True)
class Scenario:
    """One window of the past, or shocks to factors.

    Attributes
    ----------
    title : str
        In words.
    start, end : str
        The last close before the fall and the close that ends it; the shock is the return from one to the other. Empty for
        what has no date.
    index_return : float
        What the S&P 500 (price index) did, for markets whose own history does not reach back; NaN where nobody says. [fraction]
    source : str
        Where the dates and sizes come from.
    shocks : tuple of Shock
        Moves of factors that stand for the window where the history does not hold it. What they do not name is propagated.
    horizon : int
        Sessions that the shocks take, where there are no dates. [sessions]
    alone : bool
        Whether factors that the shocks do not name stand still instead.
    """

    title: str
    start: str
    end: str
    index_return: float
    source: str
    shocks: tuple[Shock, ...] = ()
    horizon: int = 21
    alone: bool = False


def _fall(before: float, after: float) -> float:
    return after / before - 1.0


def _equity(size: float) -> Shock:
    return Shock("equity", size)


def _rates(basis_points: float) -> Shock:
    return Shock("rates", basis_points)


def _imagined(title: str, source: str, *shocks: Shock, horizon: int = 21, alone: bool = False) -> Scenario:
    """A scenario without dates; the market moves as its shocks say, if they do."""
    told = {shock.factor: shock.size for shock in shocks}
    return Scenario(title, "", "", told.get("equity", float("nan")), source, shocks, horizon, alone)


SCENARIOS: dict[str, Scenario] = {
    "gfc_2008": Scenario(
        "Global financial crisis: Lehman's failure to the low",
        "2008-09-12",
        "2009-03-09",
        _fall(1251.70, 676.53),
        "Lehman filed for chapter 11 on 2008-09-15 (SDNY 08-13555); S&P 500 closing low 2009-03-09",
    ),
    "euro_crisis_2010": Scenario(
        "Greek crisis and flash crash",
        "2010-04-23",
        "2010-07-02",
        _fall(1217.28, 1022.58),
        "Greece asked for aid on 2010-04-23; CFTC-SEC report on 2010-05-06 (30 Sep 2010); S&P 500 closing low",
    ),
    "us_downgrade_2011": Scenario(
        "US debt ceiling, downgrade and euro contagion",
        "2011-07-22",
        "2011-10-03",
        _fall(1345.02, 1099.23),
        "Standard & Poor's cut the US rating on 2011-08-05; S&P 500 closing high and low around it",
    ),
    "euro_crisis_2011": Scenario(
        "Italian and Spanish yields past six percent",
        "2011-10-27",
        "2011-11-25",
        _fall(1284.59, 1158.67),
        "Italian ten-year yield above 7 % on 2011-11-09; S&P 500 closing high and low",
    ),
    "gold_crash_2013": Scenario(
        "Gold falls by a seventh in two sessions",
        "2013-04-11",
        "2013-04-15",
        _fall(1593.37, 1552.36),
        "COMEX settlements of 2013-04-12 and 2013-04-15; S&P 500 closes",
    ),
    "taper_tantrum_2013": Scenario(
        "Taper tantrum: bonds and emerging markets fall together",
        "2013-05-21",
        "2013-06-24",
        _fall(1669.16, 1573.09),
        "Bernanke's testimony to the Joint Economic Committee, 2013-05-22; S&P 500 closing low 2013-06-24",
    ),
    "oil_crash_2014": Scenario(
        "Oil from 107 to 27 dollars",
        "2014-06-20",
        "2016-01-20",
        _fall(1962.87, 1859.33),
        "WTI front-month settlements, high of 2014-06-20 and low of 2016-01-20 (EIA); S&P 500 closes",
    ),
    "china_devaluation_2015": Scenario(
        "Renminbi devaluation",
        "2015-08-10",
        "2015-08-25",
        _fall(2104.18, 1867.61),
        "People's Bank of China fixing of 2015-08-11; S&P 500 closing low 2015-08-25",
    ),
    "growth_scare_2016": Scenario(
        "Oil and China growth scare",
        "2015-12-31",
        "2016-02-11",
        _fall(2043.94, 1829.08),
        "S&P 500 closing low and WTI low of 2016-02-11",
    ),
    "brexit_2016": Scenario(
        "Vote to leave the European Union",
        "2016-06-23",
        "2016-06-27",
        _fall(2113.32, 2000.54),
        "UK referendum of 2016-06-23; S&P 500 closing low 2016-06-27",
    ),
    "volmageddon_2018": Scenario(
        "Short-volatility unwind",
        "2018-01-26",
        "2018-02-08",
        _fall(2872.87, 2581.00),
        "VIX +20 points on 2018-02-05, termination of XIV (Credit Suisse, 2018-02-06); S&P 500 closing high and low",
    ),
    "q4_2018": Scenario(
        "Fourth quarter of 2018: tightening and trade war",
        "2018-09-20",
        "2018-12-24",
        _fall(2930.75, 2351.10),
        "S&P 500 closing high and low",
    ),
    "covid_2020": Scenario(
        "Pandemic crash",
        "2020-02-19",
        "2020-03-23",
        _fall(3386.15, 2237.40),
        "S&P 500 closing high and low; WHO declared a pandemic on 2020-03-11",
    ),
    "oil_negative_2020": Scenario(
        "Oil below zero",
        "2020-04-13",
        "2020-04-21",
        _fall(2761.63, 2736.56),
        "WTI May contract settled at -37.63 dollars on 2020-04-20 (CFTC interim staff report, 2020-11-23); S&P 500 closes",
    ),
    "bond_crisis_2022": Scenario(
        "Inflation and rate rises: stocks and bonds fall together",
        "2022-01-03",
        "2022-10-12",
        _fall(4796.56, 3577.03),
        "S&P 500 closing high and low; FOMC raised its target seven times in 2022 from 2022-03-16",
    ),
    "svb_2023": Scenario(
        "Failure of Silicon Valley Bank",
        "2023-03-08",
        "2023-03-13",
        _fall(3992.01, 3855.76),
        "SVB Financial 8-K of 2023-03-08; FDIC receivership 2023-03-10",
    ),
    "term_premium_2023": Scenario(
        "Ten-year yield to five percent",
        "2023-07-31",
        "2023-10-27",
        _fall(4588.96, 4117.37),
        "S&P 500 month-end and closing low; 10-year Treasury touched 5 % on 2023-10-23 (H.15)",
    ),
    "yen_unwind_2024": Scenario(
        "Unwinding of yen carry trades",
        "2024-07-16",
        "2024-08-05",
        _fall(5667.20, 5186.33),
        "Bank of Japan raised its rate on 2024-07-31; S&P 500 closing high and low around it; ten-year yield 4.17 to 3.78 % "
        "(H.15), VIX closes 13.19 and 38.57",
        (_equity(_fall(5667.20, 5186.33)), _rates(-39), Shock("vix", 25.38)),
    ),
    "crash_1987": Scenario(
        "Black Monday",
        "1987-10-16",
        "1987-10-19",
        _fall(282.70, 224.84),
        "Brady Commission report, January 1988; S&P 500 closes; ten-year yield 10.23 to 10.15 % (H.15)",
        (_equity(_fall(282.70, 224.84)), _rates(-8)),
    ),
    "gulf_war_1990": Scenario(
        "Iraq invades Kuwait: oil doubles, shares fall",
        "1990-07-16",
        "1990-10-11",
        _fall(368.95, 295.46),
        "S&P 500 closing high and low around the invasion of 1990-08-02; ten-year yield 8.44 to 8.92 % (H.15); VIX closes; WTI, "
        "monthly means of July and October, 18.64 and 35.92 dollars (EIA)",
        (_equity(_fall(368.95, 295.46)), _rates(48), Shock("oil", _fall(18.64, 35.92))),
    ),
    "bond_massacre_1994": Scenario(
        "Surprise of 1994: the Fed tightens, bonds fall",
        "1994-02-03",
        "1994-11-07",
        _fall(480.71, 463.07),
        "FOMC statement of 1994-02-04; ten-year yield 5.81 to 8.05 % (H.15); S&P 500 closes",
        (_equity(_fall(480.71, 463.07)), _rates(224)),
        alone=True,
    ),
    "stagflation_1973": Scenario(
        "Stagflation of 1973 and 1974",
        "1973-01-11",
        "1974-10-03",
        _fall(120.24, 62.28),
        "S&P 500 closing high and low; ten-year yield 6.43 to 8.04 % (H.15); producer prices of all commodities, annual means of "
        "1972 and 1974, 39.8 and 53.5 (BLS)",
        (_equity(_fall(120.24, 62.28)), _rates(161), Shock("commodity", _fall(39.8, 53.5))),
    ),
    "ltcm_1998": Scenario(
        "Russia defaults, LTCM fails",
        "1998-07-17",
        "1998-08-31",
        _fall(1186.75, 957.28),
        "Moratorium of 1998-08-17; S&P 500 closing high and low; ten-year yield 5.51 to 5.05 % (H.15); high-yield spread 3.29 to "
        "5.20 % (ICE BofA)",
        (_equity(_fall(1186.75, 957.28)), _rates(-46), Shock("credit", 191)),
    ),
    "dotcom_2000": Scenario(
        "End of the internet bubble",
        "2000-03-24",
        "2002-10-09",
        _fall(1527.46, 776.76),
        "S&P 500 closing high and low; ten-year yield 6.20 to 3.61 % (H.15); high-yield spread 5.47 to 11.17 % (ICE BofA)",
        (_equity(_fall(1527.46, 776.76)), _rates(-259), Shock("credit", 570)),
    ),
    "rates_up_200": _imagined(
        "Yields up by two percentage points, all else as it is",
        "size: parallel shock for the dollar in Basel Committee, Interest rate risk in the banking book (d368), April 2016",
        _rates(200),
        alone=True,
    ),
    "rates_down_200": _imagined(
        "Yields down by two percentage points, all else as it is",
        "size: parallel shock for the dollar in Basel Committee, Interest rate risk in the banking book (d368), April 2016",
        _rates(-200),
        alone=True,
    ),
    "credit_up_300": _imagined(
        "High-yield spreads up by three percentage points",
        "size: a convention; the spread rose by 7.30 points from 2020-02-19 to 2020-03-23 (ICE BofA)",
        Shock("credit", 300),
    ),
    "stocks_and_bonds_down": _imagined(
        "Shares fall by a fifth while yields rise by one and a half points",
        "size: about that of 2022 (S&P 500 -25 %, ten-year yield +2.3 points to 2022-10-12) in one quarter; a convention",
        _equity(-0.20),
        _rates(150),
        horizon=63,
    ),
    "equity_down_55": _imagined(
        "Severe recession: shares fall by 55 percent",
        "Federal Reserve Board, 2024 Stress Test Scenarios, severely adverse, February 2024: equity prices -55 %",
        _equity(-0.55),
        horizon=189,
    ),
    "gold_down_20": _imagined(
        "Gold falls by a fifth", "size: a convention; gold fell by 28 % in 2013 (LBMA)", Shock("gold", -0.20)
    ),
    "vix_up_30": _imagined(
        "VIX rises by thirty points",
        "size: a convention; the VIX rose by 68 points from 2020-02-19 to 2020-03-16 (Cboe)",
        Shock("vix", 30.0),
    ),
}
"""Scenarios by name; add one here and every strategy is stressed by it."""
