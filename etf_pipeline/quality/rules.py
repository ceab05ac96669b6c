"""The rules: what each looks for, how severe breaking it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from etf_pipeline.quality.parameters import QualityParameters

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with the input.

    Attributes
    ----------
    description : str
        What the rule looks for.
    severity : {"info", "warning", "error"}
        How grave it is.
    remedy : str
        What to do next.
    steps_back : bool
        A row that breaks it is refused although nothing is wrong with it: another row speaks for it.
    fixed : bool
        Whether settings may not change its outcome: later stages rely on it, or there is no row to refuse.
    """

    description: str
    severity: Severity
    remedy: str
    steps_back: bool = False
    fixed: bool = False

    @property
    def refuses(self) -> bool:
        """Whether a row that breaks it goes no further."""
        return self.severity == "error" or self.steps_back


EXPORT_AGAIN = "Export the file again from its source, or mend the line."
MEND_BAR = "Correct the bar at its source."

READING: dict[str, Rule] = {
    "missing_file": Rule("A file of the layout is absent", "warning", "Supply it, or take it out of layout.yaml.", fixed=True),
    "not_delivered": Rule(
        "The source gave nothing for a fund", "warning", "Fetch again; a fund that ended belongs into the actions.", fixed=True
    ),
    "empty_file": Rule("A file holds no rows", "error", EXPORT_AGAIN, fixed=True),
    "unreadable_file": Rule("A file is truncated or of another kind", "error", EXPORT_AGAIN, fixed=True),
    "wrong_encoding": Rule("Text is not UTF-8", "error", "Save the text as UTF-8.", fixed=True),
    "missing_column": Rule(
        "A needed column is absent", "error", "Name the column in layout.yaml, or export it again.", fixed=True
    ),
    "changed_schema": Rule("A column changed its type", "error", "Export the column with its former type.", fixed=True),
    "wrong_field_count": Rule("A line has too many or too few fields", "error", EXPORT_AGAIN, fixed=True),
    "not_a_number": Rule("Text stands where a number belongs", "error", EXPORT_AGAIN, fixed=True),
    "not_a_date": Rule("A date cannot be read", "error", "Write dates as YYYY-MM-DD.", fixed=True),
    "wrong_timezone": Rule(
        "A session is an instant off the midnight of its zone", "error", "Export sessions as plain dates.", fixed=True
    ),
    "missing_text": Rule("A name or code is blank", "error", EXPORT_AGAIN, fixed=True),
    "unknown_word": Rule(
        "A word is none of those allowed", "error", "Use one of the words that the contract allows.", fixed=True
    ),
    "impossible_value": Rule("A quantity that cannot be negative is", "error", "Correct the value at its source.", fixed=True),
    "duplicate_key": Rule(
        "Two rows of one ticker and session in one source",
        "error",
        "Remove the repeated or the wrong row at its source.",
        fixed=True,
    ),
    "not_a_session": Rule(
        "A date on which the exchange was closed", "error", "Correct the date, or the row's exchange.", fixed=True
    ),
    "unknown_exchange": Rule(
        "No calendar is known for the exchange", "error", "Use a market identifier code such as XNYS.", fixed=True
    ),
    "unknown_series": Rule(
        "A series without a known release lag", "error", "Declare it in providers/macro_series.py.", fixed=True
    ),
    "missing_value": Rule("The publisher marks values as not observed", "info", "Nothing to do: they stay unknown.", fixed=True),
}
"""Rules that a provider may report through `raw_rejects`; three of them are met by readable bars too."""

BARS: dict[str, Rule] = {
    "missing_price": Rule(
        "Open, high, low or close is unknown", "error", "Supply the price; without it the bar is no bar.", fixed=True
    ),
    "nonpositive_price": Rule("A price is zero, negative or infinite", "error", "Correct the price at its source.", fixed=True),
    "missing_volume": Rule("Volume is unknown", "error", "Supply it; zero where nothing traded.", fixed=True),
    "negative_volume": Rule("Volume is negative or infinite", "error", "Correct the volume at its source.", fixed=True),
    "high_below_low": Rule("The high is below the low", "error", "Correct the bar; perhaps two columns are swapped."),
    "outside_range": Rule("Open or close lies outside low to high", "error", MEND_BAR),
    "wild_range": Rule(
        "Open, high or low is many times the close, or a fraction", "error", "Correct the stray price of the bar."
    ),
    "currency_mismatch": Rule(
        "The bar's currency is not the fund's", "error", "Convert at the source, or give the other listing its own ticker."
    ),
    "future_date": Rule(
        "The session had not closed when the data were fetched", "error", "Correct the date; load it once closed.", fixed=True
    ),
    "second_source": Rule(
        "Another source speaks for the fund that session",
        "info",
        "Nothing to do; `source_order` chooses who speaks.",
        steps_back=True,
        fixed=True,
    ),
    "source_break": Rule(
        "A source goes on at another level than the fund's series, whose source is silent",
        "error",
        "Put both on one level, or keep one of them: joined they would make a return that nobody earned.",
        fixed=True,
    ),
    "source_disagreement": Rule(
        "Two sources differ on the return", "warning", "Look it up in a third; `refuse` keeps such bars out."
    ),
    "split_in_doubt": Rule(
        "The close did not move by a given split",
        "error",
        "Nothing if the next bar did; otherwise mend the split or its date.",
        fixed=True,
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
    "missing_session": Rule(
        "A few sessions are missing; perhaps nothing traded", "info", "Load them if another source has them."
    ),
    "outlier_return": Rule(
        "A return far outside the fund's own range and the market's that session", "warning", "Compare with another source."
    ),
}
"""Rules for bars."""

SESSIONS: dict[str, Rule] = {
    "thin_session": Rule(
        "The median fund traded a fraction of its usual volume, early closes allowed for",
        "warning",
        "Fetch the session again: the feed may have been cut before the close.",
        fixed=True,
    ),
    "hollow_session": Rule(
        "Most funds, or all, lack the session", "warning", "Fetch the session again: the feed lacks funds.", fixed=True
    ),
}
"""Rules for whole sessions of an exchange."""

ACTIONS: dict[str, Rule] = {
    "large_dividend": Rule(
        "A dividend is many times the fund's usual one, and the price did not fall by it",
        "error",
        "Check the amount and its unit (cents for dollars); it is not credited meanwhile.",
    ),
    "special_dividend": Rule(
        "A dividend is a large part of the price", "warning", "Check the amount, and whether it is a liquidation."
    ),
    "split_not_seen": Rule(
        "Prices did not move by a given split",
        "error",
        "Correct the ratio or the date, or the adjustment of the prices; it does not take effect meanwhile.",
    ),
    "dividend_on_adjusted": Rule(
        "A dividend on prices that contain dividends already", "warning", "Drop it: `marts` does not credit it a second time."
    ),
    "repeated_action": Rule(
        "Two sources report the same action",
        "warning",
        "Keep it in one source; the first one known takes effect.",
        steps_back=True,
        fixed=True,
    ),
}
"""Rules for corporate actions."""

RULES: dict[str, Rule] = {**READING, **BARS, **SESSIONS, **ACTIONS}
"""Every rule by the name that findings and quarantine carry."""


def refuses(rule: str, parameters: QualityParameters) -> bool:
    """Whether a row that breaks a rule goes no further; a rule that `RULES` does not know, from a provider, refuses."""
    if rule not in RULES:
        return True
    return (RULES[rule].refuses and rule not in parameters.allow) or rule in parameters.refuse


def severity(rule: str, parameters: QualityParameters) -> Severity:
    """How grave a rule is under the settings: refusing makes an error of it, allowing a warning."""
    if rule not in RULES or rule in parameters.refuse:
        return "error"
    return "warning" if rule in parameters.allow and RULES[rule].refuses else RULES[rule].severity
