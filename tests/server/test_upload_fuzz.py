"""Whatever is sent as a video: an answer if it decodes, else a problem that is the sender's; never
an error of the server, and nothing left behind."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitreel.server.app import create_app
from bitreel.server.settings import Settings
from broken import READABLE, SAID, make_broken
from command_line import Trained
from media import make_video

LOCAL = "http://127.0.0.1:8000"
ROUTES = ("/api/search", "/api/explain", "/api/uploads")
HEAD = {"Content-Type": "multipart/form-data; boundary=b"}


@dataclass(frozen=True, repr=False)
class Served:
    """temporary: where the server makes its temporary files. whole: real videos by suffix."""

    client: TestClient
    temporary: Path
    library: Path
    whole: dict[str, bytes]

    def __repr__(self) -> str:
        return "Served"  # what a failure shows is not to be all the videos

    def send(
        self,
        content: bytes,
        name: str = "a.mp4",
        kind: str = "video/mp4",
        routes: Sequence[str] = ROUTES,
    ) -> list[Any]:
        """To every route that takes a video."""
        if len(running(self.client)) > 20:  # more than some wait for no job
            end_all(self.client)
        return [
            self.check(self.client.post(route, files={"file": (name, content, kind)}, data=DATA))
            for route in routes
        ]

    def check(self, answer: Any) -> Any:
        assert answer.status_code in (200, 202) or 400 <= answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"]
            assert str(self.temporary) not in answer.text
            assert str(self.library) not in answer.text
        left = [path for path in self.temporary.rglob("*") if path.is_file()]
        assert left == []
        assert list((self.library / "uploads").glob(".*")) == []
        return answer


DATA = {"hit": "1", "k": "1"}


@pytest.fixture(scope="module")
def served(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("fuzz")
    temporary = folder / "temporary"
    temporary.mkdir()
    library = Path(shutil.copytree(trained.library, folder / "library"))
    whole = {
        ".mp4": trained.query.read_bytes(),
        ".avi": make_video(folder / "a.avi", 30, codec="mpeg4").read_bytes(),
        ".mkv": make_video(folder / "a.mkv", 30).read_bytes(),
    }
    settings = Settings(
        library,
        cache=folder / "cache",
        searches_a_minute=10**6,
        upload_bytes=2_000_000,
        most_uploads=10**6,
    )
    with (
        pytest.MonkeyPatch.context() as patch,
        TestClient(create_app(settings), LOCAL, raise_server_exceptions=False) as client,
    ):
        patch.setattr(tempfile, "tempdir", str(temporary))
        served = Served(client, temporary, library, whole)
        yield served
        end_all(client)
        kept = {path.name for path in (library / "uploads").iterdir()}
        listed = client.get(
            "/api/videos", params={"folder": str(library / "uploads"), "limit": 500}
        ).json()
        assert kept >= {item["name"] for item in listed["items"]}
        assert len(kept) == listed["total"], "what can not be read is not kept"


def running(client: TestClient) -> list[dict[str, Any]]:
    return [job for job in client.get("/api/jobs").json() if job["state"] == "running"]


def end_all(client: TestClient) -> None:
    """A video whose job is cancelled before it is indexed is not kept."""
    while jobs := running(client):
        for job in jobs:
            client.delete(f"/api/jobs/{job['id']}")


@pytest.mark.parametrize("name", [n for n in SAID if n not in ("pipe.mp4", "link.mp4")])
def test_every_broken_file(served: Served, broken: dict[str, Path], name: str) -> None:
    content = broken[name].read_bytes()
    codes = [answer.status_code for answer in served.send(content, name)]
    if name in READABLE:
        assert codes == [200, 200, 202]
    elif name == "bomb.mp4":
        assert codes == [413, 413, 413]
    else:
        assert codes == [422, 422, 422]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_broken(tmp_path_factory.mktemp("broken") / "files")


def test_a_small_file_that_says_it_lasts_for_weeks(served: Served, tmp_path: Path) -> None:
    times = [*(number / 25 for number in range(30)), 1e6]
    path = make_video(tmp_path / "weeks.mkv", 31, times_seconds=times)
    files = {"file": ("weeks.mkv", path.read_bytes())}
    kept = served.check(served.client.post("/api/uploads", files=files))
    assert "weeks.mkv says that it lasts 278 hours" in kept.json()["detail"]
    found = served.check(served.client.post("/api/search", files=files))
    assert "weeks.mkv says that it lasts 278 hours" in found.json()["detail"]


NAMES = [
    "../../../etc/passwd",
    "..",
    "/",
    "\\\\host\\share\\a.mp4",
    "a\x00b.mp4",
    "a\r\nX-Injected: 1.mp4",
    'a"; filename="b.mp4',
    "%2e%2e%2f%2e%2e%2fa.mp4",
    "a" * 10_000 + ".mp4",
    "日本語.mp4",
    "\u202egpj.mp4",
    ".mp4",
    "CON",
    "a.mp4/..",
    "a." + "b" * 300,
]


@pytest.mark.parametrize("name", NAMES)
def test_every_strange_name(served: Served, name: str) -> None:
    for answer in served.send(served.whole[".mp4"], name):
        assert answer.status_code in ((200, 202) if len(name) < 5000 else (400,))
    for answer in served.send(b"junk", name):
        assert answer.status_code == (422 if len(name) < 5000 else 400)
    assert not (served.library.parent / "passwd").exists()


@pytest.mark.parametrize("kind", ["", "text/html", "application/json", "x" * 5000])
def test_what_kind_it_is_said_to_be_is_not_asked(served: Served, kind: str) -> None:
    for answer in served.send(served.whole[".mp4"], kind=kind):
        assert answer.status_code in ((200, 202) if len(kind) < 5000 else (400,))


FIELD = b'--b\r\nContent-Disposition: form-data; name="label"\r\n\r\n'
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
BODIES: dict[str, tuple[dict[str, str], bytes]] = {
    "nothing": ({}, b""),
    "json": ({"Content-Type": "application/json"}, b"{}"),
    "no form at all": ({"Content-Type": "video/mp4"}, b"\0" * 1000),
    "a form without a file": ({"Content-Type": "application/x-www-form-urlencoded"}, b"file=a"),
    "a large form": ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=" + bytes(10**7)),
    "no boundary": ({"Content-Type": "multipart/form-data"}, PART),
    "another boundary": ({"Content-Type": "multipart/form-data; boundary=c"}, PART),
    "a long boundary": ({"Content-Type": f"multipart/form-data; boundary={'b' * 5000}"}, PART),
    "an empty form": (HEAD, b"--b--\r\n"),
    "cut in the head": (HEAD, PART[:30]),
    "cut in the file": (HEAD, PART + b"\0" * 1000),
    "a text for a file": (HEAD, FIELD.replace(b"label", b"file") + b"a\r\n--b--"),
    "a part without a name": (HEAD, b"--b\r\nContent-Disposition: form-data\r\n\r\na\r\n--b--"),
    "a head of 1 MB": (HEAD, b"--b\r\nX: " + b"a" * 10**6 + b"\r\n\r\n\r\n--b--"),
    "5000 fields": (
        HEAD,
        b"".join(FIELD.replace(b"label", b"%d" % n) + b"a\r\n" for n in range(5000)) + b"--b--",
    ),
    "5000 files": (HEAD, (PART + b"\r\n") * 5000 + b"--b--"),
    "a field of 2 MB": (HEAD, FIELD + b"a" * 2 * 10**6 + b"\r\n--b--"),
    "too large": (HEAD, PART + bytes(4_000_000) + b"\r\n--b--"),
    "a size that is none": (HEAD | {"Content-Length": "-5"}, PART),
    "a size of 10 TB": (HEAD | {"Content-Length": str(10**13)}, PART),
}


# Starlette leaves the file of a part that is cut to the garbage collector, which warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("route", ROUTES)
def test_what_is_no_form_with_a_file(served: Served, route: str, what: str) -> None:
    headers, content = BODIES[what]
    answer = served.check(served.client.post(route, content=content, headers=headers))
    assert answer.status_code in (400, 413, 422)


fuzz = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
deeper = settings(fuzz, max_examples=100, derandomize=False)


@given(st.binary(max_size=3000), st.text(max_size=20))
@fuzz
def test_random_bytes(served: Served, content: bytes, name: str) -> None:
    served.send(content, name or "a")


@dataclass(frozen=True)
class Harm:
    """What is done to a real video. cut, ones: shares of its length; bits: how many fall over."""

    suffix: str
    cut: float | None
    ones: float | None
    bits: int
    seed: int

    def done_to(self, whole: bytes) -> bytes:
        random = np.random.default_rng(self.seed)
        content = bytearray(whole)
        if self.cut is not None:
            del content[int(self.cut * len(content)) :]
        for _ in range(self.bits if content else 0):
            # The first bytes say how large the rest is: that is where harm does most.
            size = min(200, len(content)) if random.random() < 0.5 else len(content)
            content[int(random.integers(size))] ^= 1 << int(random.integers(8))
        if self.ones is not None:
            at = int(self.ones * len(content))
            content[at : at + 8] = b"\xff" * 8
        return bytes(content)


SHARE = st.none() | st.floats(0, 1)
HARM = st.builds(
    Harm,
    suffix=st.sampled_from([".avi", ".mkv", ".mp4"]),
    cut=SHARE,
    ones=SHARE,
    bits=st.integers(0, 30),
    seed=st.integers(0, 2**32),
)


@given(HARM)
@fuzz
def test_real_videos_that_are_damaged(served: Served, harm: Harm) -> None:
    served.send(harm.done_to(served.whole[harm.suffix]), f"a{harm.suffix}")


@pytest.mark.slow
@given(HARM)
@deeper
def test_many_real_videos_that_are_damaged(served: Served, harm: Harm) -> None:
    # An explanation reads the whole of a video: one that says it lasts for years takes a minute.
    routes = ("/api/search", "/api/uploads")
    served.send(harm.done_to(served.whole[harm.suffix]), f"a{harm.suffix}", routes=routes)
