"""The page of a library in Milvus, whose ids have more digits than a number of JavaScript holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: make test-browser does it")

from acting import drop, open_first, plays, shown
from playwright.sync_api import expect
from serving import Errors, Served

from bitreel import Library, Model
from command_line import Trained

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
pytest_plugins = ["browsing"]


@pytest.fixture
def on_milvus(trained: Trained, tmp_path: Path) -> Iterator[Served]:
    place = f"milvus:{tmp_path / 'library.db'}"
    with (
        Library.open(trained.library) as library,
        Library.create(place, Model.load(trained.model)) as there,
    ):
        library.export(tmp_path / "codes.npz")
        there.import_codes(tmp_path / "codes.npz")
    (tmp_path / "more").mkdir()
    server = Served(tmp_path / "none", tmp_path / "more", address_of_library=place)
    server.start()
    yield server
    server.kill()


def test_it_is_as_that_of_a_folder(
    chromium: Browser, on_milvus: Served, trained: Trained, errors: Errors
) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 860})
    errors.listen(page)
    page.goto(on_milvus.address)
    open_first(page)
    plays(page, ".query video", 1)
    shown(page).nth(1).click()
    plays(page, "#player video", 2)
    page.get_by_role("button", name="Why this hit?").click()
    page.wait_for_selector(".frame img")
    page.reload()  # the address says which hit is open
    expect(page.locator("#player-title")).to_contain_text("Hit 2")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Ledger").click()
    page.locator("tbody tr a").first.click()
    page.wait_for_selector(".rank")
    wanted = sorted(trained.manifest.parent.glob("*/scene0000.mp4"))[0]
    drop(page, "mine.mp4", wanted.read_bytes())
    expect(page.locator(".query-name")).to_have_text("mine.mp4")
    expect(shown(page).first.locator(".distance strong")).to_have_text("0")
    assert errors.told == []
    page.close()
