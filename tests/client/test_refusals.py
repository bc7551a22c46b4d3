"""A server that is gone, busy, slow, locked, or none of ours."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bitreel.client import RemoteLibrary
from bitreel.errors import ConfigError, LibraryError, UnreadableVideo
from bitreel.library import AddReport, Library
from bitreel.progress import Step
from bitreel.video.decoding_process import Lost
from command_line import Trained
from live_server import live_server

FACTS = b'{"bits": 16, "fingerprint": "f", "segmenting": {}}'
Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(answer: Callable[[int], Answer | None]) -> Iterator[str]:
    """A server that gives the answers of a function of the number of the request; None hangs up."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            given = answer(len(asked))
            if given is None:
                self.close_connection = True
                return
            status, headers, body = given
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long it was waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr("bitreel.client.connection.time", SimpleNamespace(sleep=waited.append))
    return waited


def test_nobody_is_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(LibraryError, match=f"No server answers at {address}.*bitreel serve"):
            RemoteLibrary(address)


@pytest.mark.parametrize("address", ["", "library", "ftp://a", "http://", "http://a:b", "//a"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigError, match="is no address of a server"):
        RemoteLibrary(address)


def test_a_server_that_does_not_answer() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LibraryError, match=r"did not answer in 0\.2 s"):
            RemoteLibrary(address, timeout_seconds=0.2)


def test_a_server_that_hangs_up() -> None:
    with (
        answering(lambda _: None) as address,
        pytest.raises(LibraryError, match=f"The server at {address} broke off"),
    ):
        RemoteLibrary(address)


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>"),
        (200, {}, b"[]"),
        (200, {}, b"{}"),
        (404, {}, b"{}"),
        (502, {}, b"<html>Bad Gateway"),
        (301, {"Location": "/"}, b""),
        (500, {}, b"\xff\xfe"),
    ],
    ids=str,
)
def test_what_is_no_bitreel_server(answer: Answer) -> None:
    with (
        answering(lambda _: answer) as address,
        pytest.raises(LibraryError, match="is no bitreel server"),
    ):
        RemoteLibrary(address)


def test_a_busy_server_is_asked_again_when_it_says(waits: list[float]) -> None:
    busy: list[Answer] = [
        (429, {"Retry-After": "3"}, b"{}"),
        (503, {"Retry-After": "0"}, b"{}"),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"{}"),
    ]
    with answering(lambda n: busy[n - 1] if n <= 3 else (200, {}, FACTS)) as address:
        RemoteLibrary(address).close()
    assert waits == [3.0, 0.5, 1.0]


def test_a_server_that_stays_busy(waits: list[float]) -> None:
    with (
        answering(lambda _: (429, {"Retry-After": "20"}, b"{}")) as address,
        pytest.raises(LibraryError, match=r"is busy.*longer patience_seconds"),
    ):
        RemoteLibrary(address, patience_seconds=50)
    assert waits == [20.0, 20.0]


def test_the_rate_of_a_real_server_is_waited_for(trained: Trained, tmp_path: Path) -> None:
    with (
        live_server(trained.library, searches_a_minute=120, cache=tmp_path) as address,
        RemoteLibrary(address) as library,
    ):
        found = [library.similar([1], k=1) for _ in range(22)]  # 20 at once, the rest each 0.5 s
    assert len({results.hits for results in found}) == 1
    with (
        live_server(trained.library, searches_a_minute=1, cache=tmp_path) as address,
        RemoteLibrary(address, patience_seconds=0) as library,
    ):
        library.similar([1], k=1)
        with pytest.raises(LibraryError, match="is busy"):
            library.similar([1], k=1)


def test_a_token(trained: Trained, tmp_path: Path) -> None:
    with live_server(trained.library, token="s3cret", cache=tmp_path) as address:
        for token in (None, "wrong"):
            with pytest.raises(LibraryError, match=r"wants a token.*token=…"):
                RemoteLibrary(address, token=token)
        with RemoteLibrary(f"{address}/?token=x", token="s3cret") as library:
            assert library.status().videos == 48
            assert "s3cret" not in repr(library)


def test_folders_that_the_server_was_not_given(trained: Trained, tmp_path: Path) -> None:
    with (
        live_server(trained.library, cache=tmp_path) as address,
        RemoteLibrary(address) as library,
        pytest.raises(LibraryError, match="--folder"),
    ):
        library.add([trained.query])


def test_an_error_of_one_module_is_told_by_its_name_in_the_tree(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> None:
        raise Lost("a.mp4 gave no frames.")

    monkeypatch.setattr(Library, "search", lose)
    with (
        live_server(trained.library, cache=tmp_path) as address,
        RemoteLibrary(address) as library,
        pytest.raises(UnreadableVideo, match="gave no frames"),
    ):
        library.search(trained.query)


def test_a_file_that_may_not_be_read(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with live_server(trained.library, cache=tmp_path) as address, RemoteLibrary(address) as library:
        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(UnreadableVideo, match="Permission denied"):
            library.search(trained.query)


# Waiting for jobs


@pytest.fixture
def slow(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RemoteLibrary]:
    """A server whose jobs take as long as they are let."""

    def add(self: Library, videos: Any, *, retry: bool, progress: Any) -> AddReport:
        for done in range(1, 1000):
            progress(Step("indexing", done, 1000, "a note"))
            time.sleep(0.01)
        return AddReport()

    shutil.copytree(trained.library, tmp_path / "library")
    monkeypatch.setattr(Library, "add", add)
    with (
        live_server(tmp_path / "library", folders=(tmp_path,)) as address,
        RemoteLibrary(address) as library,
    ):
        yield library


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_ends_the_waiting_cancels_the_job(
    slow: RemoteLibrary, tmp_path: Path, error: type[BaseException]
) -> None:
    def interrupt(step: Step) -> None:
        assert (step.stage, step.total, step.note) == ("indexing", 1000, "a note")
        raise error

    with pytest.raises(error):
        slow.add([tmp_path / "a.mp4"], progress=interrupt)
    until = time.monotonic() + 60
    while (state := slow._connection.get("jobs/1")["state"]) == "running":
        assert time.monotonic() < until
    assert state == "cancelled"


def test_a_job_that_somebody_else_cancels(slow: RemoteLibrary, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="The job was cancelled"):
        slow.add([tmp_path / "a.mp4"], progress=lambda _: slow._connection.delete("jobs/1"))


def test_a_job_that_waits_is_cancelled_at_once(slow: RemoteLibrary, tmp_path: Path) -> None:
    asked = {"videos": [{"uri": (tmp_path / "a.mp4").as_uri()}]}
    first, second = (slow._connection.post("jobs/add", asked)["id"] for _ in range(2))
    slow._connection.delete(f"jobs/{second}")
    until = time.monotonic() + 60
    while slow._connection.get(f"jobs/{second}")["state"] == "running":
        assert time.monotonic() < until
    assert slow._connection.get(f"jobs/{first}")["state"] == "running"


def test_a_job_that_fails(
    slow: RemoteLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, kind in ((ConfigError("No."), ConfigError), (RuntimeError("a bug"), LibraryError)):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(Library, "add", fail)
        with pytest.raises(kind, match=r"No\.|a bug"):
            slow.add([tmp_path / "a.mp4"])


def test_too_many_jobs(slow: RemoteLibrary, tmp_path: Path, waits: list[float]) -> None:
    asked = {"videos": [{"uri": (tmp_path / "a.mp4").as_uri()}]}
    for _ in range(32):
        slow._connection.post("jobs/add", asked)
    with pytest.raises(LibraryError, match="is busy"):
        slow._connection.post("jobs/add", asked)
    assert len(slow._connection.get("jobs")) == 32
