"""A real server in a thread, on a port that was free."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from bitreel.server.app import create_app
from bitreel.server.settings import Settings

_START_SECONDS = 60.0


@contextmanager
def live_server(library: Path, **settings: Any) -> Iterator[str]:
    """Serve a library; gives the address. The rate of searches is not limited unless it is set."""
    options: dict[str, Any] = {
        "cache": library.parent / "cache",
        "searches_a_minute": 10**6,
    } | settings
    app = create_app(Settings(library, **options | settings))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + _START_SECONDS
    while not server.started:
        assert thread.is_alive(), "The server ended."
        assert time.monotonic() < until, "The server does not start."
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)
        assert not thread.is_alive(), "The server does not end."
