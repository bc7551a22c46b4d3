"""Chromium, and served libraries to look at.

A plugin of the test files here: they name it in `pytest_plugins`.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright
from serving import OPTIONS, Errors, Served, chromium_path

from bitreel import Library, Model
from command_line import Trained

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MANY = 1500  # videos
expect.set_options(timeout=30_000)  # the first search loads the model


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("There is no Chromium here: apt-get install chromium, or make test-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=OPTIONS.split())
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


@pytest.fixture
def busy_server(trained: Trained, tmp_path: Path) -> Iterator[Served]:
    """A library of its own, and a folder that takes a while to index."""
    more = tmp_path / "many"
    more.mkdir()
    video = trained.query.read_bytes()
    for number in range(MANY):  # each with other bytes behind its pictures, or one would do for all
        free = struct.pack(">I4sI", 12, b"free", number)
        (more / f"clip{number:03}.mp4").write_bytes(video + free)
    server = Served(Path(shutil.copytree(trained.library, tmp_path / "library")), more)
    server.start()
    yield server
    server.kill()
