"""A person's own file of parameters stands over the profile's, and what it gets wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from etf_pipeline.errors import SettingsError
from etf_pipeline.orchestration.config import check_recipes, default_parameters
from etf_pipeline.risk import CovarianceParameters


def own(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def made(path: Path) -> CovarianceParameters:
    found = default_parameters(CovarianceParameters, "covariances", "demo", own=path)
    assert isinstance(found, CovarianceParameters)
    return found


def test_the_own_value_wins_and_the_profile_s_others_stay(tmp_path: Path) -> None:
    found = made(own(tmp_path, "covariances:\n  estimator: oas\n"))
    assert (found.estimator, found.window) == ("oas", 252)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("covariances:\n  windw: 5\n", r"own.yaml sets \['windw'\] of covariances, which has"),
        ("covariances:\n  window: long\n", "covariances.window needs .*int.*found 'long'"),
        ("covariances:\n  window: 2.5\n", "covariances.window needs .*int.*found 2.5"),
        ("covariances: 3\n", "own.yaml needs lines such as"),
        ("- covariances\n", "own.yaml needs lines such as"),
        ("covariances: [\n", "own.yaml cannot"),
    ],
)
def test_what_is_wrong_in_it_is_named(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=told):
        made(own(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.yaml cannot"):
        made(tmp_path / "absent.yaml")


def test_a_recipe_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\['covariance'\]; recipes that have some are covariances, scores"):
        check_recipes(own(tmp_path, "covariance:\n  window: 5\n"), {"covariances", "scores"})
