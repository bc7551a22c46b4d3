"""Why a hit was found, as the page tells it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: make test-browser does it")

from acting import drop, open_first, shown
from playwright.sync_api import expect
from serving import Errors

from command_line import Trained

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
pytest_plugins = ["browsing"]

SENTENCE = re.compile(
    r"Of clips [\d to]+ bits? apart, \d+ % \(\d+ to \d+ %\) share the label; among all pairs 6 %\."
)


def told(page: Page) -> dict[str, int]:
    """How many bits the strip shows to agree and to differ."""
    strip = page.locator(".bit-strip")
    differ = strip.locator(".differs").count()
    return {"agree": strip.locator(".bit").count() - differ, "differ": differ}


def test_a_hit_of_a_clip_of_the_library(page: Page, errors: Errors) -> None:
    open_first(page)
    shown(page).nth(5).click()
    with page.expect_response("**/explanation?*") as answer:
        page.get_by_role("button", name="Why this hit?").click()
    found = answer.value.json()
    page.wait_for_selector(".bit-strip")
    distance = found["distance_bits"]
    assert told(page) == {"agree": 16 - distance, "differ": distance}
    expect(page.locator(".explanation h3").first).to_have_text(f"{16 - distance} of 16 bits agree")
    expect(page.locator(".player-foot .distance strong")).to_have_text(str(distance))
    expect(page.locator(".explanation")).to_contain_text(SENTENCE)
    expect(page.locator(".frame")).to_have_count(4)
    expect(page.locator(".frame img")).to_have_count(4)
    weights = [frame["weight_bits"] for frame in found["frames"]]
    if max(weights) > 0:
        heaviest = page.locator(".frame").nth(weights.index(max(weights)))
        expect(heaviest).to_have_class(re.compile("heaviest"))
    expect(page.locator("[data-why]")).to_have_attribute("aria-expanded", "true")
    assert errors.told == []


def test_it_goes_from_hit_to_hit_and_closes_by_a_key(page: Page, errors: Errors) -> None:
    open_first(page)
    shown(page).first.click()
    page.keyboard.press("w")
    page.wait_for_selector(".bit-strip")
    for _ in range(2):
        with page.expect_response("**/explanation?*") as answer:
            page.keyboard.press("ArrowRight")
    distance = answer.value.json()["distance_bits"]
    expect(page.locator(".bit-strip .differs")).to_have_count(distance)
    page.keyboard.press("w")
    expect(page.locator(".explanation")).to_be_hidden()
    expect(page.locator("[data-why]")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    shown(page).first.click()
    expect(page.locator(".explanation")).to_be_hidden()
    assert errors.told == []


def test_a_hit_of_a_file_with_its_frames(page: Page, trained: Trained, errors: Errors) -> None:
    drop(page, "mine.mp4", trained.query.read_bytes())
    page.wait_for_selector(".rank")
    shown(page).nth(1).click()
    with page.expect_response("**/api/explain") as answer:
        page.get_by_role("button", name="Why this hit?").click()
    assert answer.value.status == 200
    assert all(bit["relaxed"] is not None for bit in answer.value.json()["bits"])
    expect(page.locator(".explanation")).to_contain_text(SENTENCE)
    expect(page.locator(".frame canvas")).to_have_count(4)
    assert errors.told == []


def test_a_range_of_a_file_is_what_is_explained(page: Page, trained: Trained) -> None:
    drop(page, "mine.mp4", trained.query.read_bytes())
    page.wait_for_selector(".rank")
    handle = page.get_by_role("slider", name="Start of the range")
    for _ in range(2):
        handle.press("ArrowRight")
    page.get_by_role("button", name="Search this range").click()
    page.wait_for_selector(".rank")
    shown(page).first.click()
    with page.expect_response("**/api/explain") as answer:
        page.get_by_role("button", name="Why this hit?").click()
    assert answer.value.json()["query_start_seconds"] == pytest.approx(0.2, abs=0.05)


def test_what_is_not_known_is_said(page: Page) -> None:
    open_first(page)
    shown(page).first.click()

    def unknown(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        found = answer.json() | {
            "shared_label": None,
            "shared_label_unknown": "the library's videos have no labels",
            "frames": [],
            "frames_unknown": "the file of a.mp4 is gone, or is another now",
        }
        route.fulfill(response=answer, json=found)  # type: ignore[attr-defined]

    page.route("**/explanation?*", unknown)
    page.get_by_role("button", name="Why this hit?").click()
    expect(page.locator(".explanation")).to_contain_text(
        "How often clips that far apart share the label is not known: the library's videos have no "
        "labels."
    )
    expect(page.locator(".explanation")).to_contain_text("a.mp4 is gone, or is another now.")


def test_a_hit_that_was_removed_meanwhile(page: Page) -> None:
    open_first(page)
    shown(page).first.click()
    page.route(
        "**/explanation?*",
        lambda route: route.fulfill(status=404, json={"detail": "It was removed, perhaps."}),
    )
    page.get_by_role("button", name="Why this hit?").click()
    expect(page.locator(".explanation .notice")).to_contain_text("It was removed, perhaps.")
