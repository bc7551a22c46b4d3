"""Searching: the answers of a slow twin, in one order, of what is in the library now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from library_helpers import BITS, make_video, make_videos, put_code, rows, tiny_model

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError, UnreadableVideo, VideoError
from bitreel.library import Hit, Library, SearchResults, Video


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "library", tiny_model()) as made:
        yield made


@pytest.fixture(scope="module")
def query(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("queries") / "query.mp4", 50, frames=50)


def twin(folder: Path, code: bytes) -> list[tuple[int, int]]:
    """(distance_bits, segment_id) of every segment, by comparing bit after bit."""
    answers = []
    for segment_id, stored in rows(folder, "SELECT id, code FROM segments"):
        assert isinstance(segment_id, int)
        assert isinstance(stored, bytes)
        differing = sum(bin(a ^ b).count("1") for a, b in zip(code, stored, strict=True))
        answers.append((differing, segment_id))
    return sorted(answers)


def code_of(path: Path, *, start_seconds: float = 0, end_seconds: float | None = None) -> bytes:
    model = tiny_model()
    clip = model.read(path, start_seconds=start_seconds, end_seconds=end_seconds)
    code: bytes = model.encode(clip).packed[0].tobytes()
    return code


def answers(results: SearchResults) -> list[tuple[int, int]]:
    return [(hit.distance_bits, hit.segment_id) for hit in results.hits]


def fill(library: Library, count: int, *, distinct: int, seed: int = 0) -> None:
    """Codes of `distinct` values, so that there are many ties."""
    random = np.random.default_rng(seed)
    values = BinaryCodes.from_bits(random.integers(0, 2, (distinct, BITS)).astype(bool)).packed
    for number in range(count):
        code = values[random.integers(distinct)].tobytes()
        put_code(library, f"{number}.mp4", code, label=f"label {number % 3}")


def test_answers_are_those_of_the_twin_and_ties_go_by_id(library: Library, query: Path) -> None:
    fill(library, 200, distinct=7)
    expected = twin(library.folder, code_of(query))
    assert len({distance for distance, _ in expected}) < 8, "there are ties to settle"
    for k in (1, 10, 37, 199, 200):
        assert answers(library.search(query, k=k)) == expected[:k]
    with Library.open(library.folder) as other:
        assert answers(other.search(query, k=200)) == expected


def test_a_hit_says_what_was_found(library: Library, tmp_path: Path) -> None:
    one, other = make_videos(tmp_path / "videos", 2)
    library.add([Video(one, "run"), other])
    results = library.search(one)
    assert (results.query, results.start_seconds, results.end_seconds) == (
        one.resolve(), 0.0, 8 / 25,
    )  # fmt: skip
    assert (results.segments, results.damage) == (2, None)
    distance = twin(library.folder, code_of(one))[1][0]
    assert results.hits == (
        Hit(1, one.resolve(), 0.0, 8 / 25, 0, 1.0, "run", 1, 1),
        Hit(2, other.resolve(), 0.0, 8 / 25, distance, 1 - distance / BITS, None, 2, 2),
    )


def test_hits_and_ledger_say_the_id_of_the_video(library: Library, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 3)
    library.add(videos[:2])
    library.add([videos[0].rename(tmp_path / "moved.mp4")])
    (tmp_path / "junk.mp4").write_bytes(b"junk")
    library.add([make_video(videos[0], 7), videos[2], tmp_path / "junk.mp4"])
    listed = {video.path: video.id for video in library.list_videos()[1]}
    assert len(listed) == 4
    assert {hit.path: hit.video_id for hit in library.search(videos[1]).hits} == listed
    told = {entry.path: entry.video_id for entry in library.ledger()}
    assert told == listed | {(tmp_path / "junk.mp4").resolve(): None}


def test_more_hits_than_there_are(library: Library, query: Path) -> None:
    fill(library, 3, distinct=3)
    assert [hit.rank for hit in library.search(query, k=10_000).hits] == [1, 2, 3]


def test_no_hits_wanted_and_fewer(library: Library, query: Path) -> None:
    fill(library, 3, distinct=3)
    assert library.search(query, k=0).hits == ()
    with pytest.raises(ConfigError, match="k=-1"):
        library.search(query, k=-1)


def test_an_empty_library_has_no_hits(library: Library, query: Path) -> None:
    results = library.search(query)
    assert (results.hits, results.segments) == ((), 0)
    ids, codes = library.codes()
    assert (ids.size, ids.dtype.name, len(codes), codes.bits) == (0, "int64", 0, BITS)


def test_the_query_itself_is_left_out_when_asked(library: Library, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 4)
    library.add(videos)
    link = tmp_path / "link.mp4"
    link.symlink_to(videos[1])
    with_self = library.search(link, k=3)
    assert with_self.hits[0].path == videos[1].resolve()
    without = library.search(link, k=3, exclude_self=True)
    assert without.segments == 3
    assert [h.rank for h in without.hits] == [1, 2, 3]
    expected = [pair for pair in twin(library.folder, code_of(videos[1])) if pair[1] != 2]
    assert answers(without) == expected


def test_leaving_out_a_query_that_is_not_there_changes_nothing(
    library: Library, query: Path
) -> None:
    fill(library, 20, distinct=4)
    assert library.search(query, exclude_self=True) == library.search(query)


def test_a_range_of_the_query(library: Library, query: Path) -> None:
    fill(library, 50, distinct=50)
    results = library.search(query, start_seconds=0.5, end_seconds=1.25)
    assert (results.start_seconds, results.end_seconds) == (0.5, 1.25)
    code = code_of(query, start_seconds=0.5, end_seconds=1.25)
    assert answers(results) == twin(library.folder, code)[:10]


def test_a_range_beyond_the_end_or_back_in_time_is_refused(library: Library, query: Path) -> None:
    with pytest.raises(VideoError, match=r"query\.mp4"):
        library.search(query, start_seconds=1000)
    with pytest.raises(ConfigError, match="start_seconds"):
        library.search(query, start_seconds=1, end_seconds=0.5)


def test_a_clip_asks_like_its_video(library: Library, query: Path) -> None:
    fill(library, 50, distinct=50)
    clip = library.model.read(query, start_seconds=0.5)
    assert library.search(clip) == library.search(query, start_seconds=0.5)
    with pytest.raises(ConfigError, match="range of a video already"):
        library.search(clip, start_seconds=1)


def test_a_clip_of_another_shape_is_refused(library: Library, query: Path) -> None:
    """A network takes pictures of any size, and gives codes that mean nothing here."""
    from bitreel.video import read_clip

    with pytest.raises(ConfigError, match=r"library\.model\.read"):
        library.search(read_clip(query, frames=4, size=(96, 96)))
    with pytest.raises(ConfigError, match=r"library\.model\.read"):
        library.search(read_clip(query, frames=5, size=(64, 64)))


def test_a_bad_query_is_an_error_of_the_video(library: Library, tmp_path: Path) -> None:
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"junk")
    for path in (junk, tmp_path / "missing.mp4", tmp_path):
        with pytest.raises(UnreadableVideo, match=path.name):
            library.search(path)


def test_what_others_add_replace_and_relabel_is_seen(library: Library, tmp_path: Path) -> None:
    one, other = make_videos(tmp_path / "videos", 2)
    with Library.open(library.folder, model=tiny_model()) as reader:
        assert reader.search(one).hits == ()
        library.add([one])
        assert [h.path for h in reader.search(one).hits] == [one.resolve()]
        library.add([other, Video(one, "run")])
        hits = reader.search(one).hits
        assert [(h.path, h.label) for h in hits] == [
            (one.resolve(), "run"),
            (other.resolve(), None),
        ]
        make_video(one, 9)
        library.add([one])
        assert {h.segment_id for h in reader.search(one).hits} == {2, 3}


def test_the_index_is_kept_and_takes_what_is_new(library: Library, query: Path) -> None:
    fill(library, 5, distinct=5)
    library.search(query)
    first = library._searched.index()
    parts = first.parts
    library.search(query)
    assert library._searched.index() is first
    assert first.parts is parts
    put_code(library, "one more", bytes(3))
    library.search(query)
    assert library._searched.index() is first
    assert len(first) == 6


def test_codes_are_all_there_by_rising_id(library: Library) -> None:
    fill(library, 30, distinct=30)
    ids, codes = library.codes()
    stored = rows(library.folder, "SELECT id, code FROM segments ORDER BY id")
    assert ids.tolist() == [row[0] for row in stored]
    assert [row.tobytes() for row in codes.packed] == [row[1] for row in stored]


def test_threads_share_one_library(library: Library, query: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    fill(library, 100, distinct=20)
    expected = library.search(query)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: library.search(query), range(20)))
    assert found == [expected] * 20


def test_reranked_answers_are_those_of_the_slow_sum_over_all(library: Library, query: Path) -> None:
    """40 segments fit the shortlist, so that all of them are ordered by the asymmetric distance."""
    fill(library, 40, distinct=25)
    model = tiny_model()
    features = model.features(model.read(query))
    relaxed = model.relaxed_bits([part[None] for part in features])[0]
    ids, codes = library.codes()
    bits = np.unpackbits(codes.packed, axis=1)[:, :BITS]
    slow = {int(i): float(((relaxed - row) ** 2).sum()) for i, row in zip(ids, bits, strict=True)}
    results = library.search(query, k=12, rerank=True)
    got = [(hit.segment_id, hit.asymmetric_bits) for hit in results.hits]
    expected = sorted(slow, key=lambda i: (round(slow[i], 5), i))[:12]
    assert [i for i, _ in got] == expected
    for (segment_id, asymmetric), hit in zip(got, results.hits, strict=True):
        assert asymmetric == pytest.approx(slow[segment_id], abs=1e-4)
        assert hit.similarity == pytest.approx(1 - slow[segment_id] / BITS, abs=1e-5)
    plain = library.search(query, k=12)
    assert all(hit.asymmetric_bits is None for hit in plain.hits)
    assert answers(plain) != answers(results)


def test_a_video_that_is_there_stays_first_when_reranked(library: Library, query: Path) -> None:
    fill(library, 300, distinct=100)
    library.add([query])
    results = library.search(query, k=3, rerank=True)
    assert results.hits[0].path == query.resolve()
    left_out = library.search(query, k=3, rerank=True, exclude_self=True)
    assert query.resolve() not in {hit.path for hit in left_out.hits}
    assert len(left_out.hits) == 3
