"""One suite for a library on this disk and for the same library behind a server: every call has the
same answer, and the same error."""

from __future__ import annotations

import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bitreel
from bitreel.client import RemoteLibrary
from bitreel.errors import BitreelError, ConfigError, DataError, NotInLibrary, UnreadableVideo
from bitreel.library import AddReport, Fate, Filter, Library, Video, VideoFilter, collect
from bitreel.progress import Step
from command_line import Trained
from live_server import live_server
from media import make_video

Either = Library | RemoteLibrary
KINDS = ("local", "remote")
WANTED = [
    VideoFilter(label="striped-disc-left"),
    VideoFilter(text="DISC"),
    VideoFilter(min_seconds=0.1, max_seconds=1000),
    VideoFilter(text="disc", label="no such label"),
]


@pytest.fixture(scope="module")
def place(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """library/ with a broken file in its ledger and a long video; long.mp4, junk.mp4."""
    folder = tmp_path_factory.mktemp("mirror")
    shutil.copytree(trained.library, folder / "library")
    make_video(folder / "long.mp4", 500)
    (folder / "junk.mp4").write_bytes(b"junk")
    name = os.fsdecode(b"not utf-8 \xff.mp4")
    make_video(folder / name, 20)
    with Library.open(folder / "library", runtime="torch") as library:
        library.add([folder / "long.mp4", folder / "junk.mp4", Video(folder / name, "odd")])
    return folder


@pytest.fixture(scope="module")
def address(place: Path) -> Iterator[str]:
    with live_server(place / "library") as address:
        yield address


@pytest.fixture(params=KINDS)
def library(request: pytest.FixtureRequest, place: Path, address: str) -> Iterator[Either]:
    remote = request.param == "remote"
    with RemoteLibrary(address) if remote else Library.open(place / "library") as library:
        yield library


@pytest.fixture(scope="module")
def here(place: Path) -> Iterator[Library]:
    """What the answers are compared with."""
    with Library.open(place / "library") as library:
        yield library


def test_the_calls_have_the_same_parameters() -> None:
    names = [name for name in vars(RemoteLibrary) if not name.startswith("_")]
    assert {"search", "similar", "list_videos", "ledger", "status", "add", "sync"} <= set(names)
    for name in set(names) - {"upload"}:
        own, local = getattr(RemoteLibrary, name), getattr(Library, name)
        if not isinstance(own, property):
            assert inspect.signature(own) == without_ray(inspect.signature(local)), name


def without_ray(signature: inspect.Signature) -> inspect.Signature:
    """Where a served library encodes is for who serves it."""
    kept = [one for name, one in signature.parameters.items() if name != "ray"]
    return signature.replace(parameters=kept)


def test_facts(library: Either, here: Library) -> None:
    assert (library.bits, library.fingerprint) == (here.bits, here.fingerprint)
    assert library.segmenting == here.segmenting
    assert replace(library.status(), bytes_on_disk=0) == replace(here.status(), bytes_on_disk=0)
    assert library.status().bytes_on_disk > 0


def test_lists(library: Either, here: Library) -> None:
    for wanted in (None, *WANTED):
        for offset, limit in ((0, 50), (3, 2), (0, 1000), (10**6, 5), (0, 0)):
            options: dict[str, int] = {"offset": offset, "limit": limit}
            assert library.list_videos(wanted, **options) == here.list_videos(wanted, **options)
    folder = VideoFilter(folder=here.list_videos()[1][5].path.parent)
    assert library.list_videos(folder) == here.list_videos(folder)
    assert library.list_videos(folder)[0] == 4


def test_more_than_the_server_gives_at_once(
    library: Either, here: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitreel.client.remote._PAGE", 7)
    assert library.list_videos(limit=40) == here.list_videos(limit=40)
    assert library.list_videos(limit=49) == here.list_videos(limit=49)
    assert library.ledger() == here.ledger()
    assert library.ledger(limit=14, offset=3) == here.ledger(limit=14, offset=3)


def test_a_video_and_its_segments(library: Either, here: Library) -> None:
    _, videos = here.list_videos(limit=1000)
    for video in videos:
        found, segments = library.video(video.id)
        assert (found, segments) == here.video(video.id)
        assert len(segments) == video.segments
        assert library.segment(segments[-1].id) == segments[-1]


def test_the_ledger(library: Either, here: Library) -> None:
    for fate in (None, *Fate):
        assert library.ledger(fate) == here.ledger(fate)
        assert library.ledger_count(fate) == len(here.ledger(fate))
    (junk,) = library.ledger(Fate.QUARANTINED)
    assert junk.path.name == "junk.mp4"
    assert library.ledger(text="JUNK") == [junk]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"k": 1},
        {"k": 0},
        {"k": 60, "rerank": True},
        {"recall": 0.9},
        {"start_seconds": 0.1, "end_seconds": 0.3},
        {"exclude_self": True},
        *({"wanted": wanted} for wanted in WANTED),
    ],
    ids=str,
)
def test_searches(
    library: Either, here: Library, trained: Trained, options: dict[str, Any]
) -> None:
    expected = here.search(trained.query, **options)
    assert library.search(trained.query, **options) == expected
    assert library.search(str(trained.query), **options) == expected


def test_a_long_query_and_one_that_is_in_the_library(
    library: Either, here: Library, place: Path
) -> None:
    for path in (place / "long.mp4", place / os.fsdecode(b"not utf-8 \xff.mp4")):
        for leave_out in (False, True):
            found = library.search(path, exclude_self=leave_out)
            assert found == here.search(path, exclude_self=leave_out)
            assert (path in {hit.path for hit in found.hits}) is not leave_out


def test_similar_segments(library: Either, here: Library) -> None:
    _, videos = here.list_videos(limit=1000)
    for video in (videos[0], max(videos, key=lambda video: video.segments)):
        ids = [segment.id for segment in here.video(video.id)[1]]
        for options in ({"k": 3}, {"exclude_self": False}, {"wanted": WANTED[1], "recall": 0.9}):
            given: dict[str, Any] = options
            assert library.similar(ids, **given) == here.similar(ids, **given)


# Errors

WRONG: list[tuple[type[BitreelError], str, Callable[[Either, Path], object]]] = [
    (UnreadableVideo, "junk.mp4 can not be read", lambda x, here: x.search(here / "junk.mp4")),
    (UnreadableVideo, "does not exist", lambda x, here: x.search(here / "gone.mp4")),
    (UnreadableVideo, "mirror", lambda x, here: x.search(here)),
    (ConfigError, "k", lambda x, here: x.search(here / "long.mp4", k=-1)),
    (ConfigError, "recall", lambda x, here: x.search(here / "long.mp4", recall=1.5)),
    (
        ConfigError,
        "range|start_seconds < end_seconds",
        lambda x, here: x.search(here / "long.mp4", start_seconds=2.0, end_seconds=1.0),
    ),
    (ConfigError, "start", lambda x, here: x.search(here / "long.mp4", start_seconds=-1.0)),
    (BitreelError, "long.mp4", lambda x, here: x.search(here / "long.mp4", start_seconds=1000.0)),
    (NotInLibrary, "no video 9999", lambda x, _: x.video(9999)),
    (NotInLibrary, "no segment 9999", lambda x, _: x.segment(9999)),
    (NotInLibrary, "no segment 9999", lambda x, _: x.similar([9999])),
    (ConfigError, "of one video", lambda x, _: x.similar([])),
    (ConfigError, "of one video", lambda x, _: x.similar([1, 2])),
    (DataError, "empty label", lambda x, here: x.add([Video(here / "long.mp4", " ")])),
]


@pytest.mark.parametrize(("kind", "words", "call"), WRONG)
def test_errors(
    library: Either,
    here: Library,
    place: Path,
    kind: type[BitreelError],
    words: str,
    call: Callable[[Either, Path], object],
) -> None:
    with pytest.raises(kind, match=words) as raised:
        call(library, place)
    with pytest.raises(kind) as expected:
        call(here, place)
    assert raised.type is expected.type


# What changes a library: each kind has one of its own, of videos at the same places


@contextmanager
def own_copy(kind: str, library: Path, folders: Path, target: Path) -> Iterator[Either]:
    shutil.copytree(library, target)
    if kind == "local":
        with Library.open(target) as local:
            yield local
        return
    with (
        live_server(target, folders=(folders,), cache=target.parent / "cache") as address,
        RemoteLibrary(address) as remote,
    ):
        yield remote


def run(library: Either, folder: Path, show: Callable[[Step], None]) -> list[AddReport]:
    """A folder that changes, followed by a library."""
    reports = [
        library.add(
            [Video(folder / "a" / "1.mp4", "up"), str(folder / "a" / "bad.mp4"), folder / "gone"],
            progress=show,
        ),
        library.add([folder / "a" / "1.mp4", folder / "a" / "bad.mp4"], retry=True),
        library.add([Video(folder / "a" / "1.mp4", "down")]),
        library.add([]),
        library.sync(collect([folder], labels=True, wanted=Filter(exclude=["3.*"])), progress=show),
    ]
    (folder / "a" / "1.mp4").rename(folder / "a" / "moved.mp4")
    (folder / "a" / "2.mp4").unlink()
    return [*reports, library.sync(collect([folder], labels=True))]


def test_adding_and_following_folders(place: Path, tmp_path: Path) -> None:
    reports, ledgers, steps = [], [], []
    for kind in KINDS:
        folder = tmp_path / "videos"
        for number in (1, 2, 3):
            (folder / "a").mkdir(parents=True, exist_ok=True)
            make_video(folder / "a" / f"{number}.mp4", 20 + number)
            os.utime(folder / "a" / f"{number}.mp4", ns=(10**18, 10**18))
        (folder / "a" / "bad.mp4").write_bytes(b"bad")
        os.utime(folder / "a" / "bad.mp4", ns=(10**18, 10**18))
        (folder / "notes.txt").write_text("no video")
        shown: list[Step] = []
        with own_copy(kind, place / "library", folder, tmp_path / kind / "library") as library:
            reports.append(run(library, folder, shown.append))
            ledgers.append(library.ledger())
        steps.append(shown[-1])
        shutil.rmtree(folder)
    assert reports[0] == reports[1]
    assert [report.added for report in reports[0]] == [1, 0, 0, 0, 1, 1]
    assert reports[0][-1].removed == reports[0][-1].moved == 1
    assert {path.name for path in reports[0][0].failures} == {"bad.mp4", "gone"}
    assert len(ledgers[0]) == len(ledgers[1])
    assert [replace(e, state=None, video_id=None) for e in ledgers[0]] == [  # type: ignore[arg-type]
        replace(e, state=None, video_id=None)  # type: ignore[arg-type]
        for e in ledgers[1]
    ]
    assert (steps[0].stage, steps[0].done, steps[0].total) == (
        steps[1].stage,
        steps[1].done,
        steps[1].total,
    )


def test_one_line_changes() -> None:
    assert bitreel.RemoteLibrary is RemoteLibrary
