"""The table of an open `.parquet`, of which nothing is unpacked but what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

from bitreel.errors import CodesError
from bitreel.library.exchange.bounds import check_unpacked
from bitreel.library.exchange.exported import About
from bitreel.library.exchange.packages import package

KEY = b"bitreel"  # in the schema's metadata
OF_VIDEO = (
    ("path", "string", False),
    ("path_bytes", "binary", True),
    ("duration_seconds", "float64", False),
    ("size_bytes", "int64", False),
    ("mtime_ns", "int64", False),
    ("label", "string", True),
    ("label_bytes", "binary", True),
    ("damage", "string", True),
    ("content", "binary", True),
)
TEXTS = [name for name, kind, _ in OF_VIDEO if kind in ("string", "binary")]
# They are repeated in each segment of a video, so that a file packs them better than codes.
_MOST_TIMES_TEXT = 1000


def read_about(pa: Any, pq: Any, file: IO[bytes]) -> tuple[About, list[str]]:
    """What the file says of itself, checked as far as that can be without reading a row, and the
    columns to read."""
    with pq.ParquetFile(file) as opened:
        found, metadata = opened.schema_arrow, opened.metadata
    if KEY not in (found.metadata or {}):
        raise CodesError("it was not written by `bitreel export`")
    about = About.parse(found.metadata[KEY])
    schema = schema_of(pa, about.bits)
    _check_schema(schema, found)
    if metadata.num_rows != about.segments:
        raise CodesError(f"it holds {metadata.num_rows} segments in place of {about.segments}")
    row_bytes = sum(field.type.bit_width // 8 for field in schema if field.name not in TEXTS)
    check_unpacked(metadata.num_rows * row_bytes, file)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    check_unpacked(sum(group.total_byte_size for group in groups), file)
    return about, schema.names


def read_table(pa: Any, about: About, file: IO[bytes], batches: Iterable[Any]) -> Any:
    """All rows, texts spelled out; they are counted before that."""
    schema, text_bytes, parts = schema_of(pa, about.bits), 0, []
    for batch in batches:
        columns = []
        for name in schema.names:
            column = batch.column(name)
            if name in TEXTS:
                text_bytes += _spelled_out_bytes(pa, column)
                check_unpacked(text_bytes, file, times=_MOST_TIMES_TEXT)
                column = column.dictionary_decode()
            columns.append(column)
        parts.append(pa.RecordBatch.from_arrays(columns, names=schema.names))
    types = [pa.field(field.name, field.type) for field in schema]
    return pa.Table.from_batches(parts, pa.schema(types))


def _spelled_out_bytes(pa: Any, column: Any) -> int:
    compute = package("pyarrow.compute", "Parquet")
    lengths = compute.binary_length(column.dictionary).cast(pa.int64())
    return compute.sum(lengths.take(column.indices)).as_py() or 0


def schema_of(pa: Any, bits: int) -> Any:
    """Of the table of an export, with the names and types that it has on the disk."""
    width = (bits + 7) // 8
    own = [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("video", pa.int64(), nullable=False),
        pa.field("start_seconds", pa.float64(), nullable=False),
        pa.field("end_seconds", pa.float64(), nullable=False),
        pa.field("code", pa.binary(width), nullable=False),
    ]
    videos = [
        pa.field(name, getattr(pa, kind)(), nullable=nullable) for name, kind, nullable in OF_VIDEO
    ]
    return pa.schema([*own, *videos])


def _check_schema(expected: Any, found: Any) -> None:
    for field in expected:
        index = found.get_field_index(field.name)
        if index < 0:
            raise CodesError(f"the column {field.name} is missing in it")
        if found.field(index).type != field.type:
            raise CodesError(
                f"the column {field.name} in it is {found.field(index).type}, and not {field.type}"
            )
