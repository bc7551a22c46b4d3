"""Named arrays in a folder, written whole or not at all, and mapped rather than read.

FOLDER/
  manifest.json          format, facts, and of each array its file, type, shape and checksum
  <random>-<name>.npy    one array; those that the manifest does not name are left-overs
  lock                   held by who writes, empty

The manifest is replaced in one step after all arrays are on the disk, so a killed writer leaves the
former state. Writers wait for each other, by a lock that ends with the process that holds it. What
was mapped stays readable while others write.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from bitreel.errors import CodesError

FORMAT_VERSION = 1
MANIFEST, LOCK = "manifest.json", "lock"

# A reader whose files were replaced under its hands reads those that came: so many times.
_TRIES = 5

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class StoredArrays:
    """facts: JSON values. arrays: by name, mapped read-only."""

    facts: dict[str, Any]
    arrays: dict[str, Array]


def write_arrays(folder: Path, arrays: dict[str, Array], facts: dict[str, Any]) -> None:
    """Put these arrays in place of what the folder held. Raises OSError, and then changes nothing.

    names: letters, digits, `.`, `_` and `-`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        superseded = list(folder.glob("*-*"))
        stamp = secrets.token_hex(8)
        entries: dict[str, Any] = {}
        try:
            for name, array in arrays.items():
                path = folder / f"{stamp}-{name}.npy"
                np.save(path, array, allow_pickle=False)
                entries[name] = {
                    "file": path.name,
                    "dtype": array.dtype.str,
                    "shape": list(array.shape),
                    "xxh3_64": _checksum(array),
                }
            manifest = {"format_version": FORMAT_VERSION, "facts": facts, "arrays": entries}
            unplaced = folder / f"{stamp}-{MANIFEST}"
            unplaced.write_text(json.dumps(manifest))
            os.replace(unplaced, folder / MANIFEST)
        except BaseException:
            _remove(folder.glob(f"{stamp}-*"))
            raise
        _remove(superseded)


def map_arrays(folder: Path) -> StoredArrays:
    """The arrays that were written last.

    Every byte is read once, to check it. Raises CodesError where there are none, where one is
    damaged, and where another version wrote them.
    """
    with _reported(folder):
        for _ in range(_TRIES):
            text, manifest = _manifest(folder)
            try:
                arrays = {name: _map(folder, entry) for name, entry in manifest["arrays"].items()}
                return StoredArrays(manifest["facts"], arrays)
            except FileNotFoundError:
                if text == _manifest(folder)[0]:
                    raise
        raise FileNotFoundError("it is written again and again")


def read_facts(folder: Path) -> dict[str, Any]:
    """The facts that were written last. Reads no array, and so does not know whether all are well.

    Raises CodesError where there are none, and where another version wrote them.
    """
    with _reported(folder):
        return dict(_manifest(folder)[1]["facts"])


def _manifest(folder: Path) -> tuple[str, dict[str, Any]]:
    """Its text, and what that says."""
    text = (folder / MANIFEST).read_text()
    manifest: dict[str, Any] = json.loads(text)
    if manifest["format_version"] != FORMAT_VERSION:
        raise CodesError(
            f"{folder} holds an index of format {manifest['format_version']}, and this version "
            f"reads format {FORMAT_VERSION}: make it anew from the codes."
        )
    return text, manifest


@contextmanager
def _reported(folder: Path) -> Iterator[None]:
    """Turn what a folder that is none raises into CodesError."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise CodesError(
            f"No index can be read from {folder} ({error}): make it anew from the codes."
        ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other writer is at the folder meanwhile, in this process or in another."""
    with (folder / LOCK).open("ab") as lock:
        with suppress(OSError):  # a disk without locks: checksums tell a mixture, should one come
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _map(folder: Path, entry: dict[str, Any]) -> Array:
    # No name leads out of the folder, whoever wrote the manifest.
    path = folder / Path(entry["file"]).name
    array: Array = np.lib.format.open_memmap(path, mode="r")
    if array.dtype.str != entry["dtype"] or list(array.shape) != entry["shape"]:
        raise ValueError(f"{path.name} is not the array that was written")
    if _checksum(array) != entry["xxh3_64"]:
        raise ValueError(f"the checksum of {path.name} is wrong")
    return array


def _checksum(array: Array) -> str:
    """Of the bytes in C order. xxh3 keeps up with the memory, so checking costs one reading."""
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    return xxhash.xxh3_64(data).hexdigest()


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        path.unlink(missing_ok=True)
