"""The shell blocks of every how-to page run as they stand, each page in one shell and a home of its own on the demo market."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from etf_pipeline_tests.conftest import Demo

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs" / "howto").glob("*.md"))
EXPECTED = {
    "backfill": ["same"],
    "nightly": ["kept because nothing changed"],
    "own_data": ["2024-06-27", "volume"],
    "own_feature": ["up_share_21"],
    "own_model": ["DecisionTreeRegressor"],
    "querying": ["max_sharpe"],
    "restore": ["catalog: ok"],
}
"""What each page's commands must say."""


@pytest.mark.timeout(900)
@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="the pages are written for bash")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_how_to_page_work(page: Path, demo: Demo, tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks, f"{page.name} shows nothing to run"
    shutil.copytree(demo.home, tmp_path / "data")
    script = 'set -eu\netf() { "$PYTHON" -m etf_pipeline.cli "$@"; }\npython() { "$PYTHON" "$@"; }\n' + "".join(blocks)
    plain = {k: v for k, v in os.environ.items() if not k.startswith("ETF_")}
    environment = plain | {
        "ETF_HOME": str(tmp_path / "data"),
        "ETF_PROFILE": "demo",
        "COLUMNS": "200",
        "PROJECT": str(ROOT),
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
    }
    told = subprocess.run(
        ["/bin/bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=880, check=False
    )
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-6000:]
    for words in EXPECTED.get(page.stem, []):
        assert words in told.stdout, f"{page.name} did not say '{words}':\n{told.stdout[-6000:]}"


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"docs/howto/{page.name}" not in readme] == []
