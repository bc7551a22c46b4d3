"""Searching among some of the videos: the answers of a slow twin that compares only those."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from library_helpers import BITS, make_video, put_code, rows, tiny_model

from bitreel.clip import Segment
from bitreel.codes import BinaryCodes
from bitreel.library import Library, SearchResults, VideoFilter
from bitreel.library.listing import IndexedVideo
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.search import ExactIndex, LSHIndex, MultiIndex, planner
from bitreel.video import Segmenting

FOLDERS = ("a", "a/b", "ab", "Ä")
LABELS = (None, "run", "jump")
FILTERS = st.builds(
    VideoFilter,
    text=st.sampled_from([None, "", "7.MP4", "a/b", "nothing"]),
    label=st.sampled_from([None, "run", "none"]),
    folder=st.sampled_from([None, *(Path("/nowhere") / folder for folder in FOLDERS)]),
    min_seconds=st.sampled_from([None, 1.5]),
    max_seconds=st.sampled_from([None, 1.5]),
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """120 videos of one segment each, of 15 codes, so that there are many ties."""
    random = np.random.default_rng(5)
    values = BinaryCodes.from_bits(random.integers(0, 2, (15, BITS)).astype(bool)).packed
    with Library.create(tmp_path_factory.mktemp("filter") / "library", tiny_model()) as made:
        for number in range(120):
            name = f"{FOLDERS[number % 4]}/{number}.mp4"
            put_one(made, name, values[random.integers(15)].tobytes(), LABELS[number % 3], number)
        yield made


@pytest.fixture(params=["exact", "mih", "lsh"])
def indexed(
    request: pytest.FixtureRequest, library: Library, monkeypatch: pytest.MonkeyPatch
) -> Library:
    """The library with an index of one kind."""
    monkeypatch.setattr(planner, "MEASURED_FROM", 1)
    monkeypatch.setattr(planner, "WORTH", 1e9 if request.param == "exact" else 0.0)
    library.plan_index(recall=0.5 if request.param == "lsh" else 1.0)
    kinds = {"exact": ExactIndex, "mih": MultiIndex, "lsh": LSHIndex}
    assert isinstance(library._searched.index(0.5), kinds[request.param])
    return library


def put_one(library: Library, name: str, code: bytes, label: str | None, number: int) -> None:
    path = Path("/nowhere") / name
    seconds = 1.0 + number % 2
    record = VideoRecord(
        path,
        FileState(1, 1),
        label,
        duration_seconds=seconds,
        segments=(CodedSegment(Segment(path, 0.0, seconds), code),),
    )
    assert library._catalogue.put(record) == "added"


def fits(wanted: VideoFilter, video: IndexedVideo) -> bool:
    """In other words than SQL's."""
    return (
        (not wanted.text or wanted.text.lower() in str(video.path).lower())
        and wanted.label in (None, video.label)
        and (wanted.folder is None or wanted.folder in video.path.parents)
        and (wanted.min_seconds is None or video.duration_seconds >= wanted.min_seconds)
        and (wanted.max_seconds is None or video.duration_seconds <= wanted.max_seconds)
    )


def twin(library: Library, wanted: VideoFilter, code: bytes) -> list[tuple[int, int]]:
    """(distance_bits, segment_id) of the segments of videos that fit, bit after bit."""
    videos = library.list_videos(limit=1000)[1]
    of_segment = {row[0]: row[1] for row in rows(library.folder, "SELECT * FROM segments")}
    allowed = {video.id for video in videos if fits(wanted, video)}
    found = []
    for segment_id, other in rows(library.folder, "SELECT id, code FROM segments"):
        assert isinstance(segment_id, int)
        assert isinstance(other, bytes)
        if of_segment[segment_id] in allowed:
            bits = sum((a ^ b).bit_count() for a, b in zip(code, other, strict=True))
            found.append((bits, segment_id))
    return sorted(found)


def answers(results: SearchResults) -> list[tuple[int, int]]:
    return [(hit.distance_bits, hit.segment_id) for hit in results.hits]


def code_of(library: Library, segment_id: int) -> bytes:
    ((code,),) = rows(library.folder, f"SELECT code FROM segments WHERE id = {segment_id}")
    assert isinstance(code, bytes)
    return code


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    wanted=FILTERS,
    segment=st.integers(1, 120),
    k=st.sampled_from([1, 5, 200]),
    exclude_self=st.booleans(),
)
def test_only_videos_that_fit_are_answered(
    indexed: Library, wanted: VideoFilter, segment: int, k: int, exclude_self: bool
) -> None:
    results = indexed.similar([segment], k=k, exclude_self=exclude_self, wanted=wanted)
    expected = twin(indexed, wanted, code_of(indexed, segment))
    if exclude_self:
        expected = [pair for pair in expected if pair[1] != segment]
    assert answers(results) == expected[:k]
    assert results.segments == len(expected)


def test_a_file_asks_among_some_too_and_re_ranked(indexed: Library, tmp_path: Path) -> None:
    query = make_video(tmp_path / "query.mp4", 50)
    code: bytes = tiny_model().encode(tiny_model().read(query)).packed[0].tobytes()
    wanted = VideoFilter(label="run", folder=Path("/nowhere/a"))
    expected = twin(indexed, wanted, code)
    assert 5 < len(expected) < 40
    assert answers(indexed.search(query, k=200, wanted=wanted)) == expected
    again = indexed.search(query, k=200, wanted=wanted, rerank=True)
    assert sorted(answers(again)) == expected
    assert again.segments == len(expected)


def test_a_long_query_finds_the_places_that_it_finds_among_all(tmp_path: Path) -> None:
    """A place lies in one video: to leave videos out changes no other place."""
    random = np.random.default_rng(9)
    cut = Segmenting(1.0, 0.5)
    with Library.create(tmp_path / "library", tiny_model(), segmenting=cut) as library:
        for number in range(30):
            path = Path("/nowhere") / f"{number}.mp4"
            packed = BinaryCodes.from_bits(random.random((9, BITS)) < 0.3).packed
            segments = tuple(
                CodedSegment(Segment(path, at / 2, at / 2 + 1), packed[at].tobytes())
                for at in range(9)
            )
            label = LABELS[number % 3]
            library._catalogue.put(
                VideoRecord(path, FileState(1, 1), label, duration_seconds=5.0, segments=segments)
            )
        asked = [segment.id for segment in library.video(4)[1]][:5]
        everything = library.similar(asked, k=1000, exclude_self=False)
        run = library.similar(asked, k=1000, wanted=VideoFilter(label="run"), exclude_self=False)
        assert places(run) == [one for one in places(everything) if one[2] == "run"]
        assert run.segments == 10 * 9
        few = library.similar(asked, k=3, wanted=VideoFilter(label="jump"))
        assert [hit.label for hit in few.hits] == ["jump"] * 3


def places(results: SearchResults) -> list[tuple[Path, float, str | None, float]]:
    return [(hit.path, hit.start_seconds, hit.label, hit.similarity) for hit in results.hits]


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    with Library.create(tmp_path / "library", tiny_model()) as library:
        put_code(library, "half\udcff/one.mp4", bytes(3))
        put_code(library, "half/two.mp4", bytes(3))
        for name, count in (("half\udcff", 1), ("half", 1), ("hal", 0), ("half\udcfe", 0)):
            wanted = VideoFilter(folder=Path("/nowhere") / name)
            assert library.list_videos(wanted)[0] == count
        assert library.list_videos(VideoFilter(text="f\udcff/ONE"))[0] == 1


@pytest.mark.parametrize("folder", ["videos", "videos/", "."])
def test_a_folder_is_meant_from_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    with Library.create(tmp_path / "library", tiny_model()) as library:
        library.add([make_video(tmp_path / "videos" / "one.mp4", 1)])
        monkeypatch.chdir(tmp_path)
        for asked, count in ((folder, 1), ("other", 0)):
            wanted = VideoFilter(folder=Path(asked))
            assert len(library.similar([1], wanted=wanted, exclude_self=False).hits) == count
