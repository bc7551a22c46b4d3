"""The segments of a library in Milvus: written by video, searched by code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError
from bitreel.library.searched_codes import Near
from bitreel.library.store.milvus_client import MOST_ROWS, MilvusClient, Row
from bitreel.library.store.milvus_rows import (
    SEGMENT_COLUMNS,
    among,
    code_of,
    segment_fields,
    segment_index,
)
from bitreel.library.store.store import StoredSegments

_TIES = 16  # asked for beyond the k-th, to see whether others are as near
_RANGE = 256  # asked for at first
_CELLS = 100_000  # of queries times answers in one call
VIDEOS_AT_ONCE, _IDS_AT_ONCE = 200, 8_192


class MilvusSegments:
    """One collection. Every method raises LibraryError. Threads may share one."""

    def __init__(self, client: MilvusClient, collection: str, bits: int) -> None:
        self.client, self.collection, self.bits = client, collection, bits

    def create(self) -> None:
        address = self.client.address
        fields, index = segment_fields(self.bits, address), segment_index(address)
        self.client.create(self.collection, fields, index, address.partitions)

    def write(self, rows: Sequence[Row]) -> None:
        """In place of rows of the same ids."""
        self.client.upsert(self.collection, rows)

    def forget_others(
        self, video_ids: Sequence[int], kept: Iterable[int] = (), *, level: str = "Strong"
    ) -> None:
        """Forget the segments of videos, but for some."""
        rest = set(kept)
        for first in range(0, len(video_ids), VIDEOS_AT_ONCE):
            self._forget_others(video_ids[first : first + VIDEOS_AT_ONCE], rest, level)

    def _forget_others(self, video_ids: Sequence[int], kept: set[int], level: str) -> None:
        where = among("video_id", video_ids)
        found = self.client.every(self.collection, where, (), level=level)
        ids = [int(row["id"]) for rows in found for row in rows]
        self._delete([one for one in ids if one not in kept])

    def _delete(self, ids: Sequence[int]) -> None:
        for first in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[first : first + _IDS_AT_ONCE]
            self.client.delete(self.collection, among("id", some))

    def search(self, queries: BinaryCodes, k: int, where: str = "") -> list[list[Row]]:
        """Of each query the rows of the k nearest, by distance and id; all where there are fewer.

        Milvus says nothing of the order of equal distances, and cuts through them: where others may
        be as far as the k-th, more are asked for.
        """
        if k > MOST_ROWS:
            raise ConfigError(f"Milvus gives at most {MOST_ROWS} hits, got k={k}.")
        answers, limit = [list[Row]() for _ in queries.packed], min(k + _TIES, MOST_ROWS)
        open_rows = list(range(len(answers))) if k else []
        while open_rows:
            asked = [queries.packed[row].tobytes() for row in open_rows]
            found = self._asked_in_parts(asked, limit, where)
            for row, rows in zip(open_rows, found, strict=True):
                answers[row] = _ordered(rows)
            open_rows = [row for row in open_rows if _is_cut(answers[row], k, limit)]
            if limit == MOST_ROWS:
                break  # more than Milvus gives are as near: which of them is as it says
            limit = min(4 * limit, MOST_ROWS)
        return [rows[:k] for rows in answers]

    def range(self, queries: BinaryCodes, radius_bits: int, where: str = "") -> list[list[Row]]:
        """Of each query the rows at most so far away. Raises ConfigError where Milvus has more than
        it gives.

        More and more of the nearest are asked for: a range search of BIN_IVF_FLAT ends at the first
        lists that hold nothing near.
        """
        answers, limit = [list[Row]() for _ in queries.packed], _RANGE
        open_rows = list(range(len(answers)))
        while open_rows:
            asked = [queries.packed[row].tobytes() for row in open_rows]
            found = self._asked_in_parts(asked, limit, where)
            for row, rows in zip(open_rows, found, strict=True):
                answers[row] = [one for one in _ordered(rows) if one["distance"] <= radius_bits]
            open_rows = [row for row in open_rows if len(answers[row]) == limit]
            if open_rows and limit == MOST_ROWS:
                raise ConfigError(
                    f"More than {MOST_ROWS} segments are within {radius_bits} bits, which is more "
                    f"than Milvus gives: ask for a smaller radius."
                )
            limit = min(4 * limit, MOST_ROWS)
        return answers

    def _asked_in_parts(self, codes: Sequence[bytes], limit: int, where: str) -> list[list[Row]]:
        at_once = max(1, _CELLS // limit)
        parts = [codes[first : first + at_once] for first in range(0, len(codes), at_once)]
        return [rows for part in parts for rows in self._asked(part, limit, where)]

    def _params(self) -> Row:
        address = self.client.address
        if address.index == "BIN_FLAT":
            return {}
        return {"nprobe": address.nprobe or address.nlist}

    def _asked(self, codes: Sequence[bytes], limit: int, where: str) -> list[list[Row]]:
        params = self._params()
        return self.client.search(self.collection, codes, limit, where, SEGMENT_COLUMNS, params)

    def of_videos(self, video_ids: Iterable[int], *, level: str | None = None) -> list[Row]:
        """All rows of some videos, with their codes, by video and time."""
        columns = (*SEGMENT_COLUMNS, "video_seconds", "code")
        where = among("video_id", video_ids)
        found = self.client.every(self.collection, where, columns, level=level)
        rows = [row for rows in found for row in rows]
        return sorted(rows, key=lambda row: (row["video_id"], row["start_seconds"], row["id"]))

    def of_ids(self, ids: Sequence[int], *columns: str) -> dict[int, Row]:
        wanted = columns or SEGMENT_COLUMNS
        rows: list[Row] = []
        for first in range(0, len(ids), MOST_ROWS):
            where = among("id", ids[first : first + MOST_ROWS])
            rows += self.client.query(self.collection, where, ("id", *wanted))
        return {int(row["id"]): row for row in rows}

    def iterate(self, batch: int) -> Iterator[StoredSegments]:
        columns = ("path", "start_seconds", "end_seconds", "code")
        for rows in self.client.every(self.collection, "", columns, batch):
            yield StoredSegments(
                np.array([row["id"] for row in rows], np.int64),
                [Path(row["path"]) for row in rows],
                np.array([row["start_seconds"] for row in rows], np.float64),
                np.array([row["end_seconds"] for row in rows], np.float64),
                self.codes(rows),
            )

    def codes(self, rows: Sequence[Row]) -> BinaryCodes:
        packed = np.frombuffer(b"".join(map(code_of, rows)), np.uint8)
        return BinaryCodes(packed.reshape(len(rows), (self.bits + 7) // 8), self.bits)

    def count(self, where: str = "") -> int:
        return self.client.count(self.collection, where)


def near(rows: Sequence[Row]) -> list[Near]:
    return [Near(row["id"], row["distance"]) for row in rows]


def _ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["distance"], row["id"]))


def _is_cut(rows: list[Row], k: int, limit: int) -> bool:
    """Whether there may be others as near as the k-th."""
    return len(rows) == limit and rows[-1]["distance"] == rows[k - 1]["distance"]
