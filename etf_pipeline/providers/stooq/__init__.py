"""Provider `stooq`: a folder of Stooq's daily downloads as a market.

Two shapes are read: the bulk ASCII archive as it unpacks (``data/daily/us/nyse etfs/1/spy.us.txt``, columns in angle brackets)
and the export of one ticker (``spy_us_d.csv``). Stooq adjusts US prices for splits **and dividends** back from the newest
session, so that bars are marked `split_dividend`: their returns are total returns, no dividend is ever credited on them, and
neither their level nor their share volume is what was traded. Whoever exports without dividends says so by ``adjustment`` in
layout.yaml. There are no actions and no ticker history; rates, VIX and reference are those of the `files` provider, from the
folder or the one above it.
"""

from etf_pipeline.providers.stooq.bars import parse_stooq_bars

__all__ = ["parse_stooq_bars"]
