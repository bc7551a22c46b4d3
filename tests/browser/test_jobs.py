"""Work that goes on in the server, as the page shows it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: make test-browser does it")

from acting import drop, shown
from playwright.sync_api import expect
from serving import Errors, Served

from command_line import Trained

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
pytest_plugins = ["browsing"]


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


def test_progress_is_seen_midway_and_a_job_is_cancelled(
    chromium: Browser, busy_server: Served
) -> None:
    page = chromium.new_page()
    errors = Errors()
    errors.listen(page)
    page.goto(f"{busy_server.address}#ledger")
    page.get_by_role("button", name="Index", exact=True).click()

    job = page.locator(".job").first
    midway = re.compile(r"[1-9]\d* of 1500")
    expect(job).to_contain_text(midway)
    expect(page.locator("#running")).to_contain_text(midway)
    part = job.locator("progress").evaluate("(one) => one.value / one.max")
    assert 0 < part < 1
    page.get_by_role("link", name="Library", exact=True).click()
    expect(page.locator("#running")).to_be_visible()  # wherever one is
    page.locator("#running").click()
    page.locator(".job").first.get_by_role("button", name="Cancel").click()

    expect(page.locator(".job").first).to_contain_text("Cancelled")
    expect(page.locator(".job").first).to_contain_text("what was indexed so far is kept")
    expect(page.locator("#running")).to_be_hidden()
    expect(page.locator(".job").first.get_by_role("button", name="Cancel")).to_be_hidden()
    with urlopen(f"{busy_server.address}api/status") as answer:
        assert 48 < json.load(answer)["videos"] < 48 + 1500
    assert errors.told == []
    page.close()


def test_a_row_of_the_ledger_leads_to_what_looks_like_it(page: Page, errors: Errors) -> None:
    page.get_by_role("link", name="Ledger").click()
    row = page.locator("tbody tr").first
    name = row.locator("a").inner_text()
    row.locator("a").click()
    expect(page.locator(".query-name")).to_have_text(name)
    page.wait_for_selector(".rank")
    assert errors.told == []


def test_a_file_that_was_searched_with_is_added(
    chromium: Browser, busy_server: Served, trained: Trained
) -> None:
    page = chromium.new_page()
    errors = Errors()
    errors.listen(page)
    page.goto(busy_server.address)
    drop(page, "mine.mp4", trained.query.read_bytes())
    page.wait_for_selector(".rank")
    page.get_by_label("Label of the clip").fill("striped-disc-left")
    page.get_by_role("button", name="Add to the library").click()
    expect(page.locator(".keep")).to_contain_text("It is in the library now.")
    expect(page.get_by_role("button", name="Add to the library")).to_be_disabled()

    page.get_by_role("link", name="Library", exact=True).click()
    page.locator(".library-view").get_by_label("Filter by name").fill("mine.mp4")
    expect(shown(page)).to_have_count(1)
    expect(shown(page).locator(".chip")).to_have_text("striped-disc-left")
    assert errors.told == []
    page.close()


def test_what_the_server_does_not_take_is_said(page: Page, trained: Trained) -> None:
    drop(page, "mine.mp4", trained.query.read_bytes())
    page.wait_for_selector(".rank")
    page.route(
        "**/api/uploads",
        lambda route: route.fulfill(status=403, json={"detail": "The server keeps 0 uploads."}),
    )
    page.get_by_role("button", name="Add to the library").click()
    expect(page.locator(".keep")).to_contain_text("The server keeps 0 uploads.")
    expect(page.get_by_role("button", name="Add to the library")).to_be_enabled()
