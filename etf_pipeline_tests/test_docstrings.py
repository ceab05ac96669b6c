"""Every example in a docstring runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "etf_pipeline"
MODULES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_right(name: str) -> None:
    module = importlib.import_module(name)
    usual = {"np": np, "pd": pd, "pa": pa, "Path": Path}
    result = doctest.testmod(module, extraglobs={k: v for k, v in usual.items() if k not in vars(module)})
    assert result.attempted > 0
    assert result.failed == 0
