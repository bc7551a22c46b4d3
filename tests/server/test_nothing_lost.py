"""Every request is answered while a library is indexed, while its model is changed, and while other
callers hang up in the middle."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from bitreel.library import Library
from bitreel.model import Model
from command_line import Trained
from live_server import live_server
from media import make_video

CALLERS = 4
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'


@pytest.fixture
def library(trained: Trained, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.library, tmp_path / "library"))


def requests(address: str, query: bytes) -> list[Callable[[httpx2.Client], httpx2.Response]]:
    """What callers do all the time."""
    return [
        lambda client: client.post(f"{address}/api/search", files={"file": ("q.mp4", query)}),
        lambda client: client.get(f"{address}/api/videos/7/similar"),
        lambda client: client.get(f"{address}/api/videos?text=disc"),
        lambda client: client.get(f"{address}/api/videos/3/preview"),
        lambda client: client.get(f"{address}/api/status"),
        lambda client: client.get(f"{address}/api/videos/5/file", headers={"Range": "bytes=0-99"}),
        lambda client: client.get(f"{address}/api/ledger"),
        lambda client: client.get(f"{address}/metrics"),
    ]


@contextmanager
def callers(address: str, query: bytes) -> Iterator[list[Counter[int]]]:
    """Ask all the time, from several threads; gives how each request was answered, by status."""
    asked = requests(address, query)
    answers = [Counter[int]() for _ in asked]
    stop, errors = threading.Event(), list[BaseException]()

    def call(first: int) -> None:
        try:
            with httpx2.Client(timeout=60) as client:
                number = first
                while not stop.is_set():
                    which = number % len(asked)
                    answers[which][asked[which](client).status_code] += 1
                    number += 1
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(0, 2 * CALLERS, 2)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []


def check(answers: list[Counter[int]]) -> None:
    """That each was asked and answered."""
    wanted = [{200}, {200}, {200}, {200}, {200}, {206}, {200}, {200}]
    assert [set(counted) for counted in answers] == wanted


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_while_a_folder_is_indexed(library: Path, trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for number in range(30):
        make_video(tmp_path / "more" / f"{number}.mp4", 20 + number)
    with live_server(library, folders=(tmp_path / "more",), uploads_at_once=16) as address:
        with callers(address, trained.query.read_bytes()) as answers:
            job = httpx2.post(f"{address}/api/jobs", json={"folder": str(tmp_path / "more")}).json()
            events = f"{address}/api/jobs/{job['id']}"
            wait_for(lambda: httpx2.get(events).json()["state"] != "running")
        assert httpx2.get(events).json()["told"] == "30 added"
        assert httpx2.get(f"{address}/api/status").json()["videos"] == 78
    check(answers)


def test_while_the_model_is_changed(library: Path, trained: Trained) -> None:
    models = [Model.load(trained.models / name) for name in ("32", "16")]
    seen: set[int] = set()
    with live_server(library, uploads_at_once=16) as address:
        with callers(address, trained.query.read_bytes()) as answers:
            for number in range(4):
                with Library.open(library) as other:
                    other.migrate(models[number % 2])
                before = sum(answers[1].values())
                wait_for(lambda before=before: sum(answers[1].values()) > before)  # type: ignore[misc]
                seen.add(httpx2.get(f"{address}/api/videos/1/similar").json()["bits"])
            wait_for(lambda: all(answers))
        check(answers)
    assert seen == {16, 32}


class Hanging:
    """Callers who go in the middle."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._where = (parts.hostname, parts.port)

    @contextmanager
    def connected(self, words: bytes) -> Iterator[socket.socket]:
        with socket.create_connection(self._where) as caller:
            host = f"Host: {self._where[0]}:{self._where[1]}\r\n".encode()
            caller.sendall(words.replace(b"\r\n", b"\r\n" + host, 1))
            yield caller

    def upload(self, route: str, share: float) -> None:
        """Send a share of a video, and go."""
        body = FILE + bytes(2_000_000)
        head = (
            f"POST {route} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with self.connected(head.encode()) as caller:
            caller.sendall(body[: int(share * len(body))])

    def ask(self, route: str, take: int) -> None:
        """Take some bytes of an answer, and go."""
        with self.connected(f"GET {route} HTTP/1.1\r\n\r\n".encode()) as caller:
            if take:
                caller.recv(take)


def test_while_callers_hang_up(
    library: Path, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with live_server(library, uploads_at_once=64) as address:
        hanging = Hanging(address)
        with callers(address, trained.query.read_bytes()) as answers:
            for share in (0.0, 0.001, 0.3, 0.6, 0.99):
                for route in ("/api/search", "/api/uploads"):
                    hanging.upload(route, share)
            for number in range(20, 40):
                hanging.ask(f"/api/videos/{number}/preview", take=number % 3 * 20)
                hanging.ask("/api/jobs/1/events", take=0)
                hanging.ask(f"/api/videos/{number}/file", take=10)
            wait_for(lambda: all(sum(counted.values()) > 3 for counted in answers))
        check(answers)
        wait_for(lambda: "bitreel_uploads_in_progress 0.0" in httpx2.get(f"{address}/metrics").text)
        assert httpx2.get(f"{address}/api/videos/21/preview").status_code == 200
    assert [path for path in (tmp_path / "temporary").rglob("*") if path.is_file()] == []
    assert not (library / "uploads").exists()
    assert not list((tmp_path / "cache").rglob(".part-*"))


def test_who_sends_nothing_holds_no_place(
    library: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitreel.server.bodies._SILENT_SECONDS", 3.0)
    monkeypatch.setattr("bitreel.server.uploads._WAIT_SECONDS", 0.2)
    with live_server(library, uploads_at_once=1) as address:
        head = (
            b"POST /api/search HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 5000\r\n\r\n--b"
        )
        files = {"file": ("q.mp4", trained.query.read_bytes())}
        with Hanging(address).connected(head) as silent:
            wait_for(
                lambda: "bitreel_uploads_in_progress 1.0" in httpx2.get(f"{address}/metrics").text
            )
            busy = httpx2.post(f"{address}/api/search", files=files)
            assert (busy.status_code, busy.headers["retry-after"]) == (503, "2")
            assert silent.recv(12) == b"HTTP/1.1 408"
        assert httpx2.post(f"{address}/api/search", files=files).status_code == 200


def test_who_sends_drop_by_drop_holds_no_place(
    library: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each drop comes before the silence is too long."""
    monkeypatch.setattr("bitreel.server.bodies._SILENT_SECONDS", 1.0)
    with live_server(library, uploads_at_once=1) as address:
        head = (
            b"POST /api/search HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 5000\r\n\r\n--b"
        )
        with Hanging(address).connected(head) as slow:
            slow.settimeout(0.2)
            answer = b""
            for _ in range(100):
                slow.sendall(b"-")
                with suppress(TimeoutError):
                    answer = slow.recv(12)
                    break
            assert answer == b"HTTP/1.1 408"
        files = {"file": ("q.mp4", trained.query.read_bytes())}
        assert httpx2.post(f"{address}/api/search", files=files).status_code == 200


def test_uploads_wait_for_their_turn(library: Path, trained: Trained) -> None:
    content = trained.query.read_bytes()
    with live_server(library, uploads_at_once=1) as address, ThreadPoolExecutor(6) as pool:

        def send(_: int) -> int:
            files = {"file": ("q.mp4", content)}
            return httpx2.post(f"{address}/api/search", files=files, timeout=60).status_code

        assert set(pool.map(send, range(12))) == {200}


@pytest.mark.parametrize("declared", [True, False])
def test_who_sends_too_much_is_told(library: Path, declared: bool) -> None:
    with live_server(library, upload_bytes=1_000_000) as address:
        content = FILE + bytes(5_000_000)

        def pieces() -> Iterator[bytes]:
            for at in range(0, len(content), 100_000):
                yield content[at : at + 100_000]

        for route in ("/api/search", "/api/jobs/add"):
            answer = httpx2.post(
                f"{address}{route}",
                content=content if declared else pieces(),
                headers={"Content-Type": "multipart/form-data; boundary=b"},
            )
            assert answer.status_code == (413 if route == "/api/search" else 422), answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert "content-security-policy" in answer.headers
