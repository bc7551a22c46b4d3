"""What a store in Milvus does: two collections, of the segments and of the files, by one name.

Milvus has no transactions. A video's segments are written before its line in the ledger: one whose
writer was killed in between is not known yet, is read again, and the same rows are written.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError
from bitreel.library.listing import VideoFilter
from bitreel.library.records import Fate, VideoRecord, in_batches
from bitreel.library.searched_codes import Near
from bitreel.library.store.address import Address
from bitreel.library.store.milvus_client import MilvusClient, Row
from bitreel.library.store.milvus_files import MilvusFiles, ids_of, kept_label
from bitreel.library.store.milvus_rows import among, id_of_video, segment_rows, where_of
from bitreel.library.store.milvus_segments import MilvusSegments, near
from bitreel.library.store.store import StoredSegments

_MOST_NAMED = 50_000  # videos in a condition


@contextmanager
def scratch_store(address: Address, bits: int) -> Iterator[MilvusStore]:
    """An empty store beside a library, which goes again. Raises LibraryError."""
    beside = replace(address, name=f"{address.name}_scratch_{secrets.token_hex(4)}")
    with closing(MilvusClient(beside)) as client:
        made = MilvusStore(client, "scratch", bits)
        try:
            made.create()
            yield made
        finally:
            made.drop()


class MilvusStore:
    """A `Store`. fingerprint: of the model that makes the codes. Threads may share one, and
    processes a server."""

    def __init__(self, client: MilvusClient, fingerprint: str, bits: int) -> None:
        self.client, self.fingerprint, self.bits = client, fingerprint, bits
        name = f"{client.address.name}_{fingerprint[:16]}"
        self.stored = MilvusSegments(client, name, bits)
        self.files = MilvusFiles(client, f"{name}_files")

    def create(self) -> None:
        """Make the collections, where they are not there, and have them held in memory."""
        self.stored.create()
        self.files.create()
        self.load()

    def load(self) -> None:
        for collection in (self.stored.collection, self.files.collection):
            self.client.load(collection)

    def drop(self) -> None:
        for collection in (self.stored.collection, self.files.collection):
            if self.client.has(collection):
                self.client.drop(collection)

    @property
    def place(self) -> str:
        """The library's address."""
        return str(self.client.address)

    def __str__(self) -> str:
        return self.place

    def add(self, videos: Sequence[VideoRecord]) -> None:
        known = self.files.rows_of(ids_of(video.path for video in videos), level="Session")
        self.write(
            [kept_label(video, known.get(id_of_video(video.path))) for video in videos], known
        )

    def delete(self, paths: Iterable[Path]) -> int:
        ids = ids_of(paths)
        known = self.files.rows_of(ids)
        self.stored.forget_others(ids)
        self.files.forget(ids)
        return sum(row["fate"] == Fate.INDEXED for row in known.values())

    def search(
        self, queries: BinaryCodes, k: int, wanted: VideoFilter | None = None
    ) -> list[list[Near]]:
        return [near(rows) for rows in self.stored.search(queries, k, self.where(wanted))]

    def range(
        self, queries: BinaryCodes, radius_bits: int, wanted: VideoFilter | None = None
    ) -> list[list[Near]]:
        return [near(rows) for rows in self.stored.range(queries, radius_bits, self.where(wanted))]

    def count(self, wanted: VideoFilter | None = None) -> int:
        return self.stored.count(self.where(wanted))

    def iterate(self, batch: int = 10_000) -> Iterator[StoredSegments]:
        return self.stored.iterate(batch)

    def flush(self) -> None:
        for collection in (self.stored.collection, self.files.collection):
            self.client.flush(collection)

    def close(self) -> None:
        self.client.close()

    def where(self, wanted: VideoFilter | None) -> str:
        """A filter as a condition on segments."""
        if wanted is None:
            return ""
        if not wanted.text:
            return where_of(wanted)
        found = [row["id"] for row in self.files.videos(wanted)]
        if len(found) > _MOST_NAMED:
            raise ConfigError(
                f"{len(found)} videos have {wanted.text!r} in their path, and Milvus can be told "
                f"{_MOST_NAMED}: ask for a longer text."
            )
        return among("video_id", found)

    def write(self, records: Sequence[VideoRecord], known: Mapping[int, Row]) -> None:
        """Segments first, then the ledger. known: the rows there that are written over."""
        for some in in_batches(records):
            self._write(some, known)

    def _write(self, records: Sequence[VideoRecord], known: Mapping[int, Row]) -> None:
        ids = ids_of(record.path for record in records)
        rows = [row for record in records for row in segment_rows(record)]
        self.stored.write(rows)
        kept = [row["id"] for row in rows]
        self.stored.forget_others([one for one in ids if one in known], kept)
        # What one left who was killed before the line in the ledger.
        new = [one for one in ids if one not in known]
        self.stored.forget_others(new, kept, level="Session")
        self.files.put(records)
