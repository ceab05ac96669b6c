"""The report in a real browser: no request, no sideways scrolling, readable in light and dark."""

from __future__ import annotations

import shutil

import pytest
from reporting_frames import REPORTED

from etf_pipeline.reporting import ReportTables, render
from etf_pipeline.schemas import TABLES, from_arrow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    tables = {name: from_arrow(TABLES[name].to_arrow(make())) for name, make in REPORTED.items()}
    path = tmp_path_factory.mktemp("report") / "tear_sheet.html"
    path.write_text(render(ReportTables(**tables)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs chromium on the path")
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=[*quiet, "--disable-sync"])
        yield opened
        opened.close()


@pytest.mark.ui
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1240])
def test_the_page_fits_its_window_and_asks_for_nothing(browser, address, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [address]
    assert said == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[scheme]
    assert page.locator(".banner").is_visible()
    assert page.locator(".banner").bounding_box()["y"] < 100
    page.close()


@pytest.mark.ui
def test_in_print_the_navigation_is_gone_and_nothing_is_cut_off(browser, address):
    page = browser.new_page(viewport={"width": 1030, "height": 700})
    page.goto(address)
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1030
    page.close()


@pytest.mark.ui
@pytest.mark.parametrize("width", [360, 1240])
def test_contents_stay_in_sight_and_details_open_without_a_script(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(address)
    page.locator("#worth").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('worth').scrollIntoView()")
    assert 0 <= page.locator("nav").bounding_box()["y"] <= 5
    heading = page.locator("#worth-heading").bounding_box()["y"]
    under = page.locator("nav").bounding_box()["height"] if width < 1000 else 0
    assert heading >= under - 1  # not hidden behind the contents
    fold = page.locator("#worth details").first
    assert not fold.locator("table").is_visible()
    fold.locator("summary").click()
    assert fold.locator("table").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.ui
def test_print_opens_what_is_folded(browser, address):
    page = browser.new_page(viewport={"width": 1030, "height": 700})
    page.goto(address)
    shown = "document.querySelector('#worth details table').checkVisibility()"
    assert not page.evaluate(shown)
    page.emulate_media(media="print")
    assert page.evaluate(shown)
    page.close()
