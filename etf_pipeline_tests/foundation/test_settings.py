"""Settings: defaults, refusals, no silent fallback."""

from __future__ import annotations

from pathlib import Path

import pytest

from etf_pipeline.errors import SettingsError
from etf_pipeline.settings import load_settings, override


def test_without_environment_the_simulated_market_is_used() -> None:
    settings = load_settings({})
    assert (settings.provider, settings.profile, settings.executor) == ("simulated", "full", "in_process")
    assert settings.catalog == settings.home / "warehouse" / "catalog.duckdb"


def test_files_without_a_folder_is_refused_and_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match="ETF_FILES_ROOT"):
        load_settings({"ETF_PROVIDER": "files"})
    with pytest.raises(SettingsError, match="files_root"):
        override(load_settings({}), provider="files")


@pytest.mark.parametrize("name", ["ETF_PROVIDER", "ETF_PROFILE", "ETF_EXECUTOR"])
def test_a_misspelled_choice_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({name: "filse"})


def test_the_launchpad_overrides_the_environment(tmp_path: Path) -> None:
    chosen = override(load_settings({}), provider="files", files_root=str(tmp_path))
    assert (chosen.provider, chosen.files_root) == ("files", tmp_path)
