"""The HTTP API against what the library itself answers."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from bitreel.errors import ConfigError
from bitreel.library import Library
from bitreel.server.app import create_app
from bitreel.server.settings import Settings
from command_line import Trained
from media import make_video

Client = TestClient
LOCAL = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def folder(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """library/: the trained one with a broken file in its ledger; more/: a folder to add."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(trained.library, folder / "library")
    (folder / "more").mkdir()
    shutil.copy(trained.query, folder / "more" / "new.mp4")
    junk = folder / "junk.mp4"
    junk.write_bytes(b"junk")
    with Library.open(folder / "library", runtime="torch") as library:
        library.add([junk])
    return folder


@pytest.fixture
def serve(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """A client of a server with other settings."""
    clients: list[Client] = []

    def start(**settings: Any) -> Client:
        options: dict[str, Any] = {"folders": (folder / "more",), "cache": tmp_path / "cache"}
        app = create_app(Settings(folder / "library", **(options | settings)))
        client = TestClient(app, base_url=LOCAL, raise_server_exceptions=False)
        client.__enter__()
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    """Of one server for all who change nothing."""
    settings = Settings(
        folder / "library",
        folders=(folder / "more",),
        cache=folder / "cache",
        searches_a_minute=100_000,
    )
    with TestClient(create_app(settings), LOCAL, raise_server_exceptions=False) as client:
        yield client


def videos(client: Client, **wanted: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/videos", params=wanted | {"limit": 500}).json()
    items: list[dict[str, Any]] = answer["items"]
    assert answer["total"] == len(items)
    return items


def said(answer: Any, status: int) -> str:
    """What a problem says. It must be one, with nothing of the code in it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail"}
    assert problem["status"] == status
    assert "Traceback" not in answer.text
    return str(problem["detail"])


def sent(path: Path) -> dict[str, Any]:
    return {"file": (path.name, path.read_bytes(), "video/mp4")}


# Looking


def test_status_health_readiness(client: Client, folder: Path) -> None:
    status = client.get("/api/status").json()
    assert (status["videos"], status["segments"], status["quarantined"]) == (48, 48, 1)
    assert status["bits"] == 16
    assert status["folders"] == [str(folder / "more")]
    assert client.get("/api/health").json() == {"status": "ok"}
    assert client.get("/api/ready").json() == {"status": "ready"}


def test_videos_are_listed_and_filtered(client: Client) -> None:
    all_of_them = videos(client)
    assert len(all_of_them) == 48
    paths = [f"{v['folder']}/{v['name']}" for v in all_of_them]
    assert paths == sorted(paths)
    some = videos(client, label="striped-disc-left")
    assert len(some) == 4
    assert {v["label"] for v in some} == {"striped-disc-left"}
    assert videos(client, text="STRIPED-DISC") == [
        v for v in all_of_them if "striped-disc" in str(v)
    ]
    assert videos(client, folder=some[0]["folder"]) == some
    assert videos(client, folder=some[0]["folder"][:-1]) == []
    assert videos(client, min_seconds=1000) == []
    assert len(videos(client, max_seconds=1000)) == 48
    assert videos(client, text="%") == []


def test_pages(client: Client) -> None:
    pages = [
        client.get("/api/videos", params={"offset": n, "limit": 20}).json() for n in (0, 20, 40)
    ]
    assert [len(page["items"]) for page in pages] == [20, 20, 8]
    assert [item for page in pages for item in page["items"]] == videos(client)
    assert {page["total"] for page in pages} == {48}


def test_a_video_has_segments(client: Client) -> None:
    first = videos(client)[0]
    found = client.get(f"/api/videos/{first['id']}").json()
    (segment,) = found.pop("segments_in_time")
    assert found == first
    assert segment["start_seconds"] == 0
    assert segment["end_seconds"] == pytest.approx(first["duration_seconds"])


def test_the_ledger(client: Client) -> None:
    page = client.get("/api/ledger", params={"fate": "quarantined"}).json()
    assert page["total"] == 1
    assert page["items"][0]["path"].endswith("junk.mp4")
    assert "can not be read as a video" in page["items"][0]["reason"]
    assert client.get("/api/ledger", params={"limit": 5}).json()["total"] == 49
    assert client.get("/api/ledger", params={"text": "JUNK"}).json()["items"] == page["items"]
    (one,) = client.get("/api/ledger", params={"offset": 30, "limit": 1}).json()["items"]
    found = client.get(f"/api/videos/{one['video_id']}").json()
    assert one["path"] == f"{found['folder']}/{found['name']}"
    assert "Input should be" in said(client.get("/api/ledger", params={"fate": "lost"}), 422)


# Searching


def test_a_search_is_that_of_the_library(client: Client, folder: Path, trained: Trained) -> None:
    answer = client.post("/api/search", files=sent(trained.query), data={"k": "7"}).json()
    with Library.open(folder / "library", runtime="torch") as library:
        expected = library.search(trained.query, k=7)
    assert [(h["segment_id"], h["distance_bits"]) for h in answer["hits"]] == [
        (hit.segment_id, hit.distance_bits) for hit in expected.hits
    ]
    assert [h["rank"] for h in answer["hits"]] == list(range(1, 8))
    assert (answer["query"], answer["bits"]) == (trained.query.name, 16)
    assert answer["segments"] == 48


def test_similar_videos_and_segments(client: Client) -> None:
    first = videos(client)[0]
    answer = client.get(f"/api/videos/{first['id']}/similar", params={"k": 5}).json()
    assert len(answer["hits"]) == 5
    assert first["id"] not in {hit["video_id"] for hit in answer["hits"]}
    segment = client.get(f"/api/videos/{first['id']}").json()["segments_in_time"][0]["id"]
    same = client.get(f"/api/segments/{segment}/similar", params={"k": 5}).json()
    assert same["hits"] == answer["hits"]
    itself = client.get(
        f"/api/videos/{first['id']}/similar", params={"exclude_self": "false", "k": 48}
    ).json()
    assert first["id"] in {hit["video_id"] for hit in itself["hits"]}
    beyond = client.get(f"/api/videos/{first['id']}/similar", params={"start": 100})
    assert "is not in the video" in said(beyond, 422)


def test_searches_among_some_videos(client: Client, trained: Trained) -> None:
    first = videos(client)[0]
    segment = client.get(f"/api/videos/{first['id']}").json()["segments_in_time"][0]["id"]
    label = "striped-disc-left"
    for wanted in (
        {"label": label},
        {"text": "STRIPED-DISC-LEFT"},
        {"folder": videos(client, label=label)[0]["folder"]},
    ):
        answers = [
            client.post("/api/search", files=sent(trained.query), data=wanted),
            client.get(f"/api/videos/{first['id']}/similar", params=wanted),
            client.get(f"/api/segments/{segment}/similar", params=wanted),
            client.post("/api/similar", json={"segments": [segment], **wanted}),
        ]
        for answer in answers:
            assert {hit["label"] for hit in answer.json()["hits"]} == {label}
            assert len(answer.json()["hits"]) == answer.json()["segments"] == 4
    none = {"min_seconds": "1000"}
    answer = client.post("/api/search", files=sent(trained.query), data=none).json()
    assert answer["hits"] == []
    said(client.get(f"/api/segments/{segment}/similar", params={"max_seconds": "-1"}), 422)


def test_a_folder_is_told_as_it_is_asked_for(
    serve: Callable[..., Client], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    client = serve(folders=(Path("more"),))
    assert client.get("/api/status").json()["folders"] == [str(folder / "more")]


def test_no_temporary_file_stays(
    client: Client, folder: Path, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    client.post("/api/search", files=sent(trained.query))
    client.post("/api/search", files=sent(folder / "junk.mp4"))
    assert not list(tmp_path.glob("bitreel-upload-*"))


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b.mp4", "x" * 500, "\u65e5.mp4", ""])
def test_the_name_of_an_upload_leads_nowhere(client: Client, trained: Trained, name: str) -> None:
    files = {"file": (name or "a", trained.query.read_bytes(), "video/mp4")}
    assert client.post("/api/search", files=files, data={"k": "1"}).status_code == 200


def test_an_upload_that_is_none(serve: Callable[..., Client], folder: Path) -> None:
    client = serve(upload_bytes=1000)
    assert said(client.post("/api/search", files=sent(folder / "junk.mp4")), 422).startswith(
        "junk.mp4 can not be read as a video"
    )
    assert "1000" not in said(client.post("/api/search", data={"k": "1"}), 422)
    large = {"file": ("a.mp4", bytes(5000), "video/mp4")}
    assert "send a part" in said(client.post("/api/search", files=large), 413)
    empty = {"file": ("a.mp4", b"", "video/mp4")}
    assert "is empty" in said(client.post("/api/search", files=empty), 422)


def test_a_range_that_is_none(client: Client, trained: Trained) -> None:
    for data in ({"start": "2", "end": "1"}, {"start": "-1"}, {"start": "nan"}, {"k": "-1"}):
        said(client.post("/api/search", files=sent(trained.query), data=data), 422)


def test_a_query_that_lasts_too_long(
    serve: Callable[..., Client], folder: Path, tmp_path: Path
) -> None:
    long = sent(make_video(tmp_path / "long.mp4", 100))
    client = serve(query_seconds=2.0)
    assert "by start and end" in said(client.post("/api/search", files=long), 413)
    for data, status in (({"end": "2"}, 200), ({"start": "2.5"}, 200), ({"end": "2.5"}, 422)):
        assert client.post("/api/search", files=long, data=data).status_code == status


def test_too_many_searches(serve: Callable[..., Client]) -> None:
    client = serve(searches_a_minute=12)
    number = videos(client)[0]["id"]
    answers = [client.get(f"/api/videos/{number}/similar") for _ in range(4)]
    assert [answer.status_code for answer in answers][:2] == [200, 200]
    assert "wait a moment" in said(answers[-1], 429)
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert client.get("/api/status").status_code == 200


# Pictures and films


def test_thumbnails_and_previews(client: Client) -> None:
    number = videos(client)[0]["id"]
    picture = client.get(f"/api/videos/{number}/thumbnail")
    assert picture.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(picture.content)).size == (320, 240)
    film = client.get(f"/api/videos/{number}/preview")
    assert film.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(film.content)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert client.get(f"/api/videos/{number}/preview").content == film.content
    said(client.get(f"/api/videos/{number}/preview", params={"start": 5, "end": 3}), 422)


def test_the_file_in_ranges(client: Client) -> None:
    first = videos(client)[0]
    whole = (Path(first["folder"]) / first["name"]).read_bytes()
    assert client.get(f"/api/videos/{first['id']}/file").content == whole
    part = client.get(f"/api/videos/{first['id']}/file", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])


def test_a_file_that_is_gone_or_was_put_in_its_place(
    trained: Trained, tmp_path: Path, serve: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    library = tmp_path / "library"
    shutil.copytree(trained.library, library)
    for name in ("gone", "link"):
        shutil.copy(trained.query, tmp_path / f"{name}.mp4")
    with Library.open(library, runtime="torch") as opened:
        opened.add([tmp_path / "gone.mp4", tmp_path / "link.mp4"])
    (tmp_path / "gone.mp4").unlink()
    (tmp_path / "link.mp4").unlink()
    (tmp_path / "link.mp4").symlink_to(secret)
    client = TestClient(create_app(Settings(library, cache=tmp_path / "c")), base_url=LOCAL)
    with client:
        for name in ("gone", "link"):
            number = videos(client, text=f"/{name}.mp4")[0]["id"]
            for what in ("file", "thumbnail", "preview"):
                told = said(client.get(f"/api/videos/{number}/{what}"), 404)
                assert told == f"The file of {name}.mp4 is not there any more."


@pytest.mark.parametrize("number", [0, -1, 10**6, 2**63, 10**30])
def test_what_is_not_there(client: Client, number: int) -> None:
    for path in ("videos/{}", "videos/{}/file", "videos/{}/similar", "segments/{}/similar"):
        said(client.get(f"/api/{path.format(number)}"), 404)
    said(client.get(f"/api/jobs/{number}"), 404)


# Jobs


def ended(client: Client, job: int) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found: dict[str, Any] = client.get(f"/api/jobs/{job}").json()
        if found["state"] != "running":
            return found
        time.sleep(0.05)
    raise AssertionError("it did not end")


def test_a_folder_is_added_while_the_server_answers(
    trained: Trained, tmp_path: Path, folder: Path
) -> None:
    library = tmp_path / "library"
    shutil.copytree(trained.library, library)
    settings = Settings(library, folders=(folder / "more",), cache=tmp_path / "c")
    with TestClient(create_app(settings), base_url=LOCAL) as client:
        started = client.post("/api/jobs", json={"folder": str(folder / "more")})
        assert started.status_code == 202
        number = started.json()["id"]
        with client.stream("GET", f"/api/jobs/{number}/events") as events:
            lines = [line for line in events.iter_lines() if line.startswith("data: ")]
        assert json.loads(lines[-1].removeprefix("data: ")) == ended(client, number)
        assert ended(client, number)["told"] == "1 added"
        assert client.get("/api/status").json()["videos"] == 49
        assert videos(client, text="/new.mp4")[0]["name"] == "new.mp4"
        assert [job["id"] for job in client.get("/api/jobs").json()] == [number]
        assert client.delete(f"/api/jobs/{number}").json()["state"] == "done"


@pytest.mark.parametrize("place", ["..", "../library", "/", "/etc", "../more2", "%2e%2e"])
def test_folders_that_were_not_given(client: Client, folder: Path, place: str) -> None:
    (folder / "more2").mkdir(exist_ok=True)
    asked = place if place.startswith("/") else str(folder / "more" / place)
    answer = client.post("/api/jobs", json={"folder": asked})
    assert said(answer, 404 if place == "%2e%2e" else 403)


def test_a_link_out_of_a_folder_that_was_given(client: Client, folder: Path) -> None:
    link = folder / "more" / "out"
    link.symlink_to("/etc")
    try:
        said(client.post("/api/jobs", json={"folder": str(link)}), 403)
    finally:
        link.unlink()


# Who may ask


def test_beyond_this_machine_a_token_is_needed(folder: Path, serve: Callable[..., Client]) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(ConfigError, match="--token"):
            Settings(folder / "library", host=host)
    client = serve(host="0.0.0.0", token="s3cret")
    assert "token is needed" in said(client.get("/api/status"), 401)
    said(client.get("/api/status", headers={"Authorization": "Bearer wrong"}), 401)
    said(client.get("/", params={"token": "wrong"}), 401)
    assert client.get("/api/health").status_code == 200
    header = {"Authorization": "Bearer s3cret"}
    assert client.get("/api/status", headers=header).status_code == 200
    assert client.get("/", params={"token": "s3cret"}).status_code == 200, "and has a cookie now"
    assert client.get("/api/status").status_code == 200


def test_behind_a_reverse_proxy(folder: Path, serve: Callable[..., Client]) -> None:
    with pytest.raises(ConfigError, match="--token"):
        Settings(folder / "library", names=("videos.example",))
    client = serve(names=("videos.example",), token="s3cret")
    client.base_url = "https://videos.example"
    own = {"Authorization": "Bearer s3cret", "Origin": "https://videos.example"}
    like = {"segments": [1]}
    assert client.post("/api/similar", headers=own, json=like).status_code == 200
    said(client.post("/api/similar", json=like), 401)
    said(client.get("/api/status", headers=own | {"Host": "evil.example"}), 400)
    said(client.post("/api/similar", headers=own | {"Origin": "https://evil"}, json=like), 403)
    answer = client.get("/", params={"token": "s3cret"}, follow_redirects=False)
    assert "Secure" in answer.headers["set-cookie"]


def test_a_foreign_page_can_do_nothing(client: Client, trained: Trained) -> None:
    said(client.get("/api/status", headers={"Host": "evil.example"}), 400)
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9999"):
        answer = client.post("/api/search", files=sent(trained.query), headers={"Origin": origin})
        said(answer, 403)
    own = {"Origin": LOCAL}
    assert client.post("/api/search", files=sent(trained.query), headers=own).status_code == 200
    assert "access-control-allow-origin" not in client.get("/api/status", headers=own).headers


@pytest.mark.parametrize(
    "path", ["/../settings.py", "/%2e%2e/settings.py", "/..%2fsettings.py", "//etc/passwd"]
)
def test_the_page_is_all_that_lies_outside_the_api(client: Client, path: str) -> None:
    assert client.get(path).status_code in (400, 404)


def test_headers_that_browsers_should_know(client: Client) -> None:
    for path in ("/", "/api/status", "/api/videos/0"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
