"""The rules: what each looks for, how severe breaking it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with the input.

    Attributes
    ----------
    description : str
        What the rule looks for.
    severity : {"info", "warning", "error"}
        An error refuses the row; a warning lets it through and is listed.
    remedy : str
        What to do next.
    """

    description: str
    severity: Severity
    remedy: str


EXPORT_AGAIN = "Export the file again from its source, or mend the line."

READING: dict[str, Rule] = {
    "missing_file": Rule("A file of the layout is absent", "warning", "Supply it, or take it out of layout.yaml."),
    "empty_file": Rule("A file holds no rows", "error", EXPORT_AGAIN),
    "unreadable_file": Rule("A file is truncated or of another kind", "error", EXPORT_AGAIN),
    "wrong_encoding": Rule("Text is not UTF-8", "error", "Save the text as UTF-8."),
    "missing_column": Rule("A needed column is absent", "error", "Name the column in layout.yaml, or export it again."),
    "changed_schema": Rule("A column changed its type", "error", "Export the column with its former type."),
    "wrong_field_count": Rule("A line has too many or too few fields", "error", EXPORT_AGAIN),
    "not_a_number": Rule("Text stands where a number belongs", "error", EXPORT_AGAIN),
    "not_a_date": Rule("A date cannot be read", "error", "Write dates as YYYY-MM-DD."),
    "wrong_timezone": Rule("A session is an instant off the midnight of its zone", "error", "Export sessions as plain dates."),
    "missing_text": Rule("A name or code is blank", "error", EXPORT_AGAIN),
    "unknown_word": Rule("A word is none of those allowed", "error", "Use one of the words that the contract allows."),
    "impossible_value": Rule("A quantity that cannot be negative is", "error", "Correct the value at its source."),
    "duplicate_key": Rule("Two rows of one ticker and session", "error", "Remove the repeated or the wrong row at its source."),
    "not_a_session": Rule("A date on which the exchange was closed", "error", "Correct the date, or the row's exchange."),
    "unknown_exchange": Rule("No calendar is known for the exchange", "error", "Use a market identifier code such as XNYS."),
    "unknown_series": Rule("A series without a known release lag", "error", "Declare it in providers/macro_series.py."),
    "not_delivered": Rule(
        "A network source did not deliver a fund, series or file that was asked for",
        "warning",
        "Run again later; a fund that ended goes out of ETF_TICKERS, and its ending into the actions.",
    ),
    "missing_value": Rule("The publisher marks values as not observed", "info", "Nothing to do: they stay unknown."),
}
"""Rules that a provider may report through `raw_rejects`; two of them are met by readable bars too."""

BARS: dict[str, Rule] = {
    "missing_price": Rule("Open, high, low or close is unknown", "error", "Supply the price; without it the bar is no bar."),
    "nonpositive_price": Rule("A price is zero, negative or infinite", "error", "Correct the price at its source."),
    "missing_volume": Rule("Volume is unknown", "error", "Supply it; zero where nothing traded."),
    "negative_volume": Rule("Volume is negative or infinite", "error", "Correct the volume at its source."),
    "high_below_low": Rule("The high is below the low", "error", "Correct the bar; perhaps two columns are swapped."),
    "outside_range": Rule("Open or close lies outside low to high", "error", "Correct the bar at its source."),
    "wild_range": Rule(
        "Open, high or low is many times the close, or a fraction", "error", "Correct the stray price of the bar."
    ),
    "currency_mismatch": Rule(
        "The bar's currency is not the fund's", "error", "Convert at the source, or give the other listing its own ticker."
    ),
    "future_date": Rule(
        "The session had not closed when the data were fetched", "error", "Correct the date; load it once closed."
    ),
    "missed_split": Rule(
        "The close moved by a usual split ratio and no action says so",
        "error",
        "Add the split to the actions (actions.csv: ticker, ex_date, split, new shares per old); a true move goes into "
        "`confirmed_jumps` as TICKER:YYYY-MM-DD.",
    ),
    "price_jump": Rule(
        "The close moved further than any fund does",
        "error",
        "Correct the price or its unit (cents for dollars), or add the action; a true move goes into `confirmed_jumps` as "
        "TICKER:YYYY-MM-DD.",
    ),
    "unknown_ticker": Rule(
        "The reference says nothing about the fund", "warning", "Add a reference row; until then class and cost are unknown."
    ),
    "after_ending": Rule(
        "Bars go on after the fund was merged or liquidated",
        "warning",
        "Check the action; a reused ticker needs a name of its own.",
    ),
    "stale_run": Rule(
        "The close repeats with no or unchanging volume", "warning", "Compare with another source: the feed may have stopped."
    ),
    "zero_volume": Rule(
        "Nothing traded: the close may be a carried quote", "warning", "Do not fill orders on it; none if it recurs."
    ),
    "calendar_gap": Rule("Sessions of the exchange are missing", "warning", "Load the missing sessions, or note the halt."),
    "outlier_return": Rule(
        "A return far outside the fund's own range and the market's that session", "warning", "Compare with another source."
    ),
}
"""Rules for bars."""

ACTIONS: dict[str, Rule] = {
    "large_dividend": Rule(
        "A dividend is a large part of the price", "warning", "Check the amount, and whether it is a liquidation."
    ),
    "dividend_on_adjusted": Rule(
        "A dividend on prices that contain dividends already", "warning", "Drop it: `marts` does not credit it a second time."
    ),
    "repeated_action": Rule(
        "Two sources report the same action", "warning", "Keep it in one source: otherwise it takes effect twice."
    ),
}
"""Rules for corporate actions."""

RULES: dict[str, Rule] = {**READING, **BARS, **ACTIONS}
"""Every rule by the name that findings and quarantine carry."""
