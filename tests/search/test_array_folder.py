"""Arrays on disk: what was written comes back, and what was damaged does not."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitreel.errors import CodesError
from bitreel.search import array_folder
from bitreel.search.array_folder import MANIFEST, map_arrays, read_facts, write_arrays

ARRAYS: dict[str, Any] = {
    "words": np.arange(6, dtype=np.uint64).reshape(2, 3),
    "0.alive": np.array([True, False]),
    "none": np.empty((4, 0), np.int64),
}


def check(folder: Path, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    found = map_arrays(folder)
    assert found.facts == facts
    assert list(found.arrays) == list(arrays)
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    write_arrays(tmp_path / "new" / "folder", ARRAYS, {"revision": 7})
    check(tmp_path / "new" / "folder", ARRAYS, {"revision": 7})


def test_nothing_is_read_into_memory_or_writable(tmp_path: Path) -> None:
    write_arrays(tmp_path, ARRAYS, {})
    words = map_arrays(tmp_path).arrays["words"]
    assert isinstance(words, np.memmap)
    assert not words.flags.writeable


def test_writing_again_leaves_nothing_of_the_former_but_what_is_mapped(tmp_path: Path) -> None:
    write_arrays(tmp_path, ARRAYS, {"revision": 1})
    before = map_arrays(tmp_path).arrays["words"]
    other = {"words": np.zeros((2, 3), np.uint64)}
    write_arrays(tmp_path, other, {"revision": 2})
    check(tmp_path, other, {"revision": 2})
    np.testing.assert_array_equal(before, ARRAYS["words"])
    assert len(list(tmp_path.iterdir())) == 3  # the manifest, the lock and the array


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_arrays(tmp_path, ARRAYS, {"revision": 1})
    names = sorted(path.name for path in tmp_path.iterdir())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bitreel.search.array_folder.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_arrays(tmp_path, {"words": np.zeros(9)}, {"revision": 2})
    check(tmp_path, ARRAYS, {"revision": 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_writer_that_was_killed_leaves_the_former_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_arrays(tmp_path, ARRAYS, {"revision": 1})
    (tmp_path / "0123456789abcdef-words.npy").write_bytes(b"\x93NUMPY half")
    check(tmp_path, ARRAYS, {"revision": 1})
    write_arrays(tmp_path, ARRAYS, {"revision": 2})
    assert not list(tmp_path.glob("0123456789abcdef*"))


def test_a_writer_waits_for_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two more come while the first is about to place its manifest: none may take its arrays for
    left-overs, and the last one's stay."""
    write_arrays(tmp_path, ARRAYS, {"writer": 0})
    replace, started = os.replace, threading.Event()

    def others_come(*paths: Any) -> None:
        monkeypatch.setattr("bitreel.search.array_folder.os.replace", replace)
        started.set()
        others.join(timeout=0.5)
        replace(*paths)

    def write_twice() -> None:
        started.wait(60)
        for writer in (2, 3):
            write_arrays(tmp_path, ARRAYS, {"writer": writer})

    others = threading.Thread(target=write_twice)
    others.start()
    monkeypatch.setattr("bitreel.search.array_folder.os.replace", others_come)
    write_arrays(tmp_path, ARRAYS, {"writer": 1})
    others.join(60)
    check(tmp_path, ARRAYS, {"writer": 3})


def write_again_and_again(folder: Path, writer: int) -> None:
    for _ in range(15):
        number = np.full(1000, writer)
        write_arrays(folder, {"one": number, "two": number}, {"writer": writer})


def test_three_processes_write_at_once_and_readers_see_one_whole(tmp_path: Path) -> None:
    write_again_and_again(tmp_path, 0)
    processes = multiprocessing.get_context("spawn")
    writers = [
        processes.Process(target=write_again_and_again, args=(tmp_path, n)) for n in (1, 2, 3)
    ]
    for one in writers:
        one.start()
    seen, going = set(), True
    while going:
        going = any(one.is_alive() for one in writers)
        found = map_arrays(tmp_path)
        numbers = {int(n) for array in found.arrays.values() for n in array}
        assert numbers == {found.facts["writer"]}
        seen |= numbers
    assert [one.exitcode for one in writers] == [0, 0, 0]
    assert seen - {0}
    assert len(list(tmp_path.iterdir())) == 4  # the manifest, the lock and two arrays


def test_facts_are_read_without_the_arrays(tmp_path: Path) -> None:
    write_arrays(tmp_path, ARRAYS, {"revision": 7})
    for path in tmp_path.glob("*.npy"):
        path.unlink()
    assert read_facts(tmp_path) == {"revision": 7}
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(CodesError, match="make it anew from the codes"):
        read_facts(tmp_path)


@pytest.mark.parametrize("name", list(ARRAYS)[:2])
@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "junk", "empty", "zip"])
def test_a_damaged_array_is_refused(tmp_path: Path, name: str, harm: str) -> None:
    write_arrays(tmp_path, ARRAYS, {})
    path = next(tmp_path.glob(f"*-{name}.npy"))
    content = path.read_bytes()
    match harm:
        case "flip":
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case "cut":
            path.write_bytes(content[:-1])
        case "gone":
            path.unlink()
        case "junk":
            path.write_bytes(b"junk")
        case "empty":
            path.write_bytes(b"")
        case "zip":
            path.write_bytes(b"PK\x03\x04")
    with pytest.raises(CodesError, match="make it anew from the codes"):
        map_arrays(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format_version": 1}', '{"format_version": 1, "facts": {}, "arrays": [1]}'],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(CodesError, match="make it anew from the codes"):
        map_arrays(tmp_path)


def test_no_folder_and_another_version_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CodesError, match="No such file"):
        map_arrays(tmp_path / "gone")
    monkeypatch.setattr(array_folder, "FORMAT_VERSION", 99)
    write_arrays(tmp_path, ARRAYS, {})
    monkeypatch.undo()
    with pytest.raises(CodesError, match="format 99, and this version reads format 1"):
        map_arrays(tmp_path)


def test_a_manifest_can_not_name_files_elsewhere(tmp_path: Path) -> None:
    np.save(tmp_path / "secret.npy", np.zeros(3))
    folder = tmp_path / "index"
    write_arrays(folder, {"a": np.zeros(3)}, {})
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["arrays"]["a"]["file"] = "../secret.npy"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(CodesError, match="make it anew"):
        map_arrays(folder)
