"""A served library, and a real browser that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from command_line import SCRIPT, Trained, bitreel

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
_OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
_START_SECONDS = 60.0


@dataclass
class Served:
    """more: a folder that may be indexed, of three videos and one that is broken."""

    library: Path
    more: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """On the port that it had, so that a page that waits for it finds it again."""
        self.port = self.port or _free_port()
        words = ("serve", self.library, "--port", self.port, "--folder", self.more)
        kept = {"XDG_CACHE_HOME": str(self.library.parent / "cache")}  # of previews
        self.process = subprocess.Popen([str(SCRIPT), *map(str, words)], env=os.environ | kept)
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                with urlopen(f"{self.address}api/health"):
                    return
            except URLError:
                assert self.process.poll() is None, "The server ended."
                assert time.monotonic() < until, "The server does not answer."
                time.sleep(0.1)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()


@dataclass
class Errors:
    """What a page complained of."""

    told: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.told.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.told.append(message.text) if message.type in ("error", "warning") else None
            ),
        )


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: make test-browser does it"
    )
    if not CHROMIUM.exists():
        pytest.skip(f"There is no browser at {CHROMIUM}: make test-browser installs it")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=_OPTIONS.split())
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
    from bitreel import Library, Model

    Library.create(library, Model.load(trained.model)).close()
    assert bitreel("status", library).code == 0
    server = Served(library, folder / "none")
    server.start()
    yield server
    server.kill()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
