"""What other processes and bad luck do to a library: kills, two writers, locks, a full disk."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from bad_luck import PROCESSES, die_at_call, finish, killed, start
from library_helpers import indexed_codes, make_video, make_videos, put_code, rows, tiny_model

import bitreel.model.folder
from bitreel.errors import LibraryError
from bitreel.library import AddReport, Fate, Library, Video, connection
from bitreel.library.catalogue import Catalogue
from bitreel.model import Model
from bitreel.progress import Step

COUNT = 10


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    made = make_videos(tmp_path_factory.mktemp("videos"), COUNT)
    junk = made[0].with_name("junk.mp4")
    junk.write_bytes(b"junk")
    return [*made[:4], junk, *made[4:]]


@pytest.fixture(scope="module")
def expected(videos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run that nobody disturbs leaves behind."""
    folder = tmp_path_factory.mktemp("undisturbed") / "library"
    child = start(add_all, folder, videos)
    finish(child)
    codes = indexed_codes(folder)
    assert len(set(codes.values())) > COUNT // 2
    return codes


# What children do


def add_all(
    folder: Path, videos: list[Path], told: Connection | None = None, pause_seconds: float = 0
) -> None:
    def tell(step: Step) -> None:
        time.sleep(pause_seconds)
        if told is not None:
            told.send(step.done)

    with Library.open_or_create(folder, tiny_model()) as library:
        library.add(videos, progress=tell)


def add_and_die(folder: Path, videos: list[Path], name: str, nth: int) -> None:
    die_at_call(Catalogue, name, nth)
    add_all(folder, videos)


def create_and_die(folder: Path, owner: str, name: str) -> None:
    die_at_call(
        {"catalogue": Catalogue, "model": Model, "module": bitreel.model.folder}[owner], name, 1
    )
    Library.create(folder, tiny_model())


def add_all_at_once(folder: Path, videos: list[Path], barrier: Barrier) -> None:
    tiny_model()
    barrier.wait(60)
    add_all(folder, videos)


# Kills


@pytest.mark.parametrize(
    ("name", "nth"),
    [("put", 4), ("_put_video", 4), ("_put_segments", 4), ("_put_segment", 4)],
)
def test_a_kill_within_a_video_loses_that_video_and_no_more(
    tmp_path: Path, videos: list[Path], expected: dict[str, bytes], name: str, nth: int
) -> None:
    folder = tmp_path / "library"
    killed(start(add_and_die, folder, videos, name, nth))
    left = indexed_codes(folder)
    assert left == {video.name: expected[video.name] for video in videos[:3]}
    with Library.open(folder, model=tiny_model()) as library:
        report = library.add(videos)
    assert (report.added, report.unchanged, report.failed) == (COUNT - 3, 3, 1)
    assert indexed_codes(folder) == expected
    ids = [row[0] for row in rows(folder, "SELECT id FROM segments ORDER BY id")]
    assert ids == list(range(1, COUNT + 1)), "the same ids too, so the same order of ties"


def test_kills_at_any_moment(
    tmp_path: Path, videos: list[Path], expected: dict[str, bytes]
) -> None:
    folder = tmp_path / "library"
    dice = random.Random(5)
    counts = [0]
    committed: dict[str, bytes] = {}
    while counts[-1] < COUNT:
        here, there = PROCESSES.Pipe(duplex=False)
        child = start(add_all, folder, videos, there)
        there.close()
        with here:
            assert here.poll(60)
            here.recv()  # it has done with one video at least
            time.sleep(dice.uniform(0, 0.03))
            child.kill()
            child.join(60)
        left = indexed_codes(folder)
        assert left.items() >= committed.items(), "what was committed is there"
        assert left.items() <= expected.items(), "what is there is whole and right"
        counts.append(len(left))
        committed = left
    assert len(set(counts)) > 2, f"it was killed midway: {counts}"
    with Library.open(folder, model=tiny_model()) as library:
        library.add(videos)
        assert indexed_codes(folder) == expected
        assert [e.path.name for e in library.ledger(Fate.QUARANTINED)] == ["junk.mp4"]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("catalogue", "transaction"),
        ("model", "save"),
        ("module", "save_file"),
        ("catalogue", "lay_out"),
        ("catalogue", "use_write_ahead_log"),
    ],
)
def test_a_kill_while_a_library_is_made(tmp_path: Path, owner: str, name: str) -> None:
    folder = tmp_path / "library"
    killed(start(create_and_die, folder, owner, name))
    made = name == "use_write_ahead_log"
    assert Library.exists(folder) == made
    if not made:
        with pytest.raises(LibraryError, match=r"broken off .* make one with `bitreel index"):
            Library.open(folder)
    with Library.open_or_create(folder, tiny_model()) as library:
        assert library.add([make_video(tmp_path / "a.mp4")]) == AddReport(added=1)
    assert sorted(p.name for p in folder.iterdir()) == ["catalogue.sqlite", "model"]
    assert rows(folder, "PRAGMA journal_mode") == [("wal",)]
    with Library.open(folder) as library:
        assert library.model.fingerprint == tiny_model().fingerprint


# More than one process


def test_two_that_make_and_fill_one_library_at_once(
    tmp_path: Path, videos: list[Path], expected: dict[str, bytes]
) -> None:
    folder = tmp_path / "library"
    barrier = PROCESSES.Barrier(3)
    orders = [videos, videos[::-1], videos[5:] + videos[:5]]
    children = [start(add_all_at_once, folder, order, barrier) for order in orders]
    for child in children:
        finish(child)
    assert indexed_codes(folder) == expected
    assert rows(folder, "SELECT count(*) FROM videos") == [(len(videos),)]
    assert sorted(p.name for p in folder.iterdir()) == ["catalogue.sqlite", "model"]


def test_a_reader_while_another_process_writes(
    tmp_path: Path, videos: list[Path], expected: dict[str, bytes]
) -> None:
    folder = tmp_path / "library"
    with Library.create(folder, tiny_model()) as reader:
        child = start(add_all, folder, videos, None, 0.05)
        seen, deadline = [0], time.monotonic() + 60
        while seen[-1] < COUNT and time.monotonic() < deadline:
            results = reader.search(videos[0], k=100)
            assert len(results.hits) == results.segments
            seen.append(results.segments)
        finish(child)
    assert seen == sorted(seen), "nothing that was there is gone"
    assert seen[-1] == COUNT
    assert len(set(seen)) > 2, "the reader saw the library grow"


def test_two_writers_of_one_changed_file_write_it_once(tmp_path: Path) -> None:
    """Both see that it is new and both encode it: the second finds it done."""
    video = make_video(tmp_path / "a.mp4")
    model = tiny_model()
    with (
        Library.create(tmp_path / "library", model) as one,
        Library.open(tmp_path / "library", model=model) as other,
    ):
        nested: list[AddReport] = []
        original = model.features_of

        def features_of(clips: Any) -> Any:
            if not nested:
                nested.append(AddReport())
                nested[0] = other.add([video])
            return original(clips)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(model, "features_of", features_of)
            assert one.add([video]) == AddReport(unchanged=1)
    assert nested == [AddReport(added=1)]
    assert len(indexed_codes(tmp_path / "library")) == 1


# Locks and disks


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "library", tiny_model()) as made:
        yield made


def test_readers_do_not_wait_for_a_writer_and_see_whole_transactions(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WAIT_SECONDS", 0.1)
    query = make_video(tmp_path / "query.mp4")
    put_code(library, "before", bytes(3))
    with Library.open(library.folder, model=tiny_model()) as reader:
        with library._catalogue.transaction(write=True):
            put_code(library, "within", bytes(3))
            assert [h.path.name for h in reader.search(query).hits] == ["before"]
            assert reader.status().videos == 1
            with Library.open(library.folder) as late:
                assert late.status().videos == 1
        assert [h.path.name for h in reader.search(query).hits] == ["before", "within"]


def test_a_lock_that_is_held_for_long(
    tmp_path: Path, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WAIT_SECONDS", 0.2)
    folder = tmp_path / "library"
    with Library.create(folder, tiny_model()) as library:
        with closing(sqlite3.connect(folder / "catalogue.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(LibraryError, match=r"another process.*try again"):
                library.add(videos)
            assert time.monotonic() - began > 0.2, "it waited"
            other.execute("ROLLBACK")
        assert library.add(videos).added == COUNT


def test_a_lock_that_is_held_for_a_moment(library: Library, videos: list[Path]) -> None:
    other = sqlite3.connect(library.folder / "catalogue.sqlite", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, lambda: other.execute("ROLLBACK"))
    timer.start()
    with closing(other):
        assert library.add(videos).added == COUNT
        timer.join()


def test_a_library_on_a_slow_disk_is_read_while_it_is_written(
    tmp_path: Path,
    videos: list[Path],
    expected: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every statement takes its time. Searches see whole videos, more and more of them."""
    folder, real = tmp_path / "library", Catalogue._execute

    def slowly(catalogue: Catalogue, sql: str, *values: object) -> None:
        time.sleep(0.01)
        real(catalogue, sql, *values)

    monkeypatch.setattr(Catalogue, "_execute", slowly)
    seen: list[int] = []
    with Library.create(folder, tiny_model()) as library:
        writer = threading.Thread(target=library.add, args=(videos,))
        writer.start()
        with Library.open(folder, model=tiny_model()) as reader:
            while writer.is_alive():
                status = reader.status()
                assert status.videos == status.segments, "no video is half there"
                seen.append(status.videos)
        writer.join()
    assert seen == sorted(seen)
    assert len(set(seen)) > 2, f"it was read meanwhile: {seen}"
    assert indexed_codes(folder) == expected


def test_a_full_disk_keeps_what_was_done_and_goes_on_when_there_is_room(
    library: Library, videos: list[Path], expected: dict[str, bytes]
) -> None:
    # Labels so long that each takes two pages of its own. Ten pages are left.
    labelled = [Video(video, "label " * 1000) for video in videos]
    catalogue = library._catalogue
    pages = catalogue._value("PRAGMA page_count")
    catalogue._execute(f"PRAGMA max_page_count = {pages + 10}")
    with pytest.raises(LibraryError, match=r"disk .* is full: make room .* is kept"):
        library.add(labelled)
    kept = indexed_codes(library.folder)
    assert 0 < len(kept) < COUNT
    assert kept.items() <= expected.items()
    assert library.status().videos == len(kept), "it can still be read"
    catalogue._execute("PRAGMA max_page_count = 1000000")
    report = library.add(labelled)
    assert (report.unchanged, report.added) == (len(kept), COUNT - len(kept))
    assert indexed_codes(library.folder) == expected
