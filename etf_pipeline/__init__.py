"""An open ETF pipeline from prices to weights, backtest and stress reports: causal, honest, explainable to the row."""

import os
from pathlib import Path

from etf_pipeline.kernel_cache import use_own_folder

__version__ = "0.1.0"

use_own_folder(os.environ, Path(__file__).parent)  # before any kernel is imported
# before NumPy is: a sum must not depend on how many threads a BLAS happens to find, and matrices here are small
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
