"""Codes and metadata as `.npz`: arrays of numbers and bytes, nothing pickled.

Texts are one array of their UTF-8 bytes and one of where each ends, since an array of strings would
take as much room for each path as for the longest of them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError
from bitreel.library.columns import SegmentColumns, VideoColumns
from bitreel.library.exchange.exported import About, Exported
from bitreel.library.exchange.packed_arrays import PackedArrays, Shape

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
    about, arrays = _arrays(file)
    if "code" not in arrays:
        raise CodesError("it lies beside a FAISS index and holds no codes: name the index")
    return exported_from(about, arrays, arrays["code"], arrays["id"])


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
    return _arrays(file)


def exported_from(
    about: About,
    arrays: dict[str, NDArray[Any]],
    packed: NDArray[np.uint8],
    ids: NDArray[np.int64],
) -> Exported:
    """Put together what was read. Raises CodesError where it does not hold together."""
    texts = {
        name: [raw.decode("utf-8", "surrogateescape") for raw in _split(arrays, name, "utf8")]
        for name in _TEXTS
    }
    videos = VideoColumns(
        arrays["video_id"],
        texts["path"],
        arrays["duration_seconds"],
        arrays["size_bytes"],
        arrays["mtime_ns"],
        texts["label"],
        texts["damage"],
        _split(arrays, "content", "bytes"),
    )
    segments = SegmentColumns(
        ids,
        arrays["video"],
        arrays["start_seconds"],
        arrays["end_seconds"],
        BinaryCodes(packed, about.bits),
    )
    return about.exported(videos, segments)


def _joined(values: str, ends: str, raw: Sequence[bytes]) -> dict[str, NDArray[Any]]:
    return {
        values: np.frombuffer(b"".join(raw), np.uint8),
        ends: np.cumsum([len(value) for value in raw], dtype=np.int64),
    }


def _split(arrays: dict[str, NDArray[Any]], name: str, kind: str) -> list[bytes]:
    raw, ends = arrays[f"{name}_{kind}"].tobytes(), arrays[f"{name}_ends"]
    if np.any(np.diff(ends, prepend=0) < 0) or (ends[-1] if len(ends) else 0) != len(raw):
        raise CodesError(f"{name}_ends in it does not fit {name}_{kind}")
    begins = [0, *ends.tolist()[:-1]] if len(ends) else []
    return [raw[begin:end] for begin, end in zip(begins, ends.tolist(), strict=True)]


def _arrays(file: IO[bytes]) -> tuple[About, dict[str, NDArray[Any]]]:
    """What the file says of itself first: by that it is known what else may be unpacked."""
    try:
        # numpy opens other kinds of file too: a bare array, and pickles, which we never read.
        if not zipfile.is_zipfile(file):
            raise CodesError("it is no .npz file, or its end is missing")
        packed = PackedArrays(file, _NAMES)
        text = packed.text("about") if "about" in packed else None
        if text is None:
            raise CodesError("it was not written by `bitreel export`")
        about = About.parse(text)
        expected = _expected(about)
        for name in expected.keys() - {"code"}:
            if name not in packed:
                raise CodesError(f"{name} is missing in it")
        return about, {
            name: packed.array(name, np.dtype(dtype), shape)
            for name, (dtype, shape) in expected.items()
            if name in packed
        }
    except CodesError:
        raise
    # Damage makes numpy, zipfile, zlib and the header's parser raise a dozen unrelated types.
    except Exception as error:
        raise CodesError(f"it is damaged ({error})") from error


def _expected(about: About) -> dict[str, tuple[_Dtype, Shape]]:
    """The type and shape of each array but `about`."""
    of_segments = {"id", "video", "start_seconds", "end_seconds"}
    arrays: dict[str, tuple[_Dtype, Shape]] = {
        name: (dtype, (about.segments if name in of_segments else about.videos,))
        for name, dtype in _NUMBERS.items()
    }
    arrays["code"] = np.uint8, (about.segments, (about.bits + 7) // 8)
    for values in ("content_bytes", *(f"{name}_utf8" for name in _TEXTS)):
        arrays[values] = np.uint8, (None,)
        arrays[f"{values.rpartition('_')[0]}_ends"] = np.int64, (about.videos,)
    return arrays
