"""Provider `lean`: a data folder of QuantConnect's LEAN engine as a market, with every price as it was traded.

``daily/*.zip`` holds raw bars by *traded ticker* (prices times 10,000), ``factor_files`` what splits and dividends do to a
fund's prices, ``map_files`` the tickers that each fund has had; the same below ``equity/usa``. LEAN has no rates, VIX or
factors: those sections, and the reference snapshot, are those of the `files` provider, from the folder or the one above it.
The folder feeds a warehouse of its own (``ETF_PROVIDER=lean``, or `files` on a folder that has such zips); nothing mixes its
bars with those of another vendor.

* A bar is divided by 10,000 and stays unadjusted (`bars`).
* A row of a factor file says what holds up to and including its date: the step to the next row is a split, a dividend or both
  on the session that follows (`factors`).
* A map file's spells become `raw_ticker_history` (`maps`). Bars of a ticker that lie outside every map file's dates are those
  of a company that no map file tells of: a fund of its own, named by `files.identity`.
"""

from etf_pipeline.providers.lean.bars import parse_lean_bars
from etf_pipeline.providers.lean.factors import actions_of_factors, parse_factor_file
from etf_pipeline.providers.lean.maps import last_trades, parse_map_file

__all__ = ["actions_of_factors", "last_trades", "parse_factor_file", "parse_lean_bars", "parse_map_file"]
