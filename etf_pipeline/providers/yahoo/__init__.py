"""Provider `yahoo`: funds from Yahoo Finance; macro series, factors and geopolitical risk from those who publish them.

A night asks for what is missing: the sessions since the last one, ten before them so that a restatement is seen, and recent gaps.
A split makes Yahoo rewrite a fund's whole history, so that fund is fetched whole. A fund that does not come is a row of
`raw_rejects` and the others go on; what came is kept on disk until the fetch is whole, so that a retry does not ask twice.

``ETF_PROVIDER=yahoo ETF_TICKERS=SPY,TLT,VAS.AX etf run`` needs the extra ``etf-pipeline[yahoo]``. With the secret
``FRED_API_KEY`` revised series come as they were first released.

Yahoo's prices are adjusted for splits up to the day of the fetch and not for dividends, which stand beside them.
"""

from etf_pipeline.providers.yahoo.feed import Feed, NotDelivered, YFinance
from etf_pipeline.providers.yahoo.parse import parse_bars, parse_fund, parse_index
from etf_pipeline.providers.yahoo.provider import YahooProvider
from etf_pipeline.providers.yahoo.windows import Window, fund_windows, index_windows

__all__ = [
    "Feed",
    "NotDelivered",
    "Window",
    "YFinance",
    "YahooProvider",
    "fund_windows",
    "index_windows",
    "parse_bars",
    "parse_fund",
    "parse_index",
]
