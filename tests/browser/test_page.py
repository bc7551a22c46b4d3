"""What a person does on the page, done by Chromium."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: make test-browser does it")

from playwright.sync_api import expect, sync_playwright
from serving import CHROMIUM, OPTIONS, Errors, Served

from bitreel import Library, Model
from command_line import Trained

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

CARDS = "ul.grid > li:not(.skeleton) button.card-main"
expect.set_options(timeout=30_000)  # the first search loads the model
_DROP = """async ([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "video/mp4" }));
  for (const type of ["dragenter", "dragover", "drop"])
    document.body.dispatchEvent(
      new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
_PLAYED = """(videos) => videos.length > 0
  && videos.every((video) => !video.paused && video.currentTime > 0.05)"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"There is no browser at {CHROMIUM}: make test-browser installs it")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The synthetic clips, with a broken file in the ledger."""
    folder = tmp_path_factory.mktemp("browser")
    more = folder / "more"
    more.mkdir()
    for at, clip in enumerate(sorted(trained.manifest.parent.glob("*/scene0005.mp4"))[:3]):
        shutil.copy(clip, more / f"new{at}.mp4")
    (more / "broken.mp4").write_bytes(b"no video" * 400)
    server = Served(Path(shutil.copytree(trained.library, folder / "library")), more)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def errors() -> Errors:
    return Errors()


@pytest.fixture
def page(chromium: Browser, served: Served, errors: Errors) -> Iterator[Page]:
    """The page as it opens, at a desktop's width."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(15_000)
    page = context.new_page()
    errors.listen(page)
    page.goto(served.address)
    yield page
    context.close()


@pytest.fixture(scope="session")
def empty_server(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A library in which nothing is."""
    folder = tmp_path_factory.mktemp("empty")
    (folder / "none").mkdir()
    (folder / "none" / "only.txt").write_text("no video")
    library = folder / "library"
    Library.create(library, Model.load(trained.model)).close()
    server = Served(library, folder / "none")
    server.start()
    yield server
    server.kill()


def drop(page: Page, name: str, content: bytes) -> None:
    page.evaluate(_DROP, [name, base64.b64encode(content).decode()])


def open_first(page: Page) -> None:
    page.locator(CARDS).first.click()
    page.wait_for_selector(".rank")


def plays(page: Page, selector: str, count: int) -> None:
    page.wait_for_function(
        f"""(count) => {{
          const videos = [...document.querySelectorAll({selector!r})];
          return videos.length === count && ({_PLAYED})(videos);
        }}""",
        arg=count,
    )


def shown(page: Page) -> Locator:
    return page.locator(f"{CARDS}:visible")


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
        "[...document.querySelectorAll('#player video')].every((video) => video.paused)"
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


def test_hits_are_filtered_by_label_and_similarity(page: Page) -> None:
    open_first(page)
    everything = shown(page).count()
    facet = page.locator(".facet-labels .facet").first
    count = int(facet.locator(".count").inner_text())
    facet.click()
    expect(shown(page)).to_have_count(count)
    expect(page.locator(".results-title")).to_have_text(re.compile(f"^{count} of {everything} "))
    facet.click()
    page.locator("#least").fill("100")
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


def test_what_is_no_video_is_said_in_words(page: Page) -> None:
    drop(page, "notes.mp4", b"these are no pictures" * 100)
    expect(page.locator(".notice")).to_contain_text("notes.mp4 can not be read as a video")


def test_a_text_of_the_server_is_never_markup(page: Page) -> None:
    drop(page, "<img src=x onerror=alert(1)>.mp4", b"no")
    expect(page.locator(".query-name")).to_have_text("<img src=x onerror=alert(1)>.mp4")
    expect(page.locator(".notice")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_a_folder_is_indexed_and_its_broken_file_explained(
    page: Page, served: Served, errors: Errors
) -> None:
    page.get_by_role("link", name="Ledger").click()
    page.get_by_label("Folder on the server").fill(str(served.more))
    page.get_by_role("button", name="Index", exact=True).click()
    job = page.locator(".job").first
    expect(job).to_contain_text(served.more.name)
    expect(job).to_contain_text("3 added", timeout=60_000)
    page.get_by_role("button", name="Quarantined").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("broken.mp4 can not be read")
    page.get_by_label("Folder on the server").fill("/etc")
    page.get_by_role("button", name="Index", exact=True).click()
    expect(page.locator(".form-told")).to_contain_text("--folder")
    assert [told for told in errors.told if "403" not in told] == []


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
