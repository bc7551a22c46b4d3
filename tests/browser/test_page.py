"""What a person does on the page, done by Chromium."""

from __future__ import annotations

import re
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


def test_a_file_that_is_dropped_finds_itself_first(
    page: Page, trained: Trained, errors: Errors
) -> None:
    wanted = sorted(trained.manifest.parent.glob("*/scene0000.mp4"))[0]

    drop(page, "mine.mp4", wanted.read_bytes())

    expect(page.locator(".query-name")).to_have_text("mine.mp4")
    first = shown(page).first
    expect(first.locator(".distance strong")).to_have_text("0")
    expect(page.locator(".results-head .told")).to_have_text(re.compile(r"segments compared in"))
    distances = [int(text) for text in page.locator(".card .distance strong").all_inner_texts()]
    assert distances == sorted(distances)
    plays(page, ".query video", 1)
    assert errors.told == []


def test_a_card_plays_while_it_has_the_focus(page: Page, errors: Errors) -> None:
    open_first(page)
    shown(page).nth(1).focus()
    plays(page, ".card video", 1)
    page.keyboard.press("Space")
    expect(page.locator(".card video")).to_have_count(0)
    assert errors.told == []


def test_query_and_hit_play_in_step(page: Page, errors: Errors) -> None:
    open_first(page)
    address = page.url
    shown(page).nth(2).click()

    plays(page, "#player video", 2)
    expect(page.locator("#player-title")).to_contain_text("Hit 3")
    page.keyboard.press("Space")
    page.wait_for_function(
        "() => [...document.querySelectorAll('#player video')].every((video) => video.paused)"
    )
    page.locator("#player .scrub").fill("500")
    times = page.eval_on_selector_all("#player video", "(all) => all.map((v) => v.currentTime)")
    assert max(times) - min(times) < 0.2
    page.locator("#player-title").click()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#player-title")).to_contain_text("Hit 4")
    page.keyboard.press("Escape")
    expect(page.locator("#player")).to_be_hidden()
    expect(page).to_have_url(address)
    assert errors.told == []


def test_the_back_button_closes_a_hit_and_leaves_a_search(page: Page) -> None:
    open_first(page)
    search = page.url
    shown(page).first.click()
    expect(page.locator("#player")).to_be_visible()
    page.go_back()
    expect(page.locator("#player")).to_be_hidden()
    expect(page).to_have_url(search)
    shown(page).first.click()
    page.get_by_role("button", name="More like this").last.click()
    expect(page.locator("#player")).to_be_hidden()
    page.wait_for_url(lambda url: url != search and "hit=" not in url)
    page.go_back()
    page.go_back()
    expect(page).to_have_url(search)


def test_a_query_is_trimmed_by_keys(page: Page, trained: Trained, errors: Errors) -> None:
    drop(page, "mine.mp4", trained.query.read_bytes())
    handle = page.get_by_role("slider", name="Start of the range")
    expect(handle).to_have_attribute("aria-valuenow", "0.00")
    page.wait_for_selector(".rank")
    handle.press("ArrowRight")
    handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "0.20")
    with page.expect_response("**/api/search") as answer:
        page.get_by_role("button", name="Search this range").click()
    assert answer.value.json()["start_seconds"] == pytest.approx(0.2, abs=0.05)
    page.wait_for_selector(".rank")
    assert "start=0.2" in page.url
    assert errors.told == []


def test_a_query_is_trimmed_by_the_pointer(page: Page, errors: Errors) -> None:
    open_first(page)
    track = page.locator(".track").bounding_box()
    assert track
    middle, y = track["x"] + track["width"] / 2, track["y"] + track["height"] / 2
    last = page.get_by_role("slider", name="End of the range")
    length = float(str(last.get_attribute("aria-valuenow")))

    page.mouse.move(track["x"] + track["width"] - 2, y)
    page.mouse.down()
    page.mouse.move(middle + 20, y, steps=5)
    page.mouse.move(middle, y)
    expect(last).to_have_attribute("aria-valuenow", f"{length / 2:.2f}")
    assert "end=" not in page.url, "it is searched once the handle rests"
    with page.expect_response(lambda answer: "end=" in answer.url and "/similar" in answer.url):
        page.mouse.up()

    assert f"end={length / 2:g}" in page.url
    first = page.get_by_role("slider", name="Start of the range")
    expect(first).to_have_attribute("aria-valuenow", "0.00")
    page.mouse.move(track["x"] + 40, y)
    page.mouse.down()
    page.mouse.up()  # a press moves the nearer handle there
    expect(first).not_to_have_attribute("aria-valuenow", "0.00")
    page.get_by_role("button", name="Whole video").click()
    expect(last).to_have_attribute("aria-valuenow", f"{length:.2f}")
    assert errors.told == []


def test_what_is_no_video_is_said_in_words(page: Page) -> None:
    drop(page, "notes.mp4", b"these are no pictures" * 100)
    expect(page.locator(".notice")).to_contain_text("notes.mp4 can not be read as a video")


def test_a_text_of_the_server_is_never_markup(page: Page) -> None:
    drop(page, "<img src=x onerror=alert(1)>.mp4", b"no")
    expect(page.locator(".query-name")).to_have_text("<img src=x onerror=alert(1)>.mp4")
    expect(page.locator(".notice")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_a_server_that_is_gone_is_missed_and_found_again(page: Page, served: Served) -> None:
    shown(page).first.wait_for()
    served.kill()
    try:
        page.get_by_label("Label").select_option(index=1)
        expect(page.locator("#banner")).to_contain_text("The server does not answer")
    finally:
        served.start()
    expect(page.locator("#banner")).to_be_hidden(timeout=20_000)
    shown(page).first.wait_for()


def test_too_many_searches_are_waited_out(page: Page) -> None:
    shown(page).first.wait_for()
    page.route(
        "**/similar*",
        lambda route: route.fulfill(
            status=429, headers={"Retry-After": "1"}, json={"detail": "Too many searches."}
        ),
        times=1,
    )
    shown(page).first.click()
    expect(page.locator(".notice")).to_contain_text("Many searches at once")
    page.wait_for_selector(".rank")


def test_an_empty_library_says_what_to_do(
    chromium: Browser, empty_server: Served, trained: Trained
) -> None:
    page = chromium.new_page()
    page.goto(empty_server.address)
    expect(page.locator(".notice")).to_contain_text("The library is empty")
    drop(page, "mine.mp4", trained.query.read_bytes())
    expect(page.locator(".notice")).to_contain_text("Nothing similar")
    page.close()
