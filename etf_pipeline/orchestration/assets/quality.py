"""Quality room: what is wrong with the input, and which rows are refused?"""

import pandas as pd

from etf_pipeline.quality import QualityParameters, inspect
from etf_pipeline.recipes import makes


@makes("quality_findings", "quarantine", "quality_rules")
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
