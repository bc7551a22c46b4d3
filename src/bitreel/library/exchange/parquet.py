"""Codes and metadata as `.parquet`: a row for each segment, what holds of its video repeated in it.

A path or label that is not UTF-8 stands printable in its column, and byte by byte in `path_bytes`
or `label_bytes`, which are null elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError
from bitreel.library.columns import SegmentColumns, VideoColumns
from bitreel.library.exchange.exported import About, Exported
from bitreel.library.exchange.packages import package
from bitreel.library.exchange.packed_table import (
    KEY,
    OF_VIDEO,
    TEXTS,
    read_about,
    read_table,
    schema_of,
)
from bitreel.library.records import printable

_ROWS_AT_ONCE = 1 << 16


def write_parquet(file: IO[bytes], exported: Exported, told: Callable[[int], None]) -> None:
    """Write an open file. told: hears how many segments are written. Raises ConfigError without
    pyarrow."""
    pa, pq = package("pyarrow", "Parquet"), package("pyarrow.parquet", "Parquet")
    schema = schema_of(pa, exported.bits).with_metadata({KEY: exported.about()})
    videos = _video_columns(pa, exported.videos)
    rows = exported.videos.rows(exported.segments.video_ids)
    with pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer:
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            part = slice(first, first + _ROWS_AT_ONCE)
            own = _segment_columns(pa, exported.segments, part)
            taken = [column.take(pa.array(rows[part])) for column in videos]
            writer.write_batch(pa.RecordBatch.from_arrays([*own, *taken], schema=schema))
            told(first + len(rows[part]))


def read_parquet(file: IO[bytes]) -> Exported:
    """Read an open file. Raises CodesError, without its name, where it is damaged or not ours;
    ConfigError without pyarrow."""
    pa, pq = package("pyarrow", "Parquet"), package("pyarrow.parquet", "Parquet")
    try:
        about, names = read_about(pa, pq, file)
        # Texts as they are packed: each once, and which of them a row has.
        with pq.ParquetFile(file, read_dictionary=TEXTS, page_checksum_verification=True) as opened:
            batches = opened.iter_batches(_ROWS_AT_ONCE, columns=names)
            table = read_table(pa, about, file, batches)
    # Arrow's errors are OSError and ValueError among others, and KeyError for what it has not.
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:
        raise CodesError(f"it is damaged, or no Parquet file ({error})") from error
    return _exported(pa, about, table)


def _segment_columns(pa: Any, segments: SegmentColumns, part: slice) -> list[Any]:
    packed = np.ascontiguousarray(segments.codes.packed[part])
    codes = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(packed.shape[1]), len(packed), [None, pa.py_buffer(packed)]
    )
    numbers = (segments.ids, segments.video_ids, segments.starts_seconds, segments.ends_seconds)
    return [*(pa.array(column[part]) for column in numbers), codes]


def _video_columns(pa: Any, videos: VideoColumns) -> list[Any]:
    """In the order of OF_VIDEO."""
    columns: tuple[Sequence[Any] | NDArray[Any], ...] = (
        [printable(path) for path in videos.paths],
        [_odd_bytes(path) for path in videos.paths],
        videos.durations_seconds,
        videos.sizes_bytes,
        videos.mtimes_ns,
        [printable(label) or None for label in videos.labels],
        [_odd_bytes(label) for label in videos.labels],
        [printable(damage) or None for damage in videos.damages],
        [content or None for content in videos.contents],
    )
    types = [getattr(pa, kind)() for _, kind, _ in OF_VIDEO]
    return [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]


def _odd_bytes(text: str) -> bytes | None:
    """The bytes of a text that is not UTF-8."""
    raw = text.encode("utf-8", "surrogateescape")
    return None if printable(text).encode() == raw else raw


def _exported(pa: Any, about: About, table: Any) -> Exported:
    columns = {field.name: table.column(field.name) for field in schema_of(pa, about.bits)}
    for field in schema_of(pa, about.bits):
        if not field.nullable and columns[field.name].null_count:
            raise CodesError(f"the column {field.name} in it has gaps")
    video_ids = columns["video"].to_numpy()
    ids, firsts, rows = np.unique(video_ids, return_index=True, return_inverse=True)
    videos: dict[str, Any] = {}
    for name, _, _ in OF_VIDEO:
        videos[name] = columns[name].take(pa.array(firsts))
        _check_repeated(pa, name, columns[name], videos[name], rows)
    segments = SegmentColumns(
        columns["id"].to_numpy(),
        video_ids,
        columns["start_seconds"].to_numpy(),
        columns["end_seconds"].to_numpy(),
        BinaryCodes(_packed(columns["code"].combine_chunks()), about.bits),
    )
    return about.exported(_videos(ids, videos), segments)


def _check_repeated(
    pa: Any, name: str, column: Any, of_videos: Any, rows: NDArray[np.int64]
) -> None:
    """Raises CodesError where a segment says something else of its video than the first one did.

    A part at a time: Arrow holds no more than 2 GB of text in one piece.
    """
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[first : first + _ROWS_AT_ONCE]
        if not column.slice(first, len(part)).equals(of_videos.take(pa.array(part))):
            raise CodesError(f"segments of one video differ in the column {name}")


def _videos(ids: NDArray[np.int64], columns: dict[str, Any]) -> VideoColumns:
    return VideoColumns(
        ids,
        _texts(columns["path"], columns["path_bytes"]),
        columns["duration_seconds"].to_numpy(),
        columns["size_bytes"].to_numpy(),
        columns["mtime_ns"].to_numpy(),
        _texts(columns["label"], columns["label_bytes"]),
        [damage or "" for damage in columns["damage"].to_pylist()],
        [content or b"" for content in columns["content"].to_pylist()],
    )


def _texts(plain: Any, odd: Any) -> list[str]:
    return [
        (text or "") if raw is None else raw.decode("utf-8", "surrogateescape")
        for text, raw in zip(plain.to_pylist(), odd.to_pylist(), strict=True)
    ]


def _packed(codes: Any) -> NDArray[np.uint8]:
    """uint8 [N,B], of a column of fixed-size binary without nulls."""
    width = codes.type.byte_width
    whole = np.frombuffer(codes.buffers()[1], np.uint8)
    return whole[codes.offset * width :][: len(codes) * width].reshape(len(codes), width)
