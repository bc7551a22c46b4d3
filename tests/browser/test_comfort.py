"""For people who see or move otherwise, and for everyone's patience."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: make test-browser does it")

from acting import open_first, shown
from serving import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
pytest_plugins = ["browsing"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_serious_fault_for_people_who_see_or_move_otherwise(
    chromium: Browser, served: Served, scheme: str, width: int
) -> None:
    package = pytest.importorskip("axe_playwright_python", reason="make test-browser installs axe")
    axe = (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = chromium.new_page(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page.goto(served.address)
    page.wait_for_selector(".card-main img")
    _check(page, axe)
    open_first(page)
    _check(page, axe)
    shown(page).first.click()
    page.wait_for_selector("#player video")
    _check(page, axe)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Ledger").click()
    page.locator("tbody tr").first.wait_for()
    _check(page, axe)
    page.close()


def _check(page: Page, axe: str) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate(axe)  # a script tag would be turned away by the page's own policy
    found = page.evaluate("axe.run(document)")
    serious = [
        (fault["id"], [node["html"][:120] for node in fault["nodes"][:3]])
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "The page is wider than the window."
