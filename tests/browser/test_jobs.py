"""Work that goes on in the server, as the page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: make test-browser does it")

from playwright.sync_api import expect
from serving import Errors, Served

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
