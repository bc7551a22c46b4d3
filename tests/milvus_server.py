"""A real Milvus server of one process, started and stopped, or killed, by the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent.parent / ".milvus" / "bin" / "milvus-server"
_START_SECONDS, _TRIES = 120.0, 4
_TAKEN = "address already in use"
_WELCOME = "Welcome to use Milvus"


class MilvusServer:
    """Its data lie in a folder, so that one that was killed goes on where it was."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, name: str, asked: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/{name}{asked}"

    def start(self) -> None:
        """Its inner ports are fixed, and among those that the system gives to anyone: where one is
        taken, it may be free a moment later."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(_TRIES):
            if self._starts():
                return
            self.kill()
            time.sleep(5)
        pytest.fail("Milvus finds its ports taken.")

    def _starts(self) -> bool:
        """False where a port is taken."""
        said, wrong = self.folder / "said.txt", self.folder / "logs" / "milvus-stderr.log"
        wrong.unlink(missing_ok=True)
        command = [str(PROGRAM), "--data", str(self.folder), "--proxy-port", str(self.port)]
        with said.open("wb") as file:
            self._process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
        until = time.monotonic() + _START_SECONDS
        while _WELCOME not in said.read_text(errors="replace"):
            if wrong.is_file() and _TAKEN in wrong.read_text(errors="replace"):
                return False
            assert self._process.poll() is None, said.read_text(errors="replace")[-2000:]
            assert time.monotonic() < until, "Milvus does not start."
            time.sleep(0.2)
        return True

    def kill(self) -> None:
        """As the system does when memory is short: no word to the server."""
        assert self._process is not None
        for member in _members(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
            self.kill()


@contextmanager
def running_server(folder: Path) -> Iterator[MilvusServer]:
    if not PROGRAM.is_file():
        pytest.skip("There is no Milvus server here: `make test-milvus` installs one.")
    server = MilvusServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _members(group: int) -> list[int]:
    """The processes of one session: the launcher, and the server that it started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == group:
                found.append(int(stat.parent.name))
    return found


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
