"""The tables of a library's catalogue. A change of them, or of what the facts in `meta` mean, is a
new SCHEMA_VERSION with a step in migration.py.

2: `segmenting` says how videos are cut; before, each was one segment. A video has the `content` of
its file, and one that failed may be `skipped`, which is no fault of its own. A library that was
given another model says where it lies (`model`), and what is kept of the one before (`kept`).
"""

from __future__ import annotations

SCHEMA_VERSION = 2

# A path or label is TEXT, or a BLOB where the file system's bytes are not UTF-8: hence no type,
# which in SQLite keeps a value as it came.
_TABLES = """
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
CREATE TABLE videos (
  id INTEGER PRIMARY KEY,
  path NOT NULL UNIQUE,
  size_bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('indexed', 'failed')),
  duration_seconds REAL,
  label,
  damage TEXT,
  reason TEXT,
  added_at TEXT NOT NULL,
  content BLOB,
  skipped INTEGER NOT NULL DEFAULT 0,
  CHECK ((status = 'indexed') = (duration_seconds IS NOT NULL)),
  CHECK ((status = 'failed') = (reason IS NOT NULL))
);
CREATE INDEX videos_of_content ON videos (content)
"""

_SEGMENTS = """
CREATE TABLE segments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  start_seconds REAL NOT NULL,
  end_seconds REAL NOT NULL,
  code BLOB NOT NULL CHECK (typeof(code) = 'blob' AND length(code) = {code_bytes}),
  CHECK (0 <= start_seconds AND start_seconds <= end_seconds)
);
CREATE INDEX segments_of_video ON segments (video_id)
"""


def statements(*, bits: int) -> list[str]:
    """The SQL that makes the tables for codes of `bits` bits, one statement each."""
    return [*_TABLES.split(";"), *segment_statements(bits=bits)]


def segment_statements(*, bits: int) -> list[str]:
    """Those of them that make the table of segments."""
    return _SEGMENTS.format(code_bytes=(bits + 7) // 8).split(";")
