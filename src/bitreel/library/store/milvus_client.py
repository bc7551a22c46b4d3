"""A connection to Milvus."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

from bitreel.errors import ConfigError, LibraryError
from bitreel.library.store.address import Address
from bitreel.library.store.milvus_errors import told

MOST_ROWS = 16_384  # that Milvus gives in one answer
_LONG = 10  # times the timeout: what a server does for all rows
_OWN_WRITES_SECONDS = 10.0  # until what was written is seen by all
_ROWS_AT_ONCE = 2_000
_OLDEST, _OLDEST_WITH_PARTITIONS = (2, 3), (2, 4)

Row = dict[str, Any]

# When this process wrote last to a library, by whatever client.
_WROTE: defaultdict[tuple[str, str], float] = defaultdict(lambda: float("-inf"))
_DELETED: defaultdict[tuple[str, str], float] = defaultdict(lambda: float("-inf"))

# Lite is a process of its own for each file, which all clients of this process share.
_LITE_CLIENTS = Counter[str]()
_LITE_TURN = threading.Lock()
_LITE_WRITING = threading.Lock()  # two upserts of one row at once would leave it there twice


class MilvusClient:
    """Rows of a library's collections. Every method raises LibraryError. Threads may share one."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._timeout, self._is_closed = address.timeout_seconds, False
        self._writing = _LITE_WRITING if address.is_lite else nullcontext()
        pymilvus = _pymilvus(address)
        with told(address), _LITE_TURN:
            self._client = pymilvus.MilvusClient(
                address.uri, token=address.token, timeout=address.timeout_seconds
            )
            _LITE_CLIENTS[address.uri] += address.is_lite
        self._types = pymilvus.DataType
        try:
            self._check_version()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        with told(self.address), _LITE_TURN:
            self._client.close()
            if self.address.is_lite:
                _LITE_CLIENTS[self.address.uri] -= 1
                if not _LITE_CLIENTS[self.address.uri]:
                    _end_lite(self.address.uri)

    def has(self, collection: str) -> bool:
        with told(self.address):
            return bool(self._client.has_collection(collection, timeout=self._timeout))

    def collections(self) -> list[str]:
        with told(self.address):
            return [str(name) for name in self._client.list_collections(timeout=self._timeout)]

    def create(
        self, collection: str, fields: Sequence[Row], index: Row, partitions: int | None = None
    ) -> None:
        """fields: as `add_field` takes them, types by name; index: of the only vector."""
        if self.has(collection):
            return
        with told(self.address):
            schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
            for field in fields:
                kind = getattr(self._types, field["type"])
                rest = {key: value for key, value in field.items() if key not in ("name", "type")}
                schema.add_field(field["name"], kind, **rest)
            params = self._client.prepare_index_params()
            params.add_index(**index)
            spread = {} if partitions is None else {"num_partitions": partitions}
            self._client.create_collection(
                collection,
                schema=schema,
                index_params=params,
                consistency_level="Bounded",
                timeout=_LONG * self._timeout,
                **spread,
            )

    def load(self, collection: str) -> None:
        """Have the server hold it in memory, where it does not already."""
        with told(self.address):
            self._client.load_collection(collection, timeout=_LONG * self._timeout)

    def drop(self, collection: str) -> None:
        with told(self.address):
            self._client.drop_collection(collection, timeout=self._timeout)

    def upsert(self, collection: str, rows: Sequence[Row]) -> None:
        """In place of rows of the same ids. Returns when the server has them in its log."""
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            with told(self.address), self._writing:
                some = list(rows[first : first + _ROWS_AT_ONCE])
                self._client.upsert(collection, some, timeout=self._timeout)
        _WROTE[self._place] = time.monotonic()

    def delete(self, collection: str, where: str) -> None:
        with told(self.address), self._writing:
            self._client.delete(collection, filter=where, timeout=self._timeout)
        _DELETED[self._place] = time.monotonic()

    def flush(self, collection: str) -> None:
        with told(self.address):
            self._client.flush(collection, timeout=_LONG * self._timeout)

    def query(
        self, collection: str, where: str, fields: Sequence[str], *, level: str | None = None
    ) -> list[Row]:
        """At most `MOST_ROWS` rows."""
        with told(self.address):
            found = self._client.query(
                collection,
                filter=where,
                output_fields=list(fields),
                limit=MOST_ROWS,
                consistency_level=level or self.level,
                timeout=self._timeout,
            )
            return [dict(row) for row in found]

    def every(
        self,
        collection: str,
        where: str,
        fields: Sequence[str],
        batch: int = 8_192,
        *,
        level: str | None = None,
    ) -> Iterator[list[Row]]:
        """All rows by their ids, which are 0 or more, so many at a time."""
        last = -1
        while True:
            # Milvus answers a limited query in the order of ids, as its own iterators rely on.
            with told(self.address):
                rows = self._client.query(
                    collection,
                    filter=f"id > {last}" + (f" and ({where})" if where else ""),
                    output_fields=["id", *fields],
                    limit=min(batch, MOST_ROWS),
                    consistency_level=level or self.level,
                    timeout=self._timeout,
                )
            rows = sorted((dict(row) for row in rows), key=lambda row: int(row["id"]))
            if rows:
                yield rows
                last = int(rows[-1]["id"])
            if len(rows) < min(batch, MOST_ROWS):
                return

    def count(self, collection: str, where: str = "") -> int:
        with told(self.address):
            found = self._client.query(
                collection,
                filter=where,
                output_fields=["count(*)"],
                consistency_level=self.level,
                timeout=self._timeout,
            )
            return int(found[0]["count(*)"])

    def search(
        self,
        collection: str,
        codes: Sequence[bytes],
        limit: int,
        where: str,
        fields: Sequence[str],
        params: Row,
    ) -> list[list[Row]]:
        """Of each code the nearest rows, with `id` and `distance` and the fields beside them."""
        with told(self.address):
            found = self._client.search(
                collection,
                data=list(codes),
                anns_field="code",
                limit=limit,
                filter=where,
                output_fields=list(fields),
                search_params={"metric_type": "HAMMING", "params": params},
                consistency_level=self.level,
                timeout=self._timeout,
            )
            return [
                [
                    {**row["entity"], "id": int(row["id"]), "distance": int(row["distance"])}
                    for row in rows
                ]
                for rows in found
            ]

    @property
    def _place(self) -> tuple[str, str]:
        return self.address.uri, self.address.name

    @property
    def level(self) -> str:
        """How fresh a read must be: what this process wrote a moment ago is always seen."""
        if self.address.consistency == "Bounded" and not self.address.is_lite:
            now = time.monotonic()
            # A session does not know of what was deleted in it.
            if now - _DELETED[self._place] < _OWN_WRITES_SECONDS:
                return "Strong"
            return "Session" if now - _WROTE[self._place] < _OWN_WRITES_SECONDS else "Bounded"
        return self.address.consistency

    def _check_version(self) -> None:
        """Raises LibraryError for a server that is too old."""
        if self.address.is_lite:
            return
        with told(self.address):
            version = str(self._client.get_server_version(timeout=self._timeout))
        numbers = version.lstrip("v").split(".")[:2]
        # Before 2.4 what is written again goes to a partition where no one looks for it.
        oldest = _OLDEST if self.address.partitions is None else _OLDEST_WITH_PARTITIONS
        if all(number.isdigit() for number in numbers) and tuple(map(int, numbers)) < oldest:
            raise LibraryError(
                f"The Milvus server at {self.address} is of version {version}, and bitreel wants "
                f"{'.'.join(map(str, oldest))} or later"
                f"{'' if oldest is _OLDEST else ' for partitions'}: bring the server up to date"
                f"{'' if oldest is _OLDEST else ', or leave them out'}."
            )


def _pymilvus(address: Address) -> Any:
    """The package, without what it prints. Raises ConfigError where it is not installed."""
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    logging.getLogger("pymilvus.decorators").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of packages that it imports
            import pymilvus

            if address.is_lite:
                import milvus_lite  # noqa: F401  # before pymilvus does, whose message is shorter
    except ImportError as error:
        raise ConfigError(
            f"Libraries in Milvus want a package that is not installed ({error}): "
            f"`pip install 'bitreel[milvus]'`."
        ) from error
    return pymilvus


def _end_lite(path: str) -> None:
    from milvus_lite.server_manager import server_manager_instance

    server_manager_instance.release_server(path)
