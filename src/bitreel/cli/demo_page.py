"""The end of `bitreel demo`: its library as a page, until Ctrl-C."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bitreel.errors import ConfigError

PORT = 8000  # another one where something listens there


def is_watched() -> bool:
    """Whether a person sees what is printed, and can end what goes on for ever."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def serve_page(library: Path, folder: Path, place: str, told: Callable[[str], None]) -> None:
    """Serve a library to this machine until Ctrl-C.

    folder: of which videos may be added from the page. place: what follows the address, as
    `#similar/3`. told: hears the whole address as soon as it answers. Raises ConfigError where the
    packages that serving needs are not installed.
    """
    try:
        import uvicorn

        from bitreel.server.app import create_app
    except ImportError as error:
        raise ConfigError(f"Serving needs {error.name}: pip install 'bitreel[serve]'.") from error
    from bitreel.server.settings import Settings

    with _listening() as open_port:
        port: int = open_port.getsockname()[1]
        settings = Settings(library, port=port, folders=(folder,))

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                told(f"{settings.address}{place}")

        server = Server(uvicorn.Config(create_app(settings), log_level="warning"))
        with suppress(KeyboardInterrupt):  # uvicorn ends in order, and passes it on
            server.run(sockets=[open_port])


def _listening() -> socket.socket:
    """A socket of this machine's own, on a port that is free."""
    for port in (PORT, 0):
        candidate = socket.socket()
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
            candidate.listen()
        except OSError:
            candidate.close()
            continue
        return candidate
    raise ConfigError("No port of this machine is free to serve the page: give --no-serve.")
