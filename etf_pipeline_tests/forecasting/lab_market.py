"""The small market of this folder with what the lab reads besides, and settings that fit it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from etf_pipeline.forecasting.lab import ImportanceParameters, LabParameters, SearchParameters

SMALL: dict[str, Any] = {"first_train": 120, "step": 60, "embargo": 2, "train_every": 2, "trees": 6, "min_leaf": 25, "n_jobs": 1}
LAB = LabParameters(
    **SMALL,
    models=("ridge", "lightgbm_rf"),
    horizons=(5,),
    rolling_train=100,
    per_fund_models=(),
    cpcv_models=("ridge",),
    cpcv_horizon=5,
    cpcv_folds=4,
)
IMPORTANCE = ImportanceParameters(**SMALL, models=("ridge",), horizon=5, test_every=2)
SEARCH = SearchParameters(
    **SMALL, models=("ridge",), horizon=5, search_every=2, configurations=5, inner_folds=2, inner_train=50, rungs=2
)


@dataclass
class CountingCache:
    """A cache that counts, and may refuse to keep more than so many pieces, like a run that is killed.

    Attributes
    ----------
    pieces : dict
        By kind and key.
    dies_after : int
        Pieces that are kept before it raises; 0 for all.
    """

    pieces: dict[tuple[str, str], pa.Table] = field(default_factory=dict)
    dies_after: int = 0
    hits: int = 0

    def get(self, kind: str, key: str) -> pa.Table | None:
        found = self.pieces.get((kind, key))
        self.hits += found is not None
        return found

    def put(self, kind: str, key: str, table: pa.Table) -> None:
        self.pieces[(kind, key)] = table
        if self.dies_after and len(self.pieces) >= self.dies_after:
            raise KeyboardInterrupt


def lab_frames(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Arguments of `run_lab`: bars that touch open and close, and a regime that changes every fifty sessions."""
    returns = frames["returns"]
    open_, close = returns["index_open"], returns["index_close"]
    bars = returns[["session", "ticker"]].assign(
        close=close, low=np.minimum(open_, close) * 0.99, high=np.maximum(open_, close) * 1.01
    )
    days = np.sort(returns["session"].unique())
    regimes = pd.DataFrame({"session": days, "regime": np.where(np.arange(len(days)) // 50 % 2 == 0, "bull", "bear")})
    return frames | {"bars": bars, "regimes": regimes.iloc[: len(days) - 3]}


def panel_frames(frames: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, ...]:
    """What `designs` reads."""
    return tuple(frames[name] for name in ("features", "returns", "membership", "reference"))
