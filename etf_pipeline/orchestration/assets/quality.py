"""Quality room: what is wrong with the input, and which rows are refused?"""

import pandas as pd

from etf_pipeline.quality import MEMORY, QualityParameters, contested, inspect
from etf_pipeline.recipes import Increment, makes


@makes(
    "quality_findings",
    "quarantine",
    "quality_rules",
    increment=Increment(
        lookback=MEMORY,
        dated={
            "stg_actions": "ex_date",
            "raw_rejects": "session",
            "quality_findings": "session",
            "quarantine": "session",
        },
        ignored={"stg_reference": ("name", "category", "family", "expense_ratio", "aum_value", "snapshot_at", "inception")},
        trial=90,
        contested=contested,
    ),
)
def quality(
    stg_prices: pd.DataFrame,
    stg_actions: pd.DataFrame,
    stg_reference: pd.DataFrame,
    raw_rejects: pd.DataFrame,
    parameters: QualityParameters,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Every rule over every bar; a row that breaks one that refuses goes no further."""
    found = inspect(stg_prices, stg_actions, stg_reference, raw_rejects, parameters)
    return found.findings, found.quarantine, found.rules
