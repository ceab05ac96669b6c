"""The studies' file says what was claimed and whether it held, and a claim that fails fails the command."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from etf_pipeline_tests.prove import __main__ as prove
from etf_pipeline_tests.prove import beta_coverage_study

COLUMNS = ["study", "seed", "date", "draws", "result", "claim", "holds"]


@pytest.mark.parametrize("coverage", [0.95, 0.85])
def test_a_claim_that_fails_fails_the_command_and_is_written_as_such(
    coverage: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coin = SimpleNamespace(
        CLAIM="covers", study=lambda: {"draws": 5, "seed": 3, "coverage": coverage}, holds=lambda result: result["coverage"] > 0.9
    )
    monkeypatch.setattr(prove, "studies", lambda wanted: {"coin": coin})
    code = prove.main([], tmp_path / "studies.json")
    (row,) = json.loads((tmp_path / "studies.json").read_text())
    assert list(row) == COLUMNS
    assert (row["study"], row["seed"], row["draws"], row["result"]) == ("coin", 3, 5, {"coverage": coverage})
    assert row["holds"] is (coverage > 0.9)
    assert code == int(coverage < 0.9)


def test_every_study_has_a_claim_and_its_newest_committed_result_holds() -> None:
    modules = prove.studies()
    rows = {row["study"]: row for row in json.loads(prove.OUTPUT.read_text())}
    assert set(rows) == set(modules)
    for name, module in modules.items():
        assert rows[name]["claim"] == module.CLAIM
        assert rows[name]["holds"]
        assert module.holds(rows[name]["result"])


def test_one_market_of_the_loadings_study_has_errors_of_the_size_that_it_states() -> None:
    # 12 funds x 13 factors: |z| beyond 6 does not happen where errors are right; SPY's market loading has an error of 0.003.
    error, spread = beta_coverage_study.one_market(5)
    assert np.abs(error / spread).max() < 6
    assert 0.8 < np.std(error / spread) < 1.3
    assert abs(error[0, 0]) < 0.02
