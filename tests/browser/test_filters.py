"""Filters go into the search itself."""

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


def test_what_is_searched_among_is_filtered(page: Page, errors: Errors) -> None:
    open_first(page)
    facet = page.locator(".facet-labels .facet").first
    label = str(facet.get_attribute("data-label"))
    with page.expect_response("**/similar*") as answer:
        facet.click()
    hits = answer.value.json()["hits"]
    assert {hit["label"] for hit in hits} == {label}
    expect(shown(page)).to_have_count(len(hits))
    expect(facet).to_have_attribute("aria-pressed", "true")
    expect(facet).to_be_focused()
    expect(page.get_by_label("Label", exact=True)).to_have_value(label)
    assert f"label={label}" in page.url
    page.reload()
    expect(shown(page)).to_have_count(len(hits))
    page.keyboard.press("/")
    page.keyboard.type("scene0001")
    expect(page.locator(".results-title")).to_have_text("1 nearest clip")
    page.keyboard.type("nowhere")
    expect(page.locator(".notice")).to_contain_text("No other video passes the filters")
    page.get_by_role("button", name="Clear the filters").click()
    page.get_by_label("Length").select_option("hours")
    expect(page.locator(".notice")).to_contain_text("No other video passes the filters")
    page.get_by_label("Length").select_option("")
    folder = str(page.locator("#known-folders option").last.get_attribute("value"))
    with page.expect_response(lambda answer: "folder=" in answer.url) as answer:
        page.get_by_label("Folder").fill(folder)
        page.get_by_label("Folder").press("Enter")
    assert {hit["folder"] for hit in answer.value.json()["hits"]} == {folder}
    assert errors.told == []


def test_a_file_is_searched_among_the_videos_of_a_label(page: Page, trained: Trained) -> None:
    drop(page, "mine.mp4", trained.query.read_bytes())
    page.wait_for_selector(".rank")
    with page.expect_response("**/api/search") as answer:
        page.get_by_label("Label", exact=True).select_option(index=3)
    label = page.get_by_label("Label", exact=True).input_value()
    assert {hit["label"] for hit in answer.value.json()["hits"]} == {label}


def test_hits_are_filtered_by_similarity(page: Page) -> None:
    open_first(page)
    everything = shown(page).count()
    page.locator("#least").fill("100")
    same = shown(page).count()
    assert same < everything
    expect(page.locator(".results-title")).to_have_text(re.compile(f"^{same} of {everything} "))
    for text in shown(page).locator(".distance strong").all_inner_texts():
        assert text == "0"


def test_the_library_is_filtered_from_the_keyboard(page: Page) -> None:
    shown(page).first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type("scene0001")
    expect(page.locator(".pick .told")).to_have_text(re.compile(r"^\d+ videos?$"))
    for name in shown(page).locator(".name").all_inner_texts():
        assert "scene0001" in name
    page.keyboard.type("nowhere")
    expect(page.locator(".notice")).to_contain_text("No video passes the filters")
    page.get_by_role("button", name="Clear the filters").click()
    shown(page).first.focus()
    page.keyboard.press("ArrowRight")
    expect(shown(page).nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(shown(page).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/#similar/*")


def test_what_was_typed_before_another_view_came_is_not_its_filter(page: Page) -> None:
    open_first(page)
    page.evaluate(
        """() => {
          const typed = document.querySelector("#filter");
          typed.value = "scene0001";
          typed.dispatchEvent(new Event("input"));
          location.hash = "#library";
        }"""
    )
    page.wait_for_selector(".library-view")
    page.wait_for_timeout(600)  # longer than typing waits before it counts
    assert page.url.endswith("#library")
    expect(shown(page)).to_have_count(24)
