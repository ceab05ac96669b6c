"""The dashboard in a real browser: quiet, self-contained, readable on a phone, usable by keyboard."""

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
from typing import Any

import pytest

from etf_pipeline.dashboard.launch import OPTIONS

pytestmark = [pytest.mark.ui, pytest.mark.timeout(420)]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
SHOTS = os.environ.get("ETF_SCREENSHOTS")
CHARTS = {"Today": 2, "Performance": 3, "Why": 1, "Market": 5, "Risk": 4, "Runs": 0}
WIDTHS = {"desktop": 1280, "phone": 390}
DRAWN = """count => {
    const charts = [...document.querySelectorAll('[data-testid=stVegaLiteChart]')];
    return charts.length >= count && charts.every(chart => chart.querySelectorAll('svg .mark-rect path, svg .mark-line path,'
        + ' svg .mark-symbol path').length > 0);
}"""
AT_REST = "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"


@pytest.fixture(scope="module")
def address(demo) -> Iterator[str]:
    """A server over the demo warehouse on a free port."""
    if CHROMIUM is None:
        if os.environ.get("ETF_REQUIRE_BROWSER"):
            pytest.fail("ETF_REQUIRE_BROWSER is set but no chromium is installed")
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "ETF_HOME": str(demo.home)}
    log = demo.home.parent / f"dashboard-{port}.log"
    with log.open("w") as said:
        etf = [str(Path(sys.executable).parent / "etf"), "dashboard", "--port", str(port)]
        server = subprocess.Popen(etf, env=environment, stdout=said, stderr=said, start_new_session=True)
        try:
            wait_until_up(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)
    assert "Traceback" not in log.read_text()


def wait_until_up(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.time() + 120
    while True:
        try:
            urllib.request.urlopen(address + "/_stcore/health", timeout=2).close()
            return
        except OSError:
            assert server.poll() is None, log.read_text()[-3000:]
            assert time.time() < end, log.read_text()[-3000:]
            time.sleep(0.5)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, "--disable-sync"])
        yield opened
        opened.close()


def visit(browser: Any, address: str, page_name: str, width: int = 1280, scheme: str = "light") -> Any:
    """A page that has come to rest, with what it said and whom it asked."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(90_000)
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(f"{address}/?page={page_name}")
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_function(DRAWN, arg=CHARTS[page_name])
    page.wait_for_function(AT_REST)
    return page


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("page_name", CHARTS)
def test_a_page_is_quiet_asks_nobody_else_fits_and_draws_its_charts(browser, address, page_name, width):
    page = visit(browser, address, page_name, width)
    assert page.said == []
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in page.asked if not url.startswith(own)] == []
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert page.get_by_text("SIMULATED MARKET", exact=True).is_visible()
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/dashboard_{page_name.lower()}_{width}.png", full_page=True)
    page.close()


@pytest.mark.parametrize(("page_name", "scheme"), [*((name, "light") for name in CHARTS), ("Today", "dark"), ("Risk", "dark")])
def test_axe_finds_no_barrier(browser, address, page_name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = visit(browser, address, page_name, scheme=scheme)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.close()


def test_pages_and_sliders_are_used_by_keyboard_alone(browser, address):
    page = visit(browser, address, "Today")
    tab_to(page, "Risk")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="Risk").wait_for()
    assert "page=Risk" in page.url
    page.wait_for_function(DRAWN, arg=CHARTS["Risk"])
    profit = page.locator("[data-testid=stMetric]", has_text="Profit").locator("[data-testid=stMetricValue]")
    before = profit.inner_text()
    page.get_by_role("slider").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "before => ![...document.querySelectorAll('[data-testid=stMetricValue]')].some(e => e.innerText === before)", arg=before
    )
    page.close()


def tab_to(page: Any, name: str) -> None:
    """Press the tabulator, and the arrows inside a group, until the control of that name has the focus."""
    for key in ["Tab"] * 40:
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.innerText") == name:
            return
        if page.evaluate("document.activeElement.getAttribute('role')") == "radio":
            for _ in range(8):
                page.keyboard.press("ArrowRight")
                if page.evaluate("document.activeElement.innerText") == name:
                    return
    raise AssertionError(f"no tab stop is called {name}")


def test_a_choice_stands_in_the_address_and_outlives_a_change_of_page(browser, address):
    page = visit(browser, address, "Today")
    page.get_by_role("combobox", name="Date of decision").click()
    page.get_by_role("option", name="2024-03-28").click()
    page.wait_for_function("location.search.includes('session=2024-03-28')")
    page.get_by_role("radio", name="Why").click()
    page.get_by_role("heading", level=1, name="Why this weight").wait_for()
    page.wait_for_function(AT_REST)
    assert page.get_by_role("combobox", name="Date of decision").input_value() == "2024-03-28"
    again = browser.new_page()
    again.goto(page.url)
    again.get_by_role("heading", level=1, name="Why this weight").wait_for()
    again.wait_for_function(AT_REST)
    assert again.get_by_role("combobox", name="Date of decision").input_value() == "2024-03-28"
    page.close()
    again.close()


def contrast(ink: str, paper: str, strength: float = 1.0) -> float:
    """Ratio of WCAG 2.2, of ink that lets paper through."""

    def channels(colour: str) -> list[float]:
        return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]

    def light(values: list[float]) -> float:
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    below = channels(paper)
    above = [strength * i + (1 - strength) * p for i, p in zip(channels(ink), below, strict=True)]
    bright, dark = sorted((light(above), light(below)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_captions_and_links_stand_out_from_both_papers(mode):
    # 4.5 to 1 is level AA for small text; Streamlit draws captions with six tenths of the text's colour
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    theme = {name.rsplit(".", 1)[1]: value for name, value in OPTIONS.items() if name.startswith(f"theme.{mode}.")}
    for paper in (theme["backgroundColor"], theme["secondaryBackgroundColor"]):
        assert contrast(theme["textColor"], paper) >= 7
        assert contrast(theme["textColor"], paper, 0.6) >= 4.5
        assert contrast(theme["linkColor"], paper) >= 4.5
