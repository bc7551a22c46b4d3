"""For people who see or move otherwise, and for everyone's patience."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: make test-browser does it")

from acting import drop, open_first, plays, shown
from playwright.sync_api import expect
from serving import Errors, Served

from command_line import Trained

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
pytest_plugins = ["browsing"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_serious_fault_for_people_who_see_or_move_otherwise(
    chromium: Browser, served: Served, trained: Trained, scheme: str, width: int
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
    page.get_by_role("button", name="Why this hit?").click()
    page.wait_for_selector(".frame img")
    _check(page, axe)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Ledger").click()
    page.locator("tbody tr").first.wait_for()
    _check(page, axe)
    drop(page, "mine.mp4", trained.query.read_bytes())
    page.wait_for_selector(".rank")
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


_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.shifted += shift.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def _still(page: Page) -> float:
    """How far what is on the page moved by itself, as browsers measure it."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    return float(page.evaluate("window.shifted"))


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("view", ["#library", "#similar/3", "#similar/3?label=none", "#ledger"])
def test_nothing_jumps_while_it_loads(
    chromium: Browser, served: Served, view: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 844})
    page.add_init_script(_SHIFTS)
    page.goto(served.address + view)
    page.wait_for_selector(".card-main img, .notice, tbody tr")
    assert _still(page) < 0.1
    page.close()


def test_nothing_jumps_while_a_hit_is_looked_at(chromium: Browser, served: Served) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 860})
    page.add_init_script(_SHIFTS)
    page.goto(served.address)
    open_first(page)
    shown(page).nth(2).click()
    page.wait_for_selector("#player video")
    page.get_by_role("button", name="Why this hit?").click()
    page.wait_for_selector(".frame img")
    assert _still(page) < 0.1
    page.close()


def test_the_first_results_are_soon_there(
    page: Page, errors: Errors, capsys: pytest.CaptureFixture[str]
) -> None:
    shown(page).first.wait_for()
    seconds = page.evaluate(
        """async () => {
          const from = performance.now();
          document.querySelector("ul.grid > li:not(.skeleton) button.card-main").click();
          while (!document.querySelector(".rank")) await new Promise(requestAnimationFrame);
          return (performance.now() - from) / 1000;
        }"""
    )
    with capsys.disabled():
        print(f"\nfirst results after {seconds:.2f} s")
    assert errors.told == []


def test_who_wants_no_motion_gets_none(chromium: Browser, served: Served) -> None:
    page = chromium.new_page(reduced_motion="reduce")
    page.goto(served.address)
    shown(page).first.wait_for()
    shown(page).nth(1).hover()
    shown(page).nth(1).focus()
    page.wait_for_timeout(600)  # longer than a card waits before it plays
    expect(page.locator(".card video")).to_have_count(0)
    open_first(page)
    page.wait_for_load_state("networkidle")
    query = page.locator(".query video")
    assert query.evaluate("(film) => film.paused && film.controls")
    shown(page).first.click()
    page.wait_for_selector("#player video")
    page.wait_for_function(
        "() => [...document.querySelectorAll('#player video')].every((film) => film.readyState > 1)"
    )
    assert page.eval_on_selector_all("#player video", "(all) => all.every((one) => one.paused)")
    assert page.evaluate("document.getAnimations().length") == 0
    page.get_by_role("button", name="Play").click()  # who asks gets it
    page.wait_for_function(
        "() => [...document.querySelectorAll('#player video')].some((film) => film.currentTime > 0)"
    )
    page.close()


def test_a_card_plays_on_request_without_motion(chromium: Browser, served: Served) -> None:
    page = chromium.new_page(reduced_motion="reduce")
    page.goto(served.address)
    shown(page).first.focus()
    page.keyboard.press("Space")
    plays(page, ".card video", 1)
    page.close()
