"""Videos encoded by Ray's actors: the same codes, whatever happens to those who make them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bad_luck import die_at_call, killed, start
from library_helpers import indexed_codes, make_video, make_videos, rows, tiny_model

from bitreel.errors import BitreelError, ConfigError
from bitreel.library import Fate, Library, RayOptions
from bitreel.library.catalogue import Catalogue
from bitreel.library.urls import list_url
from bitreel.progress import Step
from command_line import Trained, bitreel_process
from running import children

ray = pytest.importorskip("ray", reason="to encode with Ray takes pip install 'bitreel[ray]'")
pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]
COUNT = 24
TWO = RayOptions(actors=2, videos=2)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One that all tests of this file join, of two CPUs."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    made = make_videos(tmp_path_factory.mktemp("videos"), COUNT)
    junk = made[0].with_name("junk.mp4")
    junk.write_bytes(b"junk")
    return [*made[:4], junk, *made[4:]]


@pytest.fixture(scope="module")
def expected(videos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The codes of the default road."""
    folder = tmp_path_factory.mktemp("here") / "library"
    with Library.create(folder, tiny_model()) as library:
        library.add(videos)
    codes = indexed_codes(folder)
    assert len(set(codes.values())) > COUNT // 2
    return codes


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "library", tiny_model()) as made:
        yield made


def actors() -> set[int]:
    """The processes below this one that encode, by their names."""
    found, todo = set(), {os.getpid()}
    while todo:
        process = todo.pop()
        todo |= children(process)
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::") and b"Encoder" in command:
            found.add(process)
    return found


def test_two_actors_give_the_codes_of_the_default_road(
    library: Library, videos: list[Path], expected: dict[str, bytes]
) -> None:
    seen: set[int] = set()
    steps: list[Step] = []

    def told(step: Step) -> None:
        seen.update(actors())
        steps.append(step)

    report = library.add(videos, ray=TWO, progress=told)
    assert (report.added, report.failed) == (COUNT, 1)
    assert "junk.mp4" in next(iter(report.failures.values()))
    assert indexed_codes(library.folder) == expected
    assert len(seen) == 2
    assert [step.done for step in steps] == list(range(1, COUNT + 2))


def test_killed_actors_lose_nothing_and_double_nothing(
    library: Library, videos: list[Path], expected: dict[str, bytes]
) -> None:
    gone: set[int] = set()

    def kill_once(step: Step) -> None:
        if not gone and step.done >= 3:
            gone.update(actors())
            for process in gone:
                os.kill(process, signal.SIGKILL)

    report = library.add(videos, ray=TWO, progress=kill_once)
    assert gone
    assert not gone & actors()
    assert (report.added, report.failed) == (COUNT, 1)
    assert indexed_codes(library.folder) == expected
    assert len(rows(library.folder, "SELECT id FROM segments")) == COUNT


def add_and_die(folder: Path, videos: list[Path]) -> None:
    die_at_call(Catalogue, "put", 6)
    with Library.open(folder) as library:
        library.add(videos, ray=RayOptions(actors=1, videos=2))


def test_a_job_that_was_killed_goes_on_where_it_stopped(
    library: Library, videos: list[Path], expected: dict[str, bytes]
) -> None:
    killed(start(add_and_die, library.folder, videos))
    left = indexed_codes(library.folder)
    before = len([code for code in left.values() if code])
    assert 0 < before < COUNT
    report = library.add(videos, ray=TWO)
    assert report.added + report.unchanged == COUNT
    assert report.unchanged == before
    assert indexed_codes(library.folder) == expected


def test_what_is_known_is_not_encoded_again(
    library: Library, videos: list[Path], expected: dict[str, bytes], tmp_path: Path
) -> None:
    clips = [make_video(tmp_path / "clips" / f"{n}.mp4", n) for n in range(4)]
    library.add(clips)
    before = rows(library.folder, "SELECT id FROM segments WHERE video_id IN (1, 2)")
    moved, touched, changed, same = clips
    moved = moved.rename(tmp_path / "clips" / "moved.mp4")
    os.utime(touched, (1, 1))
    make_video(changed, 9)
    report = library.add([moved, touched, changed, same], ray=TWO)
    assert (report.moved, report.unchanged, report.replaced, report.added) == (1, 2, 1, 0)
    assert rows(library.folder, "SELECT id FROM segments WHERE video_id IN (1, 2)") == before
    assert indexed_codes(library.folder)["2.mp4"] == expected["clip_009.mp4"]


def test_an_actor_that_can_not_be_had_is_told(library: Library, videos: list[Path]) -> None:
    with pytest.raises(ConfigError, match="An actor is to have 64 CPUs and 0 GPUs"):
        library.add(videos, ray=RayOptions(cpus=64))


def test_a_model_that_does_not_run_there_ends_the_job_in_a_sentence(
    library: Library, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitreel.library.ray_actor.__version__", "0.0.1")
    monkeypatch.setattr("bitreel.library.ray_actor.Setup.__init__.__defaults__", ("0.0.1",))
    with pytest.raises(BitreelError, match=r"the job comes from 0\.0\.1: install the same version"):
        library.add(videos, ray=TWO)


def test_a_library_in_milvus(videos: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("milvus_lite", reason="takes pip install 'bitreel[milvus]'")
    model = tiny_model(bits=24)
    places = (str(tmp_path / "here"), f"milvus:{tmp_path / 'there.db'}")
    with Library.create(places[0], model) as here, Library.create(places[1], model) as there:
        here.add(videos)
        assert there.add(videos, ray=TWO).added == COUNT
        assert there.add(videos, ray=TWO).unchanged == COUNT
        found = []
        for library in (here, there):
            catalogue = library._openings.current().catalogue
            found.append([catalogue.segments_of(path) for path in sorted(videos)])
    assert found[0] == found[1]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def test_videos_of_a_web_server(
    library: Library, videos: list[Path], expected: dict[str, bytes]
) -> None:
    pytest.importorskip("aiohttp")
    handler = partial(Quiet, directory=str(videos[0].parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        listed = list(list_url(address))
        report = library.add(listed, ray=TWO)
        assert (report.added, report.failed) == (COUNT, 1)
        assert indexed_codes(library.folder) == expected
        assert library.add(listed, ray=TWO).unchanged == COUNT
        server.shutdown()
    paths = {entry.path.parent for entry in library.ledger(Fate.INDEXED)}
    assert paths == {Path(f"/http:/127.0.0.1:{server.server_port}")}


def test_the_command_starts_ray_by_itself(trained: Trained, tmp_path: Path) -> None:
    there = tmp_path / "there"
    ran = bitreel_process(
        *("index", there, trained.manifest, "--split", "database", "--model", trained.model),
        *("--ray", "--ray-actors", 2, "--json"),
    )
    with Library.open(trained.library) as library:
        assert ran.json["added"] == library.status().videos
    stored = "SELECT path, label, start_seconds, end_seconds, code FROM videos JOIN segments "
    stored += "ON video_id = videos.id ORDER BY path, start_seconds"
    assert rows(there, stored) == rows(trained.library, stored)
