"""A served library, and a real browser that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from command_line import SCRIPT

if TYPE_CHECKING:
    from playwright.sync_api import Page

OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
_START_SECONDS = 60.0


@dataclass
class Served:
    """more: a folder that may be indexed, of three videos and one that is broken.
    address_of_library: where it is no folder."""

    library: Path
    more: Path
    port: int = 0
    address_of_library: str | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """On the port that it had, so that a page that waits for it finds it again."""
        self.port = self.port or _free_port()
        words = (
            "serve",
            self.address_of_library or self.library,
            "--port",
            self.port,
            "--folder",
            self.more,
        )
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


def chromium_path() -> str | None:
    """Debian's Chromium, or another one that is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
