"""The shell blocks of docs/security.md run as they stand, in one shell, on the demo market."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "security.md"


@pytest.mark.timeout(900)
@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="the page is written for bash")
def test_the_commands_of_the_security_page_work(tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    script = "set -eu\n" + 'etf() { "$PYTHON" -m etf_pipeline.cli "$@"; }\n' + "".join(blocks)
    assert [len(re.findall(f"etf {word}", script)) for word in ("run", "sql", "doctor", "rekey")] == [1, 1, 3, 2]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ETF_")}
    environment |= {
        "ETF_HOME": str(tmp_path),
        "ETF_PROFILE": "demo",
        "PYTHON": sys.executable,
        "PYTHONPATH": str(PAGE.parents[1]),
    }
    told = subprocess.run(
        ["/bin/bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=800, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    verdicts = re.findall(r"files read, (in clear|encrypted under key [0-9a-f]{12}); catalog: (\w+)", told.stdout)
    assert [catalog for _, catalog in verdicts] == ["ok", "ok", "ok"]
    first, second, third = (kept for kept, _ in verdicts)
    assert first.startswith("encrypted")
    assert second.startswith("encrypted")
    assert first != second
    assert third == "in clear"
    assert not list((tmp_path / "reports").glob("*.html"))
