"""What a library exports comes back the same, by every format."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exchange_helpers import FORMATS, NOT_UTF8, fill, held, new_library, told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from library_helpers import BITS, make_videos

from bitreel.clip import Segment
from bitreel.codes import hamming
from bitreel.library import Library
from bitreel.library.exchange import read_codes
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.library.searched_codes import SearchedCodes
from bitreel.progress import Step
from bitreel.video import Segmenting


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with new_library(tmp_path / "library") as made:
        fill(made)
        yield made


@pytest.mark.parametrize("bits", [BITS, 64])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_round_trip_keeps_everything(tmp_path: Path, suffix: str, bits: int) -> None:
    with new_library(tmp_path / "one", bits=bits) as one:
        fill(one, bits=bits)
        report = one.export(tmp_path / f"codes{suffix}")
        ids, codes = one.codes()
    assert (report.videos, report.segments, report.bits) == (9, len(ids), bits)
    assert report.size_bytes == sum(path.stat().st_size for path in report.files)
    exported = read_codes(tmp_path / f"codes{suffix}")
    np.testing.assert_array_equal(exported.segments.ids, ids)
    np.testing.assert_array_equal(exported.segments.codes.packed, codes.packed)
    with new_library(tmp_path / "two", bits=bits) as two:
        done = two.import_codes(tmp_path / f"codes{suffix}")
    assert (done.added, done.replaced, done.unchanged) == (9, 0, 0)
    assert held(tmp_path / "two") == held(tmp_path / "one")
    assert len(held(tmp_path / "two")) == len(ids) > 15


@pytest.mark.parametrize("suffix", FORMATS)
def test_twice_changes_nothing(library: Library, tmp_path: Path, suffix: str) -> None:
    library.export(tmp_path / f"codes{suffix}")
    before, ids = held(library.folder), library.codes()[0]
    done = library.import_codes(tmp_path / f"codes{suffix}")
    assert (done.added, done.replaced, done.unchanged) == (0, 0, 9)
    assert held(library.folder) == before
    np.testing.assert_array_equal(library.codes()[0], ids)


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_empty_library(tmp_path: Path, suffix: str) -> None:
    with new_library(tmp_path / "library") as library:
        assert library.export(tmp_path / f"codes{suffix}").segments == 0
        assert read_codes(tmp_path / f"codes{suffix}").bits == BITS
        done = library.import_codes(tmp_path / f"codes{suffix}")
    assert (done.added, done.replaced, done.unchanged) == (0, 0, 0)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_file_says_what_it_is(library: Library, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"codes{suffix}"
    library.export(path)
    if suffix == ".parquet":
        text = pq.read_schema(path).metadata[b"bitreel"].decode()
    else:
        with np.load(tmp_path / "codes.faiss.npz" if suffix == ".faiss" else path) as arrays:
            text = str(arrays["about"])
    about = json.loads(text)
    assert (about["bits"], about["bit_order"], about["bytes_a_code"]) == (BITS, "big", 3)
    assert about["bit_order_in_words"].startswith("big: the first bit is the highest of the first")
    assert about["fingerprint"] == library.fingerprint
    assert Segmenting(**about["segmenting"]) == library.segmenting
    assert (about["format_version"], about["videos"]) == (1, 9)


def test_faiss_finds_what_we_find(library: Library, tmp_path: Path) -> None:
    library.export(tmp_path / "codes.faiss")
    index = faiss.read_index_binary(str(tmp_path / "codes.faiss"))
    ids, codes = library.codes()
    assert (index.d, index.ntotal) == (24, len(ids))
    distances, found = index.search(codes.packed[:4], len(ids))
    ours = hamming(codes[:4], codes)
    for query in range(4):
        rank = dict(zip(found[query].tolist(), distances[query].tolist(), strict=True))
        assert [rank[id] for id in ids.tolist()] == ours[query].tolist()
    np.testing.assert_array_equal(index.reconstruct(int(ids[7])), codes.packed[7])


def test_parquet_is_a_plain_table(library: Library, tmp_path: Path) -> None:
    library.export(tmp_path / "codes.parquet")
    table = pq.read_table(tmp_path / "codes.parquet")
    assert table.schema.field("code").type == pa.binary(3)
    first = table.to_pylist()[0]
    assert (first["path"], first["label"], first["start_seconds"]) == ("/nowhere/0.mp4", None, 0.0)
    assert first["path_bytes"] is None
    odd = {row["path_bytes"] for row in table.to_pylist()} - {None}
    assert odd == {os.fsencode(NOT_UTF8)}
    assert [row["code"] for row in table.to_pylist()] == [
        code.tobytes() for code in library.codes()[1].packed
    ]


texts = st.binary(min_size=1, max_size=30).map(lambda raw: raw.replace(b"\0", b"0"))
names = texts.map(lambda raw: os.fsdecode(b"/" + raw.strip(b"/.") + b"!"))
labels = texts.map(os.fsdecode).filter(lambda text: bool(text.strip()))
seconds = st.floats(0, 1e6)


@st.composite
def records(draw: st.DrawFn) -> list[VideoRecord]:
    made = []
    for path in draw(st.lists(names, max_size=5, unique_by=lambda name: str(Path(name)))):
        spans = draw(st.lists(st.tuples(seconds, seconds).map(sorted), min_size=1, max_size=3))
        codes = [draw(st.binary(min_size=2, max_size=2)) + b"\xf0" for _ in spans]
        made.append(
            VideoRecord(
                Path(path),
                FileState(draw(st.integers(0, 2**62)), draw(st.integers(-(2**62), 2**62))),
                draw(st.none() | labels),
                draw(seconds),
                [
                    CodedSegment(Segment(Path(path), *span), code)
                    for span, code in zip(sorted(spans), codes, strict=True)
                ],
                draw(st.none() | st.text(st.characters(codec="ascii"), min_size=1)),
                content=draw(st.none() | st.binary(min_size=1, max_size=16)),
            )
        )
    return made


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(made=records(), suffix=st.sampled_from(FORMATS))
def test_any_metadata_comes_back(
    tmp_path_factory: pytest.TempPathFactory, made: list[VideoRecord], suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with new_library(folder / "one") as one, new_library(folder / "two") as two:
        for each in made:
            one._catalogue.put(each)
        one.export(folder / f"codes{suffix}")
        two.import_codes(folder / f"codes{suffix}")
    assert held(folder / "two") == held(folder / "one")
    shutil.rmtree(folder)


def test_real_videos_are_found_after_an_import(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 3)
    with new_library(tmp_path / "one") as one:
        one.add(videos)
        one.export(tmp_path / "codes.npz")
        expected = [(hit.path, hit.distance_bits) for hit in one.search(videos[1]).hits]
    with new_library(tmp_path / "two") as two:
        two.import_codes(tmp_path / "codes.npz")
        hits = two.search(videos[1]).hits
        assert [(hit.path, hit.distance_bits) for hit in hits] == expected
        assert two.add(videos).unchanged == 3


def test_a_later_state_of_a_file_wins(library: Library, tmp_path: Path) -> None:
    library.export(tmp_path / "old.npz")
    newer = VideoRecord(
        Path("/nowhere/0.mp4"),
        FileState(5, 10**18 + 999),
        duration_seconds=1.0,
        segments=[CodedSegment(Segment(Path("/nowhere/0.mp4"), 0.0, 1.0), b"\xff\xff\xf0")],
    )
    assert library._catalogue.put(newer) == "replaced"
    library.export(tmp_path / "new.npz")
    before = held(library.folder)
    assert library.import_codes(tmp_path / "old.npz").unchanged == 9
    assert held(library.folder) == before
    with new_library(tmp_path / "other") as other:
        other.import_codes(tmp_path / "old.npz")
        assert other.import_codes(tmp_path / "new.npz").replaced == 1
    assert held(tmp_path / "other") == before


def test_an_import_that_is_broken_off_is_finished_by_the_same_call(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitreel.library.records._VIDEOS_AT_ONCE", 4)
    library.export(tmp_path / "codes.npz")

    def stop(step: Step) -> None:
        raise KeyboardInterrupt

    with new_library(tmp_path / "other") as other:
        with pytest.raises(KeyboardInterrupt):
            other.import_codes(tmp_path / "codes.npz", progress=stop)
        assert other.status().videos == 4
        done = other.import_codes(tmp_path / "codes.npz")
    assert (done.added, done.unchanged) == (5, 4)
    assert held(tmp_path / "other") == held(library.folder)


@pytest.mark.parametrize("suffix", FORMATS)
def test_progress_is_told(library: Library, tmp_path: Path, suffix: str) -> None:
    steps: list[Step] = []
    library.export(tmp_path / f"codes{suffix}", progress=steps.append)
    library.import_codes(tmp_path / f"codes{suffix}", progress=steps.append)
    ends = {step.stage: (step.done, step.total) for step in steps}
    assert list(ends) == ["reading", "writing", "importing"]
    assert all(done == total for done, total in ends.values())


def test_an_import_plans_an_index_where_one_is_due(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.export(tmp_path / "codes.npz")
    monkeypatch.setattr(SearchedCodes, "is_plan_due", lambda self: True)
    with new_library(tmp_path / "other") as other:
        other.import_codes(tmp_path / "codes.npz")
    assert (tmp_path / "other" / "index").is_dir()


def test_many_parts_are_read_and_written_as_one(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bitreel.library.exchange import out_of_library, parquet

    library.export(tmp_path / "whole.parquet")
    for size in (1, 2, 5, 9, 18):
        monkeypatch.setattr(out_of_library, "_ROWS_AT_ONCE", size)
        monkeypatch.setattr(parquet, "_ROWS_AT_ONCE", size)
        library.export(tmp_path / "parts.parquet", overwrite=True)
        parts = read_codes(tmp_path / "parts.parquet")
        assert told(parts) == told(read_codes(tmp_path / "whole.parquet"))
