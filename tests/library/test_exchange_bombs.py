"""Small files that would unpack to much: refused before they do."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exchange_helpers import fill, new_library

from bitreel.errors import CodesError
from bitreel.library import Library
from bitreel.library.exchange import read_codes
from bitreel.library.exchange.packed_table import KEY, schema_of

SEGMENTS = 2_000_000
MOST_BYTES = 8 << 20


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with new_library(tmp_path / "library") as made:
        fill(made)
        yield made


@contextmanager
def little_memory() -> Iterator[None]:
    """Of Python, numpy and zlib, and of Arrow."""
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
        assert (pool.max_memory() or 0) < MOST_BYTES
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before)


def about_of(path: Path, **changes: Any) -> str:
    with np.load(path) as archive:
        return json.dumps(json.loads(str(archive["about"])) | changes)


def zeros(archive: zipfile.ZipFile, name: str, descr: str, shape: tuple[int, ...]) -> None:
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    left = int(np.prod(shape)) * np.dtype(descr).itemsize
    with archive.open(f"{name}.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)
        while left:
            left -= member.write(bytes(min(left, 1 << 20)))


def bomb(path: Path, source: Path, arrays: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    """What an export has, with these arrays in the place of its own, all zeros, and an `about` that
    tells of them."""
    with np.load(source) as archive:
        kept = {name: archive[name] for name in archive.files if name not in arrays}
    kept["about"] = np.array(about_of(source, segments=arrays.get("id", ("", (18,)))[1][0]))
    np.savez_compressed(path, allow_pickle=False, **kept)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, (descr, shape) in arrays.items():
            zeros(archive, name, descr, shape)


BOMBS: dict[str, dict[str, tuple[str, tuple[int, ...]]]] = {
    "all segments": {
        "id": ("<i8", (SEGMENTS,)),
        "video": ("<i8", (SEGMENTS,)),
        "start_seconds": ("<f8", (SEGMENTS,)),
        "end_seconds": ("<f8", (SEGMENTS,)),
        "code": ("|u1", (SEGMENTS, 3)),
    },
    "codes alone": {"code": ("|u1", (18, SEGMENTS * 5))},
    "texts": {"path_utf8": ("|u1", (SEGMENTS * 30,))},
}


@pytest.mark.parametrize("arrays", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("suffix", [".npz", ".faiss"])
def test_an_npz_is_not_unpacked_when_it_would_fill_the_memory(
    library: Library,
    tmp_path: Path,
    arrays: dict[str, tuple[str, tuple[int, ...]]],
    suffix: str,
) -> None:
    library.export(tmp_path / "codes.npz")
    library.export(tmp_path / f"bomb{suffix}", overwrite=True)
    path = tmp_path / ("bomb.npz" if suffix == ".npz" else "bomb.faiss.npz")
    bomb(path, tmp_path / "codes.npz", arrays)
    assert path.stat().st_size < 200_000
    with little_memory(), pytest.raises(CodesError, match="MB are packed in its 0"):
        read_codes(tmp_path / f"bomb{suffix}")


@pytest.mark.parametrize(
    ("descr", "shape"), [("|u1", (18, 1 << 40)), ("<i8", (18, 3)), ("|u1", (18, 4))], ids=str
)
def test_a_header_that_says_more_than_there_is(
    library: Library, tmp_path: Path, descr: str, shape: tuple[int, ...]
) -> None:
    """numpy would ask for the memory first."""
    library.export(tmp_path / "codes.npz")
    with zipfile.ZipFile(tmp_path / "codes.npz") as whole:
        members = {member.filename: whole.read(member) for member in whole.infolist()}
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            if name != "code.npy":
                archive.writestr(name, raw)
        with archive.open("code.npy", "w") as member:
            header = {"descr": descr, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, header)
            member.write(bytes(18 * 3))
    with little_memory(), pytest.raises(CodesError, match="code in it is"):
        read_codes(tmp_path / "bomb.npz")


def test_an_array_that_is_there_twice(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "codes.npz"
    library.export(path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        zeros(archive, "code", "|u1", (18, 3))
    with pytest.raises(CodesError, match="code stands in it twice"):
        read_codes(path)


def table_of(about: str, segments: int, path: str) -> pa.Table:
    """One video of many segments, all alike, which Parquet packs to next to nothing."""
    schema = schema_of(pa, 20).with_metadata({KEY: about})
    values = {"path": path, "label": "run", "code": bytes(3)}
    columns = []
    for field in schema:
        one = pa.array([values.get(field.name, None if field.nullable else 0)], field.type)
        columns.append(one.take(pa.array(np.zeros(segments, np.int64))))
    return pa.table(columns, schema=schema)


@pytest.mark.parametrize("path_bytes", [12, 2000])
def test_a_parquet_is_not_unpacked_when_it_would_fill_the_memory(
    library: Library, tmp_path: Path, path_bytes: int
) -> None:
    """By its segments, or by the text that all of them repeat."""
    library.export(tmp_path / "codes.npz")
    segments = SEGMENTS if path_bytes < 100 else 100_000
    about = about_of(tmp_path / "codes.npz", segments=segments, videos=1)
    table = table_of(about, segments, "/" + "a" * path_bytes)
    pq.write_table(table, tmp_path / "bomb.parquet", compression="zstd")
    assert (tmp_path / "bomb.parquet").stat().st_size < 200_000
    del table
    with little_memory(), pytest.raises(CodesError, match="MB are packed in its 0"):
        read_codes(tmp_path / "bomb.parquet")
