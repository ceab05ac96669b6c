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


def test_an_asset_is_materialised_by_clicking_and_shows_its_plot_and_columns(ui: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        outside: list[str] = []
        page.on("request", lambda r: outside.append(r.url) if not r.url.startswith((ui, ui.replace("http", "ws"), "data:", "blob:")) else None)

        page.goto(ui + "/jobs/ingest")
        page.get_by_role("button", name="Materialize", exact=False).first.click()
        page.get_by_text("Launched run", exact=False).first.wait_for(timeout=60_000)
        page.goto(ui + "/runs")
        page.get_by_text("Success", exact=True).first.wait_for(timeout=240_000)
        shot(page, "ui_runs")

        page.goto(ui + "/assets/universe_membership")
        page.get_by_text("Screens on what was known", exact=False).first.wait_for(timeout=60_000)
        page.get_by_role("button", name="Materialize", exact=False).first.click()
        page.get_by_text("Launched run", exact=False).first.wait_for(timeout=60_000)
        page.goto(ui + "/runs")
        page.wait_for_function("document.body.innerText.split('Success').length > 2", timeout=120_000)

        page.goto(ui + "/assets/universe_membership?view=overview")
        page.locator("img[src^='data:image/png']").first.wait_for(timeout=60_000)
        assert page.locator("img[src^='data:image/png']").first.evaluate("image => image.naturalWidth") > 200
        assert page.get_by_text("mean_traded_value").first.is_visible()
        shot(page, "ui_asset")

        page.goto(ui + "/asset-groups/")
        page.get_by_text("target_weights").first.wait_for(timeout=60_000)
        page.wait_for_timeout(1500)
        shot(page, "ui_lineage")
        browser.close()
        assert not outside, f"the UI asked other hosts: {outside[:3]}"
