"""Videos that are sent to stay."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bitreel.client import RemoteLibrary
from bitreel.errors import DataError, LibraryError, UnreadableVideo
from bitreel.library import Library, VideoFilter
from bitreel.server.app import create_app
from bitreel.server.kept_uploads import KeptUploads
from bitreel.server.settings import Settings
from bitreel.server.uploads import Uploads
from command_line import Trained
from live_server import live_server

LOCAL = "http://127.0.0.1:8000"


@pytest.fixture
def library(trained: Trained, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.library, tmp_path / "library"))


@pytest.fixture
def serve(library: Path, tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    clients: list[TestClient] = []

    def start(**settings: Any) -> TestClient:
        app = create_app(Settings(library, cache=tmp_path / "cache", **settings))
        clients.append(TestClient(app, LOCAL, raise_server_exceptions=False))
        return clients[-1].__enter__()

    yield start
    for client in clients:
        client.__exit__(None, None, None)


def send(client: TestClient, path: Path, name: str | None = None, **data: str) -> Any:
    files = {"file": (name or path.name, path.read_bytes(), "video/mp4")}
    return client.post("/api/uploads", files=files, data=data)


def ended(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found: dict[str, Any] = client.get(f"/api/jobs/{job['id']}").json()
        if found["state"] != "running":
            return found
        time.sleep(0.02)
    raise AssertionError("it did not end")


def kept(library: Path) -> list[str]:
    folder = library / "uploads"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_an_upload_is_indexed_listed_played_and_found(
    serve: Callable[..., TestClient], library: Path, trained: Trained
) -> None:
    client = serve()
    answer = send(client, trained.query, "my clip.mp4", label="mine")
    assert answer.status_code == 202
    assert ended(client, answer.json())["told"] == "1 added"
    assert kept(library) == ["my clip.mp4"]
    (video,) = client.get("/api/videos", params={"label": "mine"}).json()["items"]
    assert video["uri"] == answer.json()["uri"] == (library / "uploads" / "my clip.mp4").as_uri()
    assert client.get(f"/api/videos/{video['id']}/file").content == trained.query.read_bytes()
    assert client.get(f"/api/videos/{video['id']}/preview").status_code == 200
    files = {"file": ("q.mp4", trained.query.read_bytes())}
    hits = client.post("/api/search", files=files, data={"k": "49"}).json()["hits"]
    found = next(hit for hit in hits if hit["video_id"] == video["id"])
    assert (found["distance_bits"], found["label"]) == (0, "mine")
    with client.stream("GET", f"/api/jobs/{answer.json()['id']}/events") as events:
        (line,) = [line for line in events.iter_lines() if line.startswith("data: ")]
    assert json.loads(line.removeprefix("data: "))["state"] == "done"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("../../etc/passwd.mp4", "passwd.mp4"),
        ("C:\\videos\\a.MP4", "a.mp4"),
        (".hidden.mp4", "hidden.mp4"),
        ("....", "video"),
        ("a\x00b\n<c>|d.mp4", "a_b_c_d.mp4"),
        ("日本語 Ä.mkv", "日本語 Ä.mkv"),
        ("x" * 10_000 + ".mp4", "x" * 100 + ".mp4"),
        ("日" * 100, "日" * 33),
        ("%2e%2e%2fa.mp4", "2e_2e_2fa.mp4"),
        ("-rf.mp4", "-rf.mp4"),
        (None, "video"),
        ("a\udcff.mp4", "a.mp4"),
    ],
)
def test_names(tmp_path: Path, sent: str | None, name: str) -> None:
    folder = KeptUploads(tmp_path / "kept", 10, Uploads(at_once=1, most_bytes=10))
    folder.folder.mkdir()
    (tmp_path / "file").write_bytes(b"1")
    path = folder.keep(tmp_path / "file", sent)
    assert (path.name, path.parent) == (name, tmp_path / "kept")
    again = folder.keep(tmp_path / "file", sent)
    assert again.stem == f"{path.stem}-2"


def test_no_file_is_overwritten_by_uploads_at_once(
    serve: Callable[..., TestClient], library: Path, trained: Trained
) -> None:
    client = serve(uploads_at_once=8)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: send(client, trained.query, "a.mp4"), range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert kept(library) == ["a-2.mp4", "a-3.mp4", "a-4.mp4", "a.mp4"]
    assert {ended(client, answer.json())["state"] for answer in answers} == {"done"}
    assert client.get("/api/status").json()["videos"] == 52


def test_what_can_not_be_read_is_refused_and_not_kept(
    serve: Callable[..., TestClient], library: Path, tmp_path: Path, trained: Trained
) -> None:
    client = serve(upload_bytes=50_000)
    junk = tmp_path / "junk.mp4"
    for content, status in ((b"junk", 422), (b"", 422), (bytes(60_000), 413)):
        junk.write_bytes(content)
        answer = send(client, junk)
        assert answer.status_code == status
        assert "uploads" not in answer.text, "where it lies is nobody's business"
    assert send(client, trained.query, label=" ").status_code == 422
    assert client.post("/api/uploads", data={"label": "a"}).status_code == 422
    assert kept(library) == []
    assert client.get("/api/jobs").json() == []


def test_so_many_are_kept(
    serve: Callable[..., TestClient], library: Path, trained: Trained
) -> None:
    client = serve(most_uploads=1)
    assert send(client, trained.query).status_code == 202
    answer = send(client, trained.query)
    assert answer.status_code == 403
    assert "--most-uploads" in answer.json()["detail"]
    assert kept(library) == [trained.query.name]
    assert send(serve(most_uploads=0), trained.query).status_code == 403


def test_a_job_that_fails_or_is_cancelled_leaves_no_file(
    serve: Callable[..., TestClient],
    library: Path,
    trained: Trained,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = serve(most_uploads=10)
    inside, go_on = threading.Event(), threading.Event()

    def fail(*_: object, **__: object) -> None:
        inside.set()
        assert go_on.wait(60)
        raise LibraryError("No.")

    monkeypatch.setattr(Library, "add", fail)
    first, second = (send(client, trained.query).json() for _ in range(2))
    assert inside.wait(60)
    assert len(kept(library)) == 2
    client.delete(f"/api/jobs/{second['id']}")  # while it waits for the first
    assert ended(client, second)["state"] == "cancelled"
    go_on.set()
    assert (ended(client, first)["state"], ended(client, first)["error"]) == (
        "failed",
        "LibraryError",
    )
    assert kept(library) == []


def test_a_folder_of_its_own_and_what_a_killed_server_left(
    serve: Callable[..., TestClient], tmp_path: Path, trained: Trained
) -> None:
    folder = tmp_path / "sent"
    folder.mkdir()
    for name, age in ((".old-part.mp4", 10**6), (".new-part.mp4", 0), ("old-part.mp4", 10**6)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age,) * 2)
    client = serve(uploads=folder)
    assert send(client, trained.query).status_code == 202
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [".new-part.mp4", "old-part.mp4", trained.query.name]
    )


def test_a_folder_that_can_not_be_written_to(
    serve: Callable[..., TestClient], tmp_path: Path, trained: Trained
) -> None:
    (tmp_path / "file").touch()
    answer = send(serve(uploads=tmp_path / "file"), trained.query)
    assert answer.status_code == 503
    assert "name another folder by --uploads" in answer.json()["detail"]


def test_by_the_client(library: Path, trained: Trained, tmp_path: Path) -> None:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"junk")
    with live_server(library) as address, RemoteLibrary(address) as remote:
        for _ in range(2):
            video = remote.upload(trained.query, label="mine")
        assert video.label == "mine"
        assert video.path.name == "scene0005-2.mp4"
        assert remote.list_videos(VideoFilter(label="mine"))[0] == 2
        with pytest.raises(UnreadableVideo, match=r"junk\.mp4 can not be read"):
            remote.upload(junk)
        with pytest.raises(UnreadableVideo, match="does not exist"):
            remote.upload(tmp_path / "gone.mp4")
        with pytest.raises(DataError, match="empty label"):
            remote.upload(trained.query, label=" ")
