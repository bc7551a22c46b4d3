"""The ledger of a library in Milvus: what became of every file."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bitreel.library.ledger import Counts
from bitreel.library.listing import VideoFilter
from bitreel.library.records import Entry, Fate, FileState, VideoRecord, printable
from bitreel.library.store.milvus_client import MilvusClient, Row
from bitreel.library.store.milvus_rows import (
    FILE_COLUMNS,
    FILE_FIELDS,
    NO_VECTOR_INDEX,
    NOTHING,
    among,
    entry_of,
    equals,
    file_row,
    id_of_video,
    where_of,
)

_IDS_AT_ONCE = 4_096
_FRESH_SECONDS = 10.0
INDEXED = equals("fate", str(Fate.INDEXED))


@dataclass(frozen=True)
class Summary:
    """Of all files together. labels: of the indexed ones, in their order."""

    counts: Counts
    labels: Mapping[str, int]


@dataclass
class MilvusFiles:
    """One collection. Every method raises LibraryError. Threads may share one."""

    client: MilvusClient
    collection: str
    _summary: tuple[float, Summary] | None = field(default=None, repr=False)

    def create(self) -> None:
        self.client.create(self.collection, FILE_FIELDS, NO_VECTOR_INDEX)

    def row(self, path: Path) -> Row | None:
        """As this process knows it: its own writes are seen, whatever the consistency."""
        return self.rows_of([id_of_video(path)], level="Session").get(id_of_video(path))

    def rows_of(self, ids: Sequence[int], *, level: str | None = None) -> dict[int, Row]:
        found: dict[int, Row] = {}
        for first in range(0, len(ids), _IDS_AT_ONCE):
            where = among("id", ids[first : first + _IDS_AT_ONCE])
            rows = self.client.query(self.collection, where, FILE_COLUMNS, level=level)
            found |= {int(row["id"]): row for row in rows}
        return found

    def rows(
        self,
        where: str = "",
        columns: Sequence[str] = FILE_COLUMNS,
        *,
        level: str | None = None,
    ) -> list[Row]:
        """All that fit, in the order of ids."""
        found = self.client.every(self.collection, where, columns, level=level)
        return [row for rows in found for row in rows]

    def put(self, records: Sequence[VideoRecord], *, skipped: bool = False) -> None:
        self.write([file_row(record, skipped=skipped) for record in records])

    def write(self, rows: Sequence[Row]) -> None:
        self._summary = None
        self.client.upsert(self.collection, [row | NOTHING for row in rows])

    def forget(self, ids: Sequence[int]) -> None:
        self._summary = None
        for first in range(0, len(ids), _IDS_AT_ONCE):
            where = among("id", ids[first : first + _IDS_AT_ONCE])
            self.client.delete(self.collection, where)

    def skip(self, reasons: Mapping[Path, str]) -> None:
        """See `Ledger.skip`."""
        names = {path: Path(printable(path)) for path in reasons}
        known = self.rows_of(ids_of(names.values()))
        records = []
        for path, reason in reasons.items():
            row = known.get(id_of_video(names[path]))
            if row is None or (row["fate"] == Fate.SKIPPED and row["reason"] != reason):
                state = FileState.of(path) or FileState(0, 0)
                records.append(VideoRecord(names[path], state, reason=reason))
        self.put(records, skipped=True)

    def count(self, fate: Fate | None = None) -> int:
        return self.client.count(self.collection, _of(fate))

    def entries(self, fate: Fate | None, text: str | None) -> list[Entry]:
        """In the order of paths."""
        rows = self.rows(_of(fate))
        wanted = [row for row in rows if _is_in(text, row["path"]) or _is_in(text, row["reason"])]
        return sorted(map(entry_of, wanted), key=lambda entry: entry.path)

    def videos(self, wanted: VideoFilter) -> list[Row]:
        """The ids and paths of the indexed files that fit, in the order of paths."""
        where = " and ".join(part for part in (INDEXED, where_of(wanted)) if part)
        rows = [row for row in self.rows(where, ("path",)) if _is_in(wanted.text, row["path"])]
        return sorted(rows, key=lambda row: str(row["path"]))

    def same_content(self, content: bytes) -> list[Row]:
        where = f"{equals('content', content.hex())} and {INDEXED}"
        return self.client.query(self.collection, where, FILE_COLUMNS, level="Session")

    def summary(self) -> Summary:
        """Counted on this side, and remembered for some seconds: Milvus does not add up."""
        now = time.monotonic()
        if self._summary is None or now - self._summary[0] > _FRESH_SECONDS:
            self._summary = now, self._count()
        return self._summary[1]

    def _count(self) -> Summary:
        fates, labels = Counter[str](), Counter[str]()
        damaged, seconds = 0, 0.0
        columns = ("fate", "label", "damage", "video_seconds")
        for rows in self.client.every(self.collection, "", columns):
            for row in rows:
                fates[row["fate"]] += 1
                if row["fate"] == Fate.INDEXED:
                    damaged += bool(row["damage"])
                    seconds += row["video_seconds"]
                    if row["label"]:
                        labels[row["label"]] += 1
        indexed, bad, skipped = (
            fates[str(f)] for f in (Fate.INDEXED, Fate.QUARANTINED, Fate.SKIPPED)
        )
        return Summary(
            Counts(indexed, bad, skipped, damaged, seconds), dict(sorted(labels.items()))
        )


def _of(fate: Fate | None) -> str:
    return "" if fate is None else equals("fate", str(fate))


def _is_in(text: str | None, whole: str) -> bool:
    """In any case, of the letters that SQLite knows the cases of."""
    return not text or text.encode("utf-8", "surrogateescape").lower() in whole.encode().lower()


def with_state(entry: Row, state: FileState) -> Row:
    return entry | {"size_bytes": state.size_bytes, "mtime_ns": state.mtime_ns}


def kept_label(record: VideoRecord, known: Row | None) -> VideoRecord:
    """A file that comes without a label keeps the one that it had."""
    if record.label is not None or known is None:
        return record
    return replace(record, label=known["label"] or None)


def ids_of(paths: Iterable[Path]) -> list[int]:
    return [id_of_video(path) for path in paths]
