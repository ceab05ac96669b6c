"""After a run of a provider that tells its key everywhere, the key is in no file of the home and nowhere on the console."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pytest

from etf_pipeline.warehouse import Warehouse

SCRIPT = Path(__file__).with_name("leaky_run.py")
KEY = 'feed-s3cr3t/"quoted"+and=odd&more'
FORMS = {KEY, quote(KEY), quote(KEY, safe=""), quote_plus(KEY), json.dumps(KEY)[1:-1], json.dumps(json.dumps(KEY)[1:-1])[1:-1]}


def run(home: Path, mode: str, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ETF_HOME": str(home), "ETF_PROFILE": "demo", "FEED_API_KEY": KEY, **extra}
    environment |= {"PYTHONPATH": str(SCRIPT.parents[2]), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, str(SCRIPT), mode], env=environment, capture_output=True, text=True, timeout=800, check=False
    )


def leaks(home: Path, outcome: subprocess.CompletedProcess[str]) -> list[str]:
    held = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert any(name.endswith(".db") for name in held)  # Dagster's event log
    held |= {"stdout": outcome.stdout.encode(), "stderr": outcome.stderr.encode()}
    return [name for name, data in held.items() for form in (*FORMS, "feed-s3cr3t") if form.encode() in data]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", ["fail", "succeed"])
def test_no_file_of_a_home_and_no_word_on_the_console_holds_the_key(mode: str, tmp_path: Path) -> None:
    outcome = run(tmp_path, mode)
    assert leaks(tmp_path, outcome) == []
    assert "connected with ***" in outcome.stdout
    assert "Authorization: ***" in outcome.stderr
    if mode == "fail":
        assert outcome.returncode == 1, outcome.stderr
        assert "ProviderError" in outcome.stdout
        assert "the feed refused" in outcome.stdout  # why it failed is still told
        return
    warehouse = Warehouse(tmp_path / "warehouse")
    made_by = warehouse.runs()[0]
    assert warehouse.read("raw", "raw_source", run_id=made_by.run_id)["label"][0].as_py().endswith("by ***")
    assert "line of ***" in warehouse.read("raw", "raw_rejects", run_id=made_by.run_id)["found"].to_pylist()
    assert made_by.labels["label"].endswith("by ***")


def test_notes_labels_and_settings_of_a_warehouse_are_redacted(tmp_path: Path) -> None:
    url = "https://x.example/?token=abcdefgh"
    warehouse = Warehouse(tmp_path)
    warehouse.begin_run("one", {"url": url, "said": f'"{url}"'})
    staged = warehouse.stage("risk", "beta", pa.table({"beta": [1.0]}))
    warehouse.commit("one", "step", [staged], settings={"url": url}, note=f"from {url}")
    run = warehouse.finish_run("one", succeeded=True, note=f"{url} done")
    lineage = warehouse.lineage("risk", "beta")
    clean = "https://x.example/?token=***"
    assert run.labels == {"url": clean, "said": f'"{clean}"'}
    assert (run.note, lineage.note, lineage.settings) == (f"{clean} done", f"from {clean}", {"url": clean})
    warehouse.close()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"abcdefgh" in path.read_bytes()]


def test_dagsters_picture_of_an_error_holds_no_secret_of_its_causes() -> None:
    code = """
import json, sys
import etf_pipeline.definitions
from dagster._utils.error import serializable_error_info_from_exc_info as picture
key = __import__("os").environ["FEED_API_KEY"]
try:
    try:
        raise OSError(key)
    except OSError as error:
        raise RuntimeError("cannot connect with " + key) from error
except RuntimeError:
    print(picture(sys.exc_info()).to_string())
"""
    environment = {**os.environ, "FEED_API_KEY": KEY}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=SCRIPT.parents[2], capture_output=True, text=True, check=True
    ).stdout
    assert "RuntimeError: cannot connect with ***" in told
    assert "OSError: ***" in told
    assert "feed-s3cr3t" not in told
