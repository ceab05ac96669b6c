"""The Dagster UI in a real browser: materialise an asset by clicking, see it succeed, see its plot and its columns."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ui, pytest.mark.timeout(420)]
ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOTS = os.environ.get("ETF_SCREENSHOTS")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own on a free port with its own home, ended by its process group."""
    if CHROMIUM is None:
        if os.environ.get("ETF_REQUIRE_BROWSER"):
            pytest.fail("ETF_REQUIRE_BROWSER is set but no chromium is installed")
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    home, port = tmp_path_factory.mktemp("ui-home"), free_port()
    environment = {**os.environ, "ETF_HOME": str(home), "ETF_PROFILE": "demo", "ETF_PROVIDER": "simulated"}
    etf = [str(Path(sys.executable).parent / "etf")]
    with (home / "dev.log").open("w") as log:
        # a shell's background job inherits an ignored SIGINT, which the server would keep: restore it, in a group of its own
        server = subprocess.Popen(
            [*etf, "ui", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}", server, home / "dev.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGINT)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def wait_until_up(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.time() + 120
    while True:
        try:
            urllib.request.urlopen(address + "/server_info", timeout=2).close()
            return
        except OSError:
            assert server.poll() is None, log.read_text()[-3000:]
            assert time.time() < end, log.read_text()[-3000:]
            time.sleep(0.5)


def shot(page: object, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")  # type: ignore[attr-defined]


def wait_for_successes(page: object, address: str, count: int) -> None:
    page.goto(address + "/runs")  # type: ignore[attr-defined]
    seen = "document.body ? document.body.innerText : ''"
    page.wait_for_function(  # type: ignore[attr-defined]
        f"() => {{ const text = {seen}; return text.split('Success').length > {count} || text.includes('Failure') }}",
        timeout=240_000,
    )
    assert "Failure" not in page.inner_text("body")  # type: ignore[attr-defined]


def test_an_asset_is_materialised_by_clicking_and_shows_its_plot_and_columns(ui: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        page.set_default_timeout(90_000)
        outside: list[str] = []
        page.on(
            "request",
            lambda r: outside.append(r.url) if not r.url.startswith((ui, ui.replace("http", "ws"), "data:", "blob:")) else None,
        )

        page.goto(ui + "/locations/etf_pipeline/jobs/ingest")
        page.get_by_role("button", name="Materialize all").click()
        page.get_by_text("Launched run", exact=False).first.wait_for()
        wait_for_successes(page, ui, 1)
        shot(page, "ui_runs")

        page.goto(ui + "/assets/universe_membership")
        page.get_by_role("button", name="Materialize").first.click()
        page.get_by_text("Launched run", exact=False).first.wait_for()
        wait_for_successes(page, ui, 2)

        page.goto(ui + "/assets/universe_membership")
        page.get_by_text("Mean traded value, 20 sessions [listing currency]").wait_for()
        shot(page, "ui_asset")
        page.locator("tr", has_text="plot").last.get_by_text("Show Markdown").click()
        picture = page.locator("img[src^='data:image/png']").first
        picture.wait_for()
        assert picture.evaluate("image => image.naturalWidth") == 900
        page.wait_for_timeout(500)
        shot(page, "ui_plot")

        page.goto(ui + "/asset-groups")
        page.get_by_text("portfolio").first.wait_for()
        page.wait_for_timeout(3000)
        shot(page, "ui_lineage")
        browser.close()
        assert not outside, f"the UI asked other hosts: {outside[:3]}"


def test_what_the_ui_ran_is_published(ui: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    import duckdb

    home = next(path for path in tmp_path_factory.getbasetemp().glob("ui-home*") if path.is_dir())
    catalog, end = home / "warehouse" / "catalog.duckdb", time.time() + 60
    while not catalog.exists() and time.time() < end:
        time.sleep(1)
    with duckdb.connect(str(catalog), read_only=True) as connection:
        members = connection.sql("select count(distinct ticker) from universe_membership where member").fetchall()[0][0]
    assert 8 <= members <= 12
