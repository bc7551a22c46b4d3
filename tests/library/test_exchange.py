"""What a library exports comes back the same, by every format; what is not ours is refused."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from library_helpers import BITS, make_videos, rows, tiny_model
from numpy.typing import NDArray

from bitreel.clip import Segment
from bitreel.codes import BinaryCodes, hamming
from bitreel.errors import CodesError, ConfigError, LibraryError, ModelMismatch
from bitreel.library import Library
from bitreel.library.exchange import Exported, read_codes
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.library.searched_codes import SearchedCodes
from bitreel.progress import Step
from bitreel.video import Segmenting

FORMATS = (".npz", ".parquet", ".faiss")
NOT_UTF8 = os.fsdecode(b"/nowhere/caf\xe9 \xff.mp4")
STRANGE = ("/nowhere/a,b\n'\"c.mp4", "/nowhere/日本 🎬.mp4", "/nowhere/ .mp4", NOT_UTF8)


def new_library(folder: Path, *, bits: int = BITS, segmenting: Segmenting | None = None) -> Library:
    return Library.create(folder, tiny_model(bits=bits), segmenting=segmenting)


def record(path: str, number: int, *, bits: int = BITS, **more: Any) -> VideoRecord:
    """A video of 1 to 3 segments whose codes depend on `number`."""
    random = np.random.default_rng(number)
    count = 1 + number % 3
    codes = BinaryCodes.from_bits(random.random((count, bits)) < 0.5).packed
    segments = [
        CodedSegment(Segment(Path(path), 2.0 * n, 2.0 * n + 4 / 3), code.tobytes())
        for n, code in enumerate(codes)
    ]
    facts: dict[str, Any] = {"duration_seconds": 2.0 * count, "segments": segments} | more
    return VideoRecord(Path(path), FileState(1000 + number, 10**18 + number), **facts)


def fill(library: Library, *, bits: int = BITS) -> None:
    """Videos with and without labels and damage, strange names, one that was indexed again."""
    put = library._catalogue.put
    for number in range(5):
        put(record(f"/nowhere/{number}.mp4", number, bits=bits))
    for number, name in enumerate(STRANGE, 5):
        label = os.fsdecode(b"l\xe4uft") if name == NOT_UTF8 else f"läuft {number}"
        put(record(name, number, bits=bits, label=label, damage="3 packets refused"))
    again = record("/nowhere/1.mp4", 40, bits=bits, label="again", content=b"\0hash\xff")
    assert put(again) == "replaced"
    put(VideoRecord(Path("/nowhere/bad.mp4"), FileState(0, 1), reason="it is empty"))


def held(folder: Path) -> list[tuple[object, ...]]:
    """All that an export is to keep, as SQLite has it."""
    return rows(
        folder,
        "SELECT path, duration_seconds, size_bytes, mtime_ns, label, damage, content, "
        "start_seconds, end_seconds, code FROM segments JOIN videos ON videos.id = video_id "
        "ORDER BY path, start_seconds",
    )


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
    from bitreel.library.exchange import into_library

    monkeypatch.setattr(into_library, "_VIDEOS_AT_ONCE", 4)
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


def test_codes_of_another_model_or_cut_are_refused(library: Library, tmp_path: Path) -> None:
    library.export(tmp_path / "codes.npz")
    with Library.create(tmp_path / "other", tiny_model(seed=1)) as other:
        with pytest.raises(ModelMismatch, match="can not be compared"):
            other.import_codes(tmp_path / "codes.npz")
        assert other.status().videos == 0
    with new_library(tmp_path / "cut", segmenting=Segmenting(window_seconds=8)) as cut:
        with pytest.raises(LibraryError, match="made in one way"):
            cut.import_codes(tmp_path / "codes.npz")
        assert cut.status().videos == 0


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_is_replaced_only_on_request(library: Library, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "out" / f"codes{suffix}"
    with pytest.raises(CodesError, match="can not be written"):
        library.export(path)
    path.parent.mkdir()
    library.export(path)
    with pytest.raises(ConfigError, match="is there already"):
        library.export(path)
    library._catalogue.put(record("/nowhere/one more.mp4", 0))
    library.export(path, overwrite=True)
    assert len(read_codes(path).videos) == 10
    assert files(path.parent) == sorted(
        [path.name, *(["codes.faiss.npz"] if suffix == ".faiss" else [])]
    )


def test_a_name_of_no_known_format(library: Library, tmp_path: Path) -> None:
    for name in ("codes", "codes.csv", "codes.npz.gz"):
        with pytest.raises(ConfigError, match=r"ends in .npz, .parquet or .faiss"):
            library.export(tmp_path / name)
        with pytest.raises(ConfigError, match=r"ends in .npz, .parquet or .faiss"):
            library.import_codes(tmp_path / name)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_leaves_no_half_file(
    library: Library, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CodesError, match="No space left"):
        library.export(tmp_path / "out" / f"codes{suffix}")
    assert files(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("suffix", "module"), [(".parquet", "pyarrow"), (".faiss", "faiss")], ids=str
)
def test_a_package_that_is_missing_is_named(
    library: Library, tmp_path: Path, suffix: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.export(tmp_path / f"codes{suffix}")
    (tmp_path / "out").mkdir()
    monkeypatch.setitem(sys.modules, module, None)
    for work in (library.export, library.import_codes):
        with pytest.raises(ConfigError, match=rf"{module}: pip install 'bitreel\[export\]'"):
            work((tmp_path / "out" if work == library.export else tmp_path) / f"codes{suffix}")
    assert files(tmp_path / "out") == []


def refused(library: Library, path: Path, match: str) -> None:
    """With one clear error by name, and nothing put in."""
    before = held(library.folder)
    with pytest.raises(CodesError, match=match) as caught:
        library.import_codes(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(".")
    assert held(library.folder) == before


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_is_not_there(library: Library, tmp_path: Path, suffix: str) -> None:
    refused(library, tmp_path / f"codes{suffix}", "is not there")
    (tmp_path / f"folder{suffix}").mkdir()
    refused(library, tmp_path / f"folder{suffix}", "is no file")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_is_cut_short_anywhere(library: Library, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"codes{suffix}"
    library.export(path)
    whole = path.read_bytes()
    for size in (0, 1, 4, 100, len(whole) // 3, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        path.write_bytes(whole[:size])
        refused(library, path, "can not be imported")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_in_which_any_byte_changed_is_refused_or_the_same(
    library: Library, tmp_path: Path, suffix: str
) -> None:
    """Never something else, and never another error."""
    path = tmp_path / f"codes{suffix}"
    library.export(path)
    expected = told(read_codes(path))
    whole = path.read_bytes()
    refusals = 0
    for place in range(0, len(whole), 1 + len(whole) // 150):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            assert told(read_codes(path)) == expected
        except CodesError:
            refusals += 1
    assert refusals > 75


def told(exported: Exported) -> tuple[object, ...]:
    videos, segments = exported.videos, exported.segments
    return (
        exported.fingerprint,
        list(videos.paths),
        list(videos.labels),
        segments.ids.tolist(),
        segments.starts_seconds.tolist(),
        segments.codes.packed.tolist(),
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_files_of_others(library: Library, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"codes{suffix}"
    if suffix == ".faiss":
        np.savez(tmp_path / "codes.faiss.npz", code=np.zeros((2, 3), np.uint8))
    for raw in (b"", b"\0" * 200, b"PAR1 not truly PAR1", b"some text\n" * 40):
        path.write_bytes(raw)
        refused(library, path, "can not be imported")
    if suffix == ".parquet":
        pq.write_table(pa.table({"id": [1, 2]}), path)
    elif suffix == ".npz":
        np.savez(path, code=np.zeros((2, 3), np.uint8))
    else:
        faiss.write_index_binary(faiss.IndexBinaryFlat(24), str(path))
    refused(library, path, "was not written by `bitreel export`")


def test_pickles_are_not_opened(library: Library, tmp_path: Path) -> None:
    np.savez(tmp_path / "codes.npz", about=np.array([{"a": 1}], object))
    refused(library, tmp_path / "codes.npz", "allow_pickle")


def changed(path: Path, **changes: Any) -> None:
    """Other arrays in an .npz, or none; `about` takes facts."""
    with np.load(path) as archive:
        arrays: dict[str, NDArray[Any]] = dict(archive)
    about = json.loads(str(arrays["about"])) | changes.pop("about", {})
    arrays |= {"about": np.array(json.dumps(about))}
    arrays |= {name: value for name, value in changes.items() if value is not None}
    for name, value in changes.items():
        if value is None:
            del arrays[name]
    np.savez(path, allow_pickle=False, **arrays)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"about": {"format_version": 2, "bitreel": "9.1"}}, r"bitreel 9.1 in version 2 of the"),
        ({"about": {"format": "other"}}, "of another format"),
        ({"about": {"bit_order": "little"}}, "its bit order is 'little'"),
        ({"about": {"bits": "many"}}, "makes no sense"),
        ({"about": {"segmenting": {"window_seconds": -4}}}, "makes no sense"),
        ({"about": {"segmenting": {"hops": 4}}}, "makes no sense"),
        ({"about": {"bits": 64}}, "64 bits"),
        ({"about": {"checksum": "xxh3:0"}}, "not those that were written"),
        ({"about": {"segments": 3}}, "in place of"),
        ({"path_ends": None}, "path_ends is missing"),
        ({"code": None}, "holds no codes"),
        ({"id": np.zeros(3)}, "and not int64"),
        ({"path_ends": np.arange(9)}, "does not fit"),
        ({"video": np.arange(18)}, "does not hold together"),
        ({"start_seconds": np.full(18, np.nan)}, "start_seconds <= end_seconds"),
        ({"duration_seconds": np.full(9, -1.0)}, "durations of 0 seconds or more"),
        ({"size_bytes": np.full(9, -1)}, "sizes of 0 bytes or more"),
    ],
    ids=str,
)
def test_what_does_not_hold_together(
    library: Library, tmp_path: Path, changes: dict[str, Any], match: str
) -> None:
    path = tmp_path / "codes.npz"
    library.export(path)
    changed(path, **changes)
    refused(library, path, match)


def test_relative_paths_are_refused(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "codes.npz"
    library.export(path)
    with np.load(path) as archive:
        raw = archive["path_utf8"].tobytes().replace(b"/nowhere/0", b"./where/00")
    changed(path, path_utf8=np.frombuffer(raw, np.uint8))
    refused(library, path, "absolute paths")


def test_a_table_edited_elsewhere(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "codes.parquet"
    library.export(path)
    table = pq.read_table(path)
    longer = next(n for n in range(table.num_rows) if table["start_seconds"][n].as_py() > 0)
    renamed = table["label"].to_pylist()
    renamed[longer] = "other"
    column = table.schema.get_field_index("label")
    pq.write_table(table.set_column(column, "label", pa.array(renamed)), path)
    refused(library, path, "segments of one video differ in the column label")
    pq.write_table(table.drop_columns(["damage"]), path)
    refused(library, path, "the column damage is missing")
    pq.write_table(table.slice(1), path)
    refused(library, path, "in place of")
    seconds = pa.array([None] * table.num_rows, pa.float64())
    column = table.schema.get_field_index("start_seconds")
    pq.write_table(table.set_column(column, "start_seconds", seconds), path)
    refused(library, path, "has gaps")


def test_an_index_beside_the_metadata_of_another(library: Library, tmp_path: Path) -> None:
    library.export(tmp_path / "codes.faiss")
    with new_library(tmp_path / "other") as other:
        for number in range(9):
            other._catalogue.put(record(f"/nowhere/{number}.mp4", number + 100))
        other.export(tmp_path / "other.faiss")
    shutil.copy(tmp_path / "other.faiss", tmp_path / "codes.faiss")
    refused(library, tmp_path / "codes.faiss", "can not be imported")
    shutil.copy(tmp_path / "other.faiss.npz", tmp_path / "codes.faiss.npz")
    assert library.import_codes(tmp_path / "codes.faiss").replaced > 0
    (tmp_path / "codes.faiss.npz").unlink()
    with pytest.raises(CodesError, match=r"codes\.faiss\.npz is not there"):
        library.import_codes(tmp_path / "codes.faiss")
    refused(library, tmp_path / "other.faiss.npz", "name the index")


def test_an_import_plans_an_index_where_one_is_due(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.export(tmp_path / "codes.npz")
    monkeypatch.setattr(SearchedCodes, "is_plan_due", lambda self: True)
    with new_library(tmp_path / "other") as other:
        other.import_codes(tmp_path / "codes.npz")
    assert (tmp_path / "other" / "index").is_dir()
