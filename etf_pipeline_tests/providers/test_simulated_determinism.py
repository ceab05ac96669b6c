"""Same seed, same bytes, in any process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pandas as pd
from simulated_by_hand import market

from etf_pipeline.providers import RawMarket
from etf_pipeline.providers.simulated import SimulatedMarket

PARTS = ("prices", "actions", "reference", "aum", "macro", "factors", "ticker_history", "lifecycle")
PROGRAM = """
from test_simulated_determinism import digest
from etf_pipeline.providers.simulated import SimulatedMarket
print(digest(SimulatedMarket.for_profile("full").fetch()))
"""


def digest(raw: RawMarket) -> str:
    """Hash of every value of every table."""
    total = hashlib.sha256()
    for part in PARTS:
        total.update(pd.util.hash_pandas_object(getattr(raw, part), index=True).to_numpy().tobytes())
    return total.hexdigest()


def test_two_processes_with_other_hash_seeds_and_threads_draw_the_same_bytes():
    here = os.path.dirname(__file__)
    found = []
    for hash_seed, threads in (("1", "1"), ("2", "2")):
        env = os.environ | {"PYTHONHASHSEED": hash_seed, "OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": here}
        made = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True)
        found.append(made.stdout.strip())
    assert found == [digest(market())] * 2


def test_another_seed_draws_another_market_on_the_same_frame():
    other = SimulatedMarket.for_profile("demo", seed=13).fetch()
    mine = market("demo")
    assert list(other.prices["session"]) == list(mine.prices["session"])
    assert (other.prices["close"] != mine.prices["close"]).mean() > 0.99
    assert "seed 13" in other.label
