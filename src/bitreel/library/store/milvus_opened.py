"""A library in Milvus as one opening found it. See `Opened`, in whose place it stands."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError, ModelMismatch
from bitreel.library.facts import Facts
from bitreel.library.listing import VideoFilter
from bitreel.library.results import KeptModel, UnderWay
from bitreel.library.searched_codes import SHORTLIST, Near, near_of
from bitreel.library.store.address import Address
from bitreel.library.store.milvus_catalogue import MilvusCatalogue
from bitreel.library.store.milvus_client import MOST_ROWS, MilvusClient, Row
from bitreel.library.store.milvus_facts import MilvusFacts, RemoteFacts, fetch_model
from bitreel.library.store.milvus_remodelling import MilvusRemodelling, kept_model, under_way
from bitreel.library.store.milvus_rows import among
from bitreel.library.store.milvus_segments import near
from bitreel.progress import Progress
from bitreel.search import AsymmetricReranker, Neighbours, Plan, Wish
from bitreel.video import Segmenting

if TYPE_CHECKING:
    from bitreel.model import Model


@dataclass(frozen=True)
class Condition:
    """Which segments may be answered, as Milvus reads it, and how many they are."""

    where: str
    segments: int

    def __len__(self) -> int:
        return self.segments


def is_there(address: Address) -> bool:
    """Whether a library stands there. Raises LibraryError."""
    with closing(MilvusClient(address)) as client:
        return MilvusFacts(client).exists()


def make(address: Address, model: Model, segmenting: Segmenting) -> bool:
    """Make an empty library. False where there is one already. Raises LibraryError."""
    if model.bits % 8:
        raise ConfigError(f"Milvus holds codes of whole bytes, the model's have {model.bits} bits.")
    with closing(MilvusClient(address)) as client:
        remote = MilvusFacts(client)
        if remote.exists():
            return False
        remote.create()
        remote.put_model(model)
        MilvusCatalogue(client, model.fingerprint, model.bits).create()
        remote.write(
            RemoteFacts(
                model.bits,
                model.fingerprint,
                segmenting,
                index=address.index,
                nlist=address.nlist,
                partitions=address.partitions,
            )
        )
    return True


def open_at(address: Address, model: Model | None, runtime: str) -> MilvusOpened:
    """Raises LibraryError where there is no library."""
    client = MilvusClient(address)
    try:
        facts = MilvusFacts(client).read()
        # How it was made holds, whatever the address asks for.
        client.address = replace(
            address, index=facts.index, nlist=facts.nlist, partitions=facts.partitions
        )
        return MilvusOpened(client, facts, model, runtime)
    except BaseException:
        client.close()
        raise


class MilvusSearched:
    """The codes of a library, searched by the server. See `SearchedCodes`."""

    def __init__(self, catalogue: MilvusCatalogue) -> None:
        self._catalogue = catalogue

    def allowed(self, wanted: VideoFilter, own: set[int]) -> Condition:
        """The segments of videos that fit. The caller leaves out the query's own among them."""
        where, stored = self._catalogue.where(wanted), self._catalogue.stored
        fitting = stored.count(where)
        if own and where:
            fitting -= stored.count(f"({where}) and {among('id', sorted(own))}")
        return Condition(where, fitting)

    def nearest(
        self,
        relaxed: NDArray[np.float32],
        k: int,
        *,
        recall: float,
        rerank: bool,
        allowed: Condition | None = None,
    ) -> list[list[Near]]:
        """At most as many as Milvus gives. How it looks the address says, whatever the recall."""
        queries, where = BinaryCodes.from_relaxed(relaxed), "" if allowed is None else allowed.where
        most = min(max(SHORTLIST, 10 * k) if rerank else k, MOST_ROWS)
        found = self._catalogue.stored.search(queries, most, where)
        self._catalogue.remember(found)
        return self._reranked(relaxed, found, k) if rerank else [near(rows) for rows in found]

    def _reranked(
        self, relaxed: NDArray[np.float32], found: Sequence[Sequence[Row]], k: int
    ) -> list[list[Near]]:
        """Query by query: of some lists fewer rows come than of others."""
        ids = np.unique(np.array([row["id"] for rows in found for row in rows], np.int64))
        reranker = AsymmetricReranker(self._catalogue.codes_of(ids, bits=relaxed.shape[1]), ids)
        return [
            near_of(reranker.rerank(relaxed[[at]], _neighbours(rows), k))[0]
            for at, rows in enumerate(found)
        ]

    def replan(self, progress: Progress) -> Plan:
        return self.plan(Wish(), progress)

    def plan(self, wish: Wish, progress: Progress) -> Plan:
        raise ConfigError(
            f"The index of {self._catalogue} is the server's: choose it when the library is made, "
            f"by ?index=BIN_IVF_FLAT at the end of its address."
        )

    def planned(self) -> None:
        """Nothing is."""

    def is_plan_due(self) -> bool:
        return False


def _neighbours(rows: Sequence[Row]) -> Neighbours:
    """Of one query."""
    ids = np.array([row["id"] for row in rows], np.int64)
    return Neighbours(ids[None], np.array([row["distance"] for row in rows], np.int32)[None])


class MilvusOpened:
    """Threads may share one. given: the model was in memory already."""

    def __init__(
        self, client: MilvusClient, facts: RemoteFacts, model: Model | None, runtime: str
    ) -> None:
        self.client, self.remote, self._runtime = client, MilvusFacts(client), runtime
        self.catalogue = MilvusCatalogue(client, facts.fingerprint, facts.bits, self.remote)
        self.catalogue.load()
        self.searched = MilvusSearched(self.catalogue)
        self.facts = Facts(
            facts.bits,
            facts.fingerprint,
            facts.segmenting,
            kept=facts.former,
            rolled_back=facts.rolled_back,
        )
        self.given, self._model = model is not None, model
        self._loading = threading.Lock()

    def model(self) -> Model:
        """Fetched from the server when it is first asked for. Raises ModelError, and ModelMismatch
        where another one came."""
        with self._loading:
            if self._model is None:
                self._model = fetch_model(self.remote, self.facts.fingerprint, self._runtime)
            return self._model

    def size_bytes(self) -> int:
        """Of the codes: the server does not say what they take on its disk."""
        return self.catalogue.segments() * ((self.facts.bits + 7) // 8)

    def under_way(self) -> UnderWay | None:
        return under_way(self.client, self.remote.read())

    def kept_model(self) -> KeptModel | None:
        return kept_model(self.client, self.remote.read())

    def remodelling(self, progress: Progress, *, forget_missing: bool) -> MilvusRemodelling:
        return MilvusRemodelling(self.client, progress, self._runtime, forget_missing)

    def again(self) -> MilvusOpened:
        """The library as it is now. Raises as `Opened.again` does."""
        return self.with_model(self._model if self.given else None)

    def with_model(self, known: Model | None) -> MilvusOpened:
        facts = self.remote.read()
        if known is not None and known.fingerprint != facts.fingerprint:
            raise ModelMismatch(
                f"The library {self.catalogue} was given another model ({facts.fingerprint[:12]}) "
                f"since it was opened with {known.fingerprint[:12]}: open it again, with that "
                f"model or without one to use the library's own."
            )
        return MilvusOpened(self.client, facts, known, self._runtime)
