"""Historical windows in which markets fell: dates, what happened, and who says so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """One window.

    Attributes
    ----------
    title : str
        In words.
    start, end : str
        The last close before the fall and the close that ends it; the shock is the return from one to the other.
    index_return : float
        What the S&P 500 (price index) did, for markets whose own history does not reach back. [fraction]
    source : str
        Where the dates come from.
    """

    title: str
    start: str
    end: str
    index_return: float
    source: str


def _fall(before: float, after: float) -> float:
    return after / before - 1.0


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
    "taper_tantrum_2013": Scenario(
        "Taper tantrum: bonds and emerging markets fall together",
        "2013-05-21",
        "2013-06-24",
        _fall(1669.16, 1573.09),
        "Bernanke's testimony to the Joint Economic Committee, 2013-05-22; S&P 500 closing low 2013-06-24",
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
        "Bank of Japan raised its rate on 2024-07-31; S&P 500 closing high and low around it",
    ),
}
"""Windows by name; add one here and every strategy is stressed by it."""
