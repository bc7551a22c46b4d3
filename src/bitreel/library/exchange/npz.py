"""Codes and metadata as `.npz`: arrays of numbers and bytes, nothing pickled.

Texts are one array of their UTF-8 bytes and one of where each ends, since an array of strings would
take as much room for each path as for the longest of them.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError
from bitreel.library.columns import SegmentColumns, VideoColumns
from bitreel.library.exchange.exported import About, Exported

_TEXTS = ("path", "label", "damage")
_Dtype = type[np.int64] | type[np.float64] | type[np.uint8]
_NUMBERS: dict[str, _Dtype] = {
    "id": np.int64,
    "video": np.int64,
    "start_seconds": np.float64,
    "end_seconds": np.float64,
    "video_id": np.int64,
    "duration_seconds": np.float64,
    "size_bytes": np.int64,
    "mtime_ns": np.int64,
}
_NAMES = {
    "about",
    "code",
    "content_bytes",
    "content_ends",
    *_NUMBERS,
    *(f"{name}_{part}" for name in _TEXTS for part in ("utf8", "ends")),
}


def write_npz(file: IO[bytes], exported: Exported, told: Callable[[int], None]) -> None:
    """Write an open file. told: hears how many segments are written."""
    write_arrays(file, exported, code=exported.segments.codes.packed)
    told(len(exported.segments))


def read_npz(file: IO[bytes]) -> Exported:
    """Read an open file. Raises CodesError, without its name, where it is damaged or not ours."""
    arrays = _arrays(file)
    about = About.parse(_about(arrays))
    if "code" not in arrays:
        raise CodesError("it lies beside a FAISS index and holds no codes: name the index")
    return exported_from(about, arrays, arrays["code"], _column(arrays, "id", np.int64))


def write_arrays(file: IO[bytes], exported: Exported, **more: NDArray[Any]) -> None:
    """All but the codes, and more."""
    videos, segments = exported.videos, exported.segments
    numbers = (
        segments.ids,
        segments.video_ids,
        segments.starts_seconds,
        segments.ends_seconds,
        videos.ids,
        videos.durations_seconds,
        videos.sizes_bytes,
        videos.mtimes_ns,
    )
    texts: tuple[Sequence[str], ...] = (videos.paths, videos.labels, videos.damages)
    arrays: dict[str, NDArray[Any]] = dict(zip(_NUMBERS, numbers, strict=True))
    for name, values in zip(_TEXTS, texts, strict=True):
        raw = [value.encode("utf-8", "surrogateescape") for value in values]
        arrays |= _joined(f"{name}_utf8", f"{name}_ends", raw)
    arrays |= _joined("content_bytes", "content_ends", videos.contents)
    np.savez_compressed(
        file, allow_pickle=False, about=np.array(exported.about()), **(arrays | more)
    )


def read_arrays(file: IO[bytes]) -> tuple[About, dict[str, NDArray[Any]]]:
    """What `write_arrays` wrote. Raises CodesError."""
    arrays = _arrays(file)
    return About.parse(_about(arrays)), arrays


def exported_from(
    about: About,
    arrays: dict[str, NDArray[Any]],
    packed: NDArray[np.uint8],
    ids: NDArray[np.int64],
) -> Exported:
    """Put together what was read. Raises CodesError where it does not hold together."""
    numbers = {name: _column(arrays, name, dtype) for name, dtype in _NUMBERS.items()}
    texts = {
        name: [raw.decode("utf-8", "surrogateescape") for raw in _split(arrays, name, "utf8")]
        for name in _TEXTS
    }
    videos = VideoColumns(
        numbers["video_id"],
        texts["path"],
        numbers["duration_seconds"],
        numbers["size_bytes"],
        numbers["mtime_ns"],
        texts["label"],
        texts["damage"],
        _split(arrays, "content", "bytes"),
    )
    segments = SegmentColumns(
        ids,
        numbers["video"],
        numbers["start_seconds"],
        numbers["end_seconds"],
        BinaryCodes(packed, about.bits),
    )
    return about.exported(videos, segments)


def _joined(values: str, ends: str, raw: Sequence[bytes]) -> dict[str, NDArray[Any]]:
    return {
        values: np.frombuffer(b"".join(raw), np.uint8),
        ends: np.cumsum([len(value) for value in raw], dtype=np.int64),
    }


def _split(arrays: dict[str, NDArray[Any]], name: str, kind: str) -> list[bytes]:
    raw = _column(arrays, f"{name}_{kind}", np.uint8).tobytes()
    ends = _column(arrays, f"{name}_ends", np.int64)
    if np.any(np.diff(ends, prepend=0) < 0) or (ends[-1] if len(ends) else 0) != len(raw):
        raise CodesError(f"{name}_ends in it does not fit {name}_{kind}")
    begins = [0, *ends.tolist()[:-1]] if len(ends) else []
    return [raw[begin:end] for begin, end in zip(begins, ends.tolist(), strict=True)]


def _column(arrays: dict[str, NDArray[Any]], name: str, dtype: _Dtype) -> NDArray[Any]:
    if name not in arrays:
        raise CodesError(f"{name} is missing in it")
    array = arrays[name]
    if array.dtype.kind != np.dtype(dtype).kind or array.ndim != 1:
        raise CodesError(
            f"{name} in it is {array.dtype} {list(array.shape)}, and not {np.dtype(dtype)} [N]"
        )
    return array.astype(dtype, copy=False)


def _about(arrays: dict[str, NDArray[Any]]) -> str:
    about = arrays.get("about")
    if about is None or about.dtype.kind != "U" or about.ndim != 0:
        raise CodesError("it was not written by `bitreel export`")
    return str(about)


def _arrays(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    try:
        # numpy opens other kinds of file too: a bare array, and pickles, which we never read.
        if not zipfile.is_zipfile(file):
            raise CodesError("it is no .npz file, or its end is missing")
        file.seek(0, os.SEEK_SET)
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files if name in _NAMES}
    except CodesError:
        raise
    # Damage makes numpy, zipfile, zlib and the header's parser raise a dozen unrelated types.
    except Exception as error:
        raise CodesError(f"it is damaged ({error})") from error
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise CodesError("it holds something that is no array")
    return arrays
