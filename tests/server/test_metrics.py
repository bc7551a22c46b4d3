"""What a server tells Prometheus of itself."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from bitreel.errors import LibraryError
from bitreel.library import Library
from bitreel.server.app import create_app
from bitreel.server.settings import Settings
from command_line import Trained

LOCAL = "http://127.0.0.1:8000"


@pytest.fixture
def client(trained: Trained, tmp_path: Path) -> Iterator[TestClient]:
    shutil.copytree(trained.library, tmp_path / "library")
    settings = Settings(
        tmp_path / "library", token="s3cret", cache=tmp_path / "cache", searches_a_minute=12
    )
    headers = {"Authorization": "Bearer s3cret"}
    app = create_app(settings)
    with TestClient(app, LOCAL, headers=headers, raise_server_exceptions=False) as client:
        yield client


def told(client: TestClient) -> dict[tuple[str, ...], float]:
    """Every sample: its name and the values of its labels, in the order of the labels' names."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_by_route_and_status(client: TestClient) -> None:
    for number in (1, 2, 999):
        client.get(f"/api/videos/{number}")
    client.get("/api/status", headers={"Authorization": "Bearer wrong"})
    client.request("BREW", "/api/health")
    for path in ("/", "/nothing", "/api/nothing/1", "/api/nothing/2"):
        client.get(path)
    found = told(client)
    route = "/api/videos/{video_id}"
    assert found["bitreel_requests_total", "GET", route, "200"] == 2
    assert found["bitreel_requests_total", "GET", route, "404"] == 1
    assert found["bitreel_request_seconds_count", route] == 3
    assert found["bitreel_request_seconds_sum", route] > 0
    routes = {key[2] for key in found if key[0] == "bitreel_requests_total"}
    assert routes == {route, "/api/status", "/api/health", "other"}
    methods = {key[1] for key in found if key[0] == "bitreel_requests_total"}
    assert methods == {"GET", "other"}
    assert ("bitreel_requests_total", "GET", "/metrics", "200") in told(client)


def test_searches_and_callers_that_ask_too_often(client: TestClient, trained: Trained) -> None:
    found = told(client)
    assert found["bitreel_searches_total", "upload"] == 0
    files = {"file": ("a.mp4", trained.query.read_bytes())}
    assert client.post("/api/search", files=files).status_code == 200
    assert client.get("/api/segments/1/similar").status_code == 200
    for _ in range(3):
        client.get("/api/segments/1/similar")
    found = told(client)
    assert found["bitreel_searches_total", "upload"] == 1
    assert found["bitreel_searches_total", "segment"] == 1
    assert found["bitreel_searches_total", "video"] == 0
    assert found["bitreel_rate_limited_total",] == 3


def test_what_the_library_holds(client: TestClient, tmp_path: Path) -> None:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"junk")
    with Library.open(tmp_path / "library", runtime="torch") as library:
        library.add([junk])
    found = told(client)
    assert found["bitreel_videos",] == found["bitreel_segments",] == 48
    assert found["bitreel_quarantined",] == 1
    assert found["bitreel_library_up",] == 1
    assert found["bitreel_library_bytes",] > 0
    assert found["process_resident_memory_bytes",] > 0


def test_a_library_that_can_not_be_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Library) -> None:
        raise LibraryError("No disk.")

    monkeypatch.setattr(Library, "status", fail)
    found = told(client)
    assert found["bitreel_library_up",] == 0
    assert ("bitreel_videos",) not in found


def test_what_goes_on(
    client: TestClient, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    search = Library.search

    def slow(self: Library, *args: object, **options: object) -> object:
        inside.set()
        assert go_on.wait(60)
        return search(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Library, "search", slow)
    assert told(client)["bitreel_uploads_in_progress",] == 0
    files = {"file": ("a.mp4", trained.query.read_bytes())}
    thread = threading.Thread(target=lambda: client.post("/api/search", files=files))
    thread.start()
    assert inside.wait(60)
    assert told(client)["bitreel_uploads_in_progress",] == 1
    assert told(client)["bitreel_jobs_running",] == 0
    go_on.set()
    thread.join()
    assert told(client)["bitreel_uploads_in_progress",] == 0


def test_a_token_is_needed(client: TestClient) -> None:
    assert client.get("/metrics", headers={"Authorization": ""}).status_code == 401
