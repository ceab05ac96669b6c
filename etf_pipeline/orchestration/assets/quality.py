"""Quality room: what is wrong with the input, and which rows are refused?"""

import pandas as pd

from etf_pipeline.quality import QualityParameters, inspect
from etf_pipeline.recipes import makes


@makes("quality_findings", "quarantine")
def quality(
    stg_prices: pd.DataFrame,
    stg_actions: pd.DataFrame,
    stg_reference: pd.DataFrame,
    raw_rejects: pd.DataFrame,
    parameters: QualityParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every rule over every bar; a row that breaks a rule of severity error goes no further."""
    found = inspect(stg_prices, stg_actions, stg_reference, raw_rejects, parameters)
    return found.findings, found.quarantine
