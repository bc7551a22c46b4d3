"""Long videos: segments in a library, and places in the answers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from library_helpers import BITS, make_video, make_videos, put_code, rows, tiny_model
from numpy.typing import NDArray

from bitreel.clip import Clip, Segment
from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError, LibraryError, VideoError
from bitreel.library import Hit, Library, adding
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.library.schema import SCHEMA_VERSION
from bitreel.model import Model
from bitreel.video import WHOLE_VIDEOS, Segmenting, write_video
from media import damage_bytes

SMALL = Segmenting(1.0, 0.5)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "library", tiny_model(), segmenting=SMALL) as made:
        yield made


def scene(number: int, frames: int) -> NDArray[np.uint8]:
    """A slowly moving pattern that depends on `number` alone."""
    random = np.random.default_rng(number)
    blocks = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    picture = blocks.repeat(16, axis=0).repeat(16, axis=1)
    return np.stack([np.roll(picture, t // 8, axis=number % 2) for t in range(frames)])


def make_long(path: Path, scenes: dict[int, int]) -> Path:
    """A video of scenes: their numbers, and how many frames (25 a second) each takes."""
    return write_video(path, np.concatenate([scene(n, count) for n, count in scenes.items()]))


def code(*ones: int) -> NDArray[np.bool_]:
    bits = np.zeros(BITS, np.bool_)
    bits[list(ones)] = True
    return bits


def put_segments(
    library: Library, name: str, distances: list[int], *, stride: float = 2.0, window: float = 4.0
) -> list[int]:
    """A video that was never there, whose segments have so many ones. Their ids."""
    path = Path("/nowhere") / name
    bits = np.stack([code(*range(distance)) for distance in distances])
    packed = BinaryCodes.from_bits(bits).packed
    segments = [
        CodedSegment(Segment(path, k * stride, k * stride + window), row.tobytes())
        for k, row in enumerate(packed)
    ]
    record = VideoRecord(
        path, FileState(1, 1), duration_seconds=segments[-1].segment.end_seconds, segments=segments
    )
    assert library._catalogue.put(record) == "added"
    return [
        int(row[0])  # type: ignore[call-overload]
        for row in rows(
            library.folder,
            f"SELECT segments.id FROM segments JOIN videos ON videos.id = video_id "
            f"WHERE path = '{path}' ORDER BY start_seconds",
        )
    ]


@pytest.fixture
def ask_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every query is taken for one whose relaxed bits are all 0, once for each of its segments:
    the ones of a code are then its distance."""
    monkeypatch.setattr(
        tiny_model(), "relaxed_bits", lambda streams: np.zeros((len(streams[0]), BITS), np.float32)
    )


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("queries") / "short.mp4", 50)


def spans(hits: tuple[Hit, ...]) -> list[tuple[str, float, float, int]]:
    return [(h.path.name, h.start_seconds, h.end_seconds, h.distance_bits) for h in hits]


# What is stored


def test_every_segment_has_the_code_of_its_range(library: Library, tmp_path: Path) -> None:
    video = make_long(tmp_path / "long.mp4", {1: 60, 2: 40})
    short = make_video(tmp_path / "short.mp4", 3)
    report = library.add([video, short])
    assert report.added == 2
    assert (library.status().videos, library.status().segments) == (2, 6)
    model = tiny_model()
    stored = rows(
        library.folder,
        f"SELECT start_seconds, end_seconds, code FROM segments JOIN videos "
        f"ON videos.id = video_id WHERE path = '{video.resolve()}' ORDER BY start_seconds",
    )
    assert [row[:2] for row in stored] == [(0, 1), (0.5, 1.5), (1, 2.4), (2.4, 3.4), (2.9, 4)]
    for start, end, packed in stored:
        assert isinstance(start, float)
        assert isinstance(end, float)
        clip = model.read(video, start_seconds=start, end_seconds=end)
        assert model.encode(clip).packed[0].tobytes() == packed
    assert library.status().seconds == pytest.approx(4 + 8 / 25)
    assert library.add([video, short]).unchanged == 2


def test_a_library_of_whole_videos(tmp_path: Path) -> None:
    video = make_long(tmp_path / "long.mp4", {1: 200})
    folder = tmp_path / "library"
    with Library.create(folder, tiny_model(), segmenting=WHOLE_VIDEOS) as library:
        library.add([video])
        assert rows(folder, "SELECT start_seconds, end_seconds FROM segments") == [(0, 8)]
        results = library.search(video)
        assert (results.query_segments, results.hits[0].distance_bits) == (1, 0)


def test_a_library_keeps_to_its_segmenting(library: Library) -> None:
    with Library.open(library.folder, segmenting=SMALL) as again:
        assert again.segmenting == again.status().segmenting == SMALL
        assert again.status().to_json()["segmenting"]["window_seconds"] == 1.0
    with pytest.raises(ConfigError, match=r"made of windows of 1 s every 0\.5 s, cut.* every 2 s"):
        Library.open(library.folder, segmenting=Segmenting())
    with pytest.raises(ConfigError, match="whole videos: all its segments are made in one way"):
        Library.open_or_create(library.folder, tiny_model(), segmenting=WHOLE_VIDEOS)
    with Library.open_or_create(library.folder, tiny_model()) as again:
        assert again.segmenting == SMALL


@pytest.mark.parametrize("value", ["", "{", "[]", '{"window_seconds": 99}', '{"shot": 1}'])
def test_a_segmenting_that_is_none(library: Library, value: str) -> None:
    library._catalogue._execute("UPDATE meta SET value = ? WHERE key = 'segmenting'", value)
    with pytest.raises(LibraryError, match="does not say how its videos are cut into segments"):
        Library.open(library.folder)


def test_a_changed_video_has_its_new_segments_and_no_old_ones(
    library: Library, tmp_path: Path
) -> None:
    video = make_long(tmp_path / "a.mp4", {1: 100})
    library.add([video])
    before = {row[0] for row in rows(library.folder, "SELECT id FROM segments")}
    assert len(before) == 6 + 1
    make_long(video, {1: 50, 2: 30})
    assert library.add([video]).replaced == 1
    after = {row[0] for row in rows(library.folder, "SELECT id FROM segments")}
    assert len(after) == 4
    assert not before & after


def test_reading_that_fails_midway_keeps_what_was_read(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_long(tmp_path / "a.mp4", {1: 100})
    original = adding.read_clips  # type: ignore[attr-defined]

    def failing(model: Model, path: Path, segmenting: Segmenting, **options: Any) -> Iterator[Clip]:
        for count, clip in enumerate(original(model, path, segmenting, **options)):
            if count == 3:
                raise VideoError(f"{path} went away.")
            yield clip

    monkeypatch.setattr(adding, "read_clips", failing)
    report = library.add([video])
    assert (report.added, report.failed) == (1, 0)
    assert report.damaged == {video.resolve(): f"{video.resolve()} went away."}
    assert rows(library.folder, "SELECT max(end_seconds), count(*) FROM segments") == [(2, 3)]


def test_the_damage_of_all_segments_is_told_once(library: Library, tmp_path: Path) -> None:
    whole = make_long(tmp_path / "a.ts", {1: 100, 2: 100})
    harmed = damage_bytes(whole, tmp_path / "harmed.ts", 0.4, 0.45)
    report = library.add([harmed])
    told = report.damaged[harmed.resolve()]
    assert told.count("packets refused") == 1
    assert library.search(harmed).damage == told


# Places


@pytest.mark.usefixtures("ask_zeros")
def test_segments_that_follow_each_other_are_one_place(library: Library, short: Path) -> None:
    ids = put_segments(library, "a.mp4", [9, 9, 3, 2, 3, 9, 9])
    (hit, *others) = library.search(short).hits
    assert (hit.start_seconds, hit.end_seconds, hit.distance_bits) == (4, 12, 2)
    assert (hit.segment_id, hit.similarity) == (ids[3], 1 - 2 / BITS)
    # What overlaps it shows the same moments; what only touches it is another place.
    assert spans(tuple(others)) == [("a.mp4", 0, 4, 9), ("a.mp4", 12, 16, 9)]


@pytest.mark.usefixtures("ask_zeros")
def test_a_place_ends_where_the_distance_rises(library: Library, short: Path) -> None:
    """By more than a sixteenth of the bits, here one."""
    put_segments(library, "a.mp4", [5, 3, 2, 4, 9], stride=4)
    assert spans(library.search(short).hits) == [
        ("a.mp4", 4, 12, 2),
        ("a.mp4", 12, 16, 4),
        ("a.mp4", 0, 4, 5),
        ("a.mp4", 16, 20, 9),
    ]


@pytest.mark.usefixtures("ask_zeros")
def test_places_do_not_grow_over_gaps_or_into_each_other(library: Library, short: Path) -> None:
    put_segments(library, "gap.mp4", [1, 1], stride=5)
    assert spans(library.search(short).hits) == [
        ("gap.mp4", 0, 4, 1),
        ("gap.mp4", 5, 9, 1),
    ]
    put_segments(library, "two.mp4", [0, 3, 2, 2, 0])
    assert spans(library.search(short, k=2).hits) == [("two.mp4", 0, 4, 0), ("two.mp4", 8, 12, 0)]
    assert len(library.search(short, k=5).hits) == 5, "and 4 to 8, between them"


@pytest.mark.usefixtures("ask_zeros")
@pytest.mark.parametrize("k", [1, 3, 7])
def test_as_many_places_as_asked_for_come_out(library: Library, short: Path, k: int) -> None:
    """Though the nearest 200 segments are of one place."""
    put_segments(library, "long.mp4", [1] * 200)
    for number in range(9):
        put_code(library, f"{number}.mp4", BinaryCodes.from_bits(code(*range(5))[None]).packed[0])
    hits = library.search(short, k=k).hits
    assert len(hits) == k
    assert spans(hits[:1]) == [("long.mp4", 0, 402, 1)]
    assert hits == library.search(short, k=10).hits[:k]
    assert library.search(short, k=100).segments == 209


@pytest.mark.usefixtures("ask_zeros")
def test_all_segments_of_the_query_itself_are_left_out(library: Library, tmp_path: Path) -> None:
    video = make_long(tmp_path / "a.mp4", {1: 100})
    library.add([video])
    put_segments(library, "other.mp4", [4, 4, 4])
    results = library.search(video, exclude_self=True)
    assert spans(results.hits) == [("other.mp4", 0, 8, 4)]
    assert results.segments == 3


def test_reranked_places(library: Library, tmp_path: Path) -> None:
    video = make_long(tmp_path / "a.mp4", dict.fromkeys(range(8), 50))
    library.add([video, *make_videos(tmp_path / "more", 5)])
    for start, end in ((4.0, 5.0), (2.0, None)):
        hits = library.search(video, k=5, rerank=True, start_seconds=start, end_seconds=end).hits
        assert hits[0].path == video.resolve()
        distances = [hit.asymmetric_bits for hit in hits]
        assert None not in distances
        assert distances == sorted(distances, key=lambda d: d or 0)
        for hit in hits:
            assert hit.similarity == pytest.approx(1 - (hit.asymmetric_bits or 0) / BITS)


# Queries


def test_a_range_of_a_long_video_finds_its_place(library: Library, tmp_path: Path) -> None:
    video = make_long(tmp_path / "a.mp4", {n: 40 + n for n in range(10)})
    library.add([video])
    results = library.search(video, start_seconds=4.91, end_seconds=6.0)
    assert (results.start_seconds, results.end_seconds) == (4.91, 6.0)
    assert results.query_segments == 1
    hit = results.hits[0]
    assert hit.start_seconds < 6
    assert hit.end_seconds > 4.91


def slow_mean(library: Library, query: Path, hit: Hit) -> float:
    """Of all segments of the query to all of the place, bit by bit."""
    model = tiny_model()
    parts = adding.read_clips(model, query, library.segmenting)  # type: ignore[attr-defined]
    asked = [model.encode(clip).packed[0].tobytes() for clip in parts]
    found = rows(
        library.folder,
        f"SELECT code FROM segments JOIN videos ON videos.id = video_id "
        f"WHERE path = '{hit.path}' AND start_seconds >= {hit.start_seconds} "
        f"AND end_seconds <= {hit.end_seconds}",
    )
    held = [row[0] for row in found if isinstance(row[0], bytes)]
    nearest = [
        min(sum(bin(a ^ b).count("1") for a, b in zip(one, other, strict=True)) for other in held)
        for one in asked
    ]
    return sum(nearest) / len(nearest)


def test_a_long_query_is_asked_segment_by_segment(library: Library, tmp_path: Path) -> None:
    """The place is as far as the mean of the nearest to each segment of the query."""
    for number in range(6):
        library.add([make_long(tmp_path / f"{number}.mp4", {number + k: 60 for k in range(4)})])
    query = make_long(tmp_path / "query.mp4", {2: 60, 3: 60, 4: 60})
    results = library.search(query, k=20)
    assert results.query_segments == 9
    assert results.start_seconds == 0
    assert results.end_seconds == pytest.approx(7.2)
    means = [slow_mean(library, query, hit) for hit in results.hits]
    assert means == sorted(means)
    for hit, mean in zip(results.hits, means, strict=True):
        assert hit.similarity == pytest.approx(1 - mean / BITS)
        assert hit.distance_bits == int(mean + 0.5)


def test_a_common_title_does_not_come_before_the_whole(library: Library, tmp_path: Path) -> None:
    """Every video begins with one scene; one holds all of the query, coded anew."""
    for number in range(10):
        scenes = {99: 40, 10 + number: 50, 30 + number: 50}
        library.add([make_long(tmp_path / f"{number}.mp4", scenes)])
    query = write_video(
        tmp_path / "query.mp4",
        np.concatenate([scene(99, 40), scene(17, 50), scene(37, 50)]),
        codec="mpeg4",
    )
    hits = library.search(query, k=3).hits
    assert hits[0].path.name == "7.mp4"
    assert hits[0].distance_bits < hits[1].distance_bits


def plant(folder: Path, scenes: int) -> tuple[Path, list[int], list[float]]:
    """A long video of many scenes, of how many frames each is, and when it begins."""
    lengths = np.random.default_rng(0).integers(50, 120, scenes).tolist()
    starts = np.cumsum([0, *lengths])[:-1] / 25
    frames = (frame for n, count in enumerate(lengths) for frame in scene(n, count))
    path = write_video(folder / "long.mp4", frames, options={"preset": "ultrafast"})
    return path, lengths, starts.tolist()


@pytest.mark.parametrize("scenes", [30, pytest.param(1060, marks=pytest.mark.slow)])
def test_planted_scenes_are_found_at_their_time(scenes: int, tmp_path: Path) -> None:
    """Of an hour at full length. The queries are coded anew, by another codec."""
    video, lengths, starts = plant(tmp_path, scenes)
    model = tiny_model(bits=64 if scenes < 100 else 256)
    with Library.create(tmp_path / "library", model) as library:
        library.add([video])
        assert library.status().segments >= scenes
        for number in np.random.default_rng(1).permutation(scenes)[:20].tolist():
            query = write_video(
                tmp_path / "query.mp4", scene(number, lengths[number]), codec="mpeg4"
            )
            hit = library.search(query, k=1).hits[0]
            window = library.segmenting.window_seconds
            assert abs(hit.start_seconds - starts[number]) <= window, number


# Versions


def as_schema_1(library: Library) -> Path:
    library.close()
    import sqlite3
    from contextlib import closing

    path = library.folder / "catalogue.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM meta WHERE key = 'segmenting'")
        connection.execute("DROP INDEX videos_of_content")
        connection.execute("ALTER TABLE videos DROP COLUMN content")
        connection.execute("ALTER TABLE videos DROP COLUMN skipped")
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
        connection.commit()
    return library.folder


def test_a_library_of_schema_1_is_brought_up_to_date_and_kept(tmp_path: Path) -> None:
    video = make_long(tmp_path / "a.mp4", {1: 200})
    with Library.create(tmp_path / "library", tiny_model(), segmenting=WHOLE_VIDEOS) as old:
        old.add([video])
    folder = as_schema_1(old)
    before = rows(folder, "SELECT * FROM segments")
    for _ in range(2):
        with Library.open(folder) as library:
            assert library.segmenting == WHOLE_VIDEOS
            assert library.search(video).hits[0].distance_bits == 0
            assert library.add([video]).unchanged == 1
    names = ["catalogue.backup-1.sqlite", "catalogue.sqlite", "model"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert rows(folder, "SELECT * FROM segments") == before
    assert rows(folder, "SELECT value FROM meta WHERE key = 'schema_version'") == [
        (str(SCHEMA_VERSION),)
    ]
    (folder / "catalogue.backup-1.sqlite").replace(folder / "catalogue.sqlite")
    assert rows(folder, "SELECT value FROM meta WHERE key = 'schema_version'") == [("1",)]
    assert rows(folder, "SELECT * FROM segments") == before


def test_without_room_for_a_copy_nothing_is_changed(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = as_schema_1(library)
    monkeypatch.setattr(
        "bitreel.library.migration.backup_path", lambda *_: folder / "gone" / "copy.sqlite"
    )
    with pytest.raises(LibraryError, match=r"earlier version .* no copy of it .* Make room"):
        Library.open(folder)
    assert rows(folder, "SELECT value FROM meta WHERE key = 'schema_version'") == [("1",)]
    monkeypatch.undo()
    with Library.open(folder) as again:
        assert again.segmenting == WHOLE_VIDEOS


def test_segments_of_a_video_are_in_the_order_of_time(library: Library, tmp_path: Path) -> None:
    library.add([make_long(tmp_path / "a.mp4", {1: 60, 2: 60})])
    (first,) = rows(library.folder, "SELECT min(id) FROM segments")[0]
    assert isinstance(first, int)
    video = library._catalogue.neighbours(first, bits=BITS)
    assert all(a < b for a, b in pairwise(video.starts_seconds.tolist()))
    assert len(video.codes) == len(video.ids) == library.status().segments
    with pytest.raises(LibraryError, match="no segment 999: search again"):
        library._catalogue.neighbours(999, bits=BITS)
