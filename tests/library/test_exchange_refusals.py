"""What can not be exported or imported: one clear error, nothing half written."""

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
from exchange_helpers import FORMATS, files, fill, held, new_library, record, told
from library_helpers import tiny_model
from numpy.typing import NDArray

from bitreel.errors import CodesError, ConfigError, LibraryError, ModelMismatch
from bitreel.library import Library
from bitreel.library.exchange import read_codes
from bitreel.video import Segmenting


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with new_library(tmp_path / "library") as made:
        fill(made)
        yield made


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
        ({"about": {"bits": 64}}, r"uint8 \[18, 3\], and not uint8 \[18, 8\]"),
        ({"about": {"checksum": "xxh3:0"}}, "not those that were written"),
        ({"about": {"segments": 3}}, r"int64 \[18\], and not int64 \[3\]"),
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


def test_a_catalogue_that_does_not_hold_together_is_not_exported(
    library: Library, tmp_path: Path
) -> None:
    library._catalogue.execute("DELETE FROM segments WHERE id = 1")
    with pytest.raises(LibraryError, match="1 videos without"):
        library.export(tmp_path / "codes.npz")
    assert files(tmp_path) == ["library"]
