"""The collections of a library in Milvus, and what their rows mean.

NAME                      facts about the library, and its models, in pieces
NAME_FINGERPRINT          the segments by one model, with their codes
NAME_FINGERPRINT_files    the ledger of the files that they are from

Ids are hashes: of a path, and of a path with a range. Whoever writes a video again writes the same
rows, so that a run that was broken off, or two that do the same, leave nothing twice. (Of a billion
segments it is likely that no two share an id, of twenty billion a score do, and one of each two is
lost.)
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import xxhash

from bitreel.errors import ConfigError
from bitreel.library.listing import IndexedVideo, SegmentOfVideo, VideoFilter
from bitreel.library.records import CodedSegment, Entry, Fate, FileState, VideoRecord, printable
from bitreel.library.store.address import Address

Row = dict[str, Any]

_TEXT = 65_535  # bytes that a VARCHAR may have
_NO_SECONDS = -1.0

_PLACE: list[Row] = [
    {"name": "id", "type": "INT64", "is_primary": True},
    {"name": "path", "type": "VARCHAR", "max_length": _TEXT},
    {"name": "label", "type": "VARCHAR", "max_length": _TEXT},
]
# Milvus wants a vector in every collection.
_NO_VECTOR: Row = {"name": "nothing", "type": "BINARY_VECTOR", "dim": 8}
NO_VECTOR_INDEX: Row = {"field_name": "nothing", "index_type": "BIN_FLAT", "metric_type": "HAMMING"}
NOTHING: Row = {"nothing": b"\0"}

FILE_FIELDS: list[Row] = [
    *_PLACE,
    {"name": "fate", "type": "VARCHAR", "max_length": 16},
    {"name": "size_bytes", "type": "INT64"},
    {"name": "mtime_ns", "type": "INT64"},
    {"name": "video_seconds", "type": "DOUBLE"},
    {"name": "segments", "type": "INT64"},
    {"name": "reason", "type": "VARCHAR", "max_length": _TEXT},
    {"name": "damage", "type": "VARCHAR", "max_length": _TEXT},
    {"name": "content", "type": "VARCHAR", "max_length": 128},
    _NO_VECTOR,
]
FACT_FIELDS: list[Row] = [
    {"name": "id", "type": "INT64", "is_primary": True},
    {"name": "key", "type": "VARCHAR", "max_length": 256},
    {"name": "value", "type": "VARCHAR", "max_length": _TEXT},
    _NO_VECTOR,
]
SEGMENT_COLUMNS = ("path", "label", "video_id", "start_seconds", "end_seconds")
NO_ROW = "id < 0"  # a condition that none fulfils
FILE_COLUMNS = tuple(field["name"] for field in FILE_FIELDS if field["name"] != "nothing")


def segment_fields(bits: int, address: Address) -> list[Row]:
    spread = {} if address.partitions is None else {"is_partition_key": True}
    return [
        *_PLACE,
        {"name": "video_id", "type": "INT64", **spread},
        {"name": "video_seconds", "type": "DOUBLE"},
        {"name": "start_seconds", "type": "DOUBLE"},
        {"name": "end_seconds", "type": "DOUBLE"},
        {"name": "code", "type": "BINARY_VECTOR", "dim": bits},
    ]


def segment_index(address: Address) -> Row:
    index: Row = {"field_name": "code", "index_type": address.index, "metric_type": "HAMMING"}
    if address.index == "BIN_IVF_FLAT":
        index["params"] = {"nlist": address.nlist}
    return index


def id_of_video(path: Path | str) -> int:
    return _number(str(path))


def segment_id(path: Path | str, start_seconds: float, end_seconds: float) -> int:
    return _number(f"{path}\0{float(start_seconds)!r}\0{float(end_seconds)!r}")


def _number(text: str) -> int:
    """63 bits, never 0."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogateescape")) >> 1 or 1


def check_name(path: Path) -> str | None:
    """Why a path can not be kept; None where it can."""
    try:
        size = len(str(path).encode("utf-8"))
    except UnicodeEncodeError:
        return f"The name of {printable(path)} is not UTF-8, which Milvus wants: rename the file."
    return None if size <= _TEXT else f"The path of {path.name} is too long."


def segment_rows(record: VideoRecord) -> list[Row]:
    of_video = {
        "path": str(record.path),
        "label": checked_label(record.label),
        "video_id": id_of_video(record.path),
        "video_seconds": record.duration_seconds,
    }
    return [_segment_row(of_video, coded) for coded in record.segments]


def _segment_row(of_video: Row, coded: CodedSegment) -> Row:
    start, end = coded.segment.start_seconds, coded.segment.end_seconds
    return {
        **of_video,
        "id": segment_id(of_video["path"], start, end),
        "start_seconds": start,
        "end_seconds": end,
        "code": coded.code,
    }


def file_row(record: VideoRecord, *, skipped: bool = False) -> Row:
    fate = Fate.INDEXED if record.reason is None else Fate.QUARANTINED
    seconds = record.duration_seconds
    return NOTHING | {
        "id": id_of_video(record.path),
        "path": str(record.path),
        "label": checked_label(record.label),
        "fate": str(Fate.SKIPPED if skipped else fate),
        "size_bytes": record.state.size_bytes,
        "mtime_ns": record.state.mtime_ns,
        "video_seconds": _NO_SECONDS if seconds is None else seconds,
        "segments": len(record.segments),
        "reason": _cut(record.reason),
        "damage": _cut(record.damage),
        "content": "" if record.content is None else record.content.hex(),
    }


def entry_of(row: Row) -> Entry:
    fate = Fate(row["fate"])
    return Entry(
        Path(row["path"]),
        fate,
        FileState(row["size_bytes"], row["mtime_ns"]),
        row["label"] or None,
        row["reason"] or None,
        row["damage"] or None,
        bytes.fromhex(row["content"]) or None,
        int(row["id"]) if fate is Fate.INDEXED else None,
    )


def video_of(row: Row) -> IndexedVideo:
    return IndexedVideo(
        int(row["id"]),
        Path(row["path"]),
        FileState(row["size_bytes"], row["mtime_ns"]),
        row["label"] or None,
        row["video_seconds"],
        row["segments"],
        row["damage"] or None,
    )


def segment_of(row: Row) -> SegmentOfVideo:
    return SegmentOfVideo(
        int(row["id"]), int(row["video_id"]), row["start_seconds"], row["end_seconds"]
    )


def code_of(row: Row) -> bytes:
    """A packed code, which pymilvus gives in a list of one."""
    code = row["code"]
    return bytes(code[0] if isinstance(code, list) else code)


def equals(field: str, value: str | int) -> str:
    """A condition that a field has a value."""
    return f"{field} == {_quoted(value) if isinstance(value, str) else value}"


def among(field: str, values: Iterable[int]) -> str:
    listed = [int(one) for one in values]  # those of an array too
    return f"{field} in {json.dumps(listed)}" if listed else NO_ROW


def _quoted(text: str) -> str:
    """Milvus' own escapes differ from version to version, but for these two."""
    if "\n" in text:
        raise ConfigError(f"Milvus can not be asked for names with line breaks, as {text!r} is.")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def where_of(wanted: VideoFilter) -> str:
    """A filter as Milvus has it; without its text, which no version looks for in any case."""
    parts = []
    if wanted.label == "":
        parts.append(NO_ROW)  # no video has it: "" stands for none here
    elif wanted.label is not None:
        parts.append(equals("label", _one_line(wanted.label)))
    if wanted.folder is not None:
        below = str(wanted.folder.absolute()).rstrip("/")
        first, last = _quoted(below + "/"), _quoted(below + "0")
        parts.append(f"path >= {first} and path < {last}")  # 0 comes after /
    if wanted.min_seconds is not None:
        parts.append(f"video_seconds >= {float(wanted.min_seconds)!r}")
    if wanted.max_seconds is not None:
        parts.append(f"video_seconds <= {float(wanted.max_seconds)!r}")
    return " and ".join(parts)


def checked_label(label: str | None) -> str:
    text = _one_line(label or "")
    if len(text.encode()) > _TEXT:
        raise ConfigError(f"A label of {len(text)} letters is too long: {text[:40]}…")
    return text


def _one_line(text: str) -> str:
    return printable(text).replace("\n", " ")


def _cut(text: str | None) -> str:
    return printable(text or "").encode()[: _TEXT - 3].decode("utf-8", "ignore")
