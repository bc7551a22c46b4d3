"""A library in Milvus as one opening found it. See `Opened`, in whose place it stands."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError, ModelMismatch
from bitreel.library.facts import Facts
from bitreel.library.listing import VideoFilter
from bitreel.library.searched_codes import SHORTLIST, Near
from bitreel.library.store.milvus_catalogue import MilvusCatalogue
from bitreel.library.store.milvus_client import MOST_ROWS, MilvusClient, Row
from bitreel.library.store.milvus_facts import MilvusFacts, RemoteFacts
from bitreel.library.store.milvus_segments import near
from bitreel.progress import Progress
from bitreel.search import AsymmetricReranker, Neighbours, Plan, Wish

if TYPE_CHECKING:
    from bitreel.model import Model


@dataclass(frozen=True)
class Condition:
    """Which segments may be answered, as Milvus reads it, and how many they are."""

    where: str
    segments: int

    def __len__(self) -> int:
        return self.segments


class MilvusSearched:
    """The codes of a library, searched by the server. See `SearchedCodes`."""

    def __init__(self, catalogue: MilvusCatalogue) -> None:
        self._catalogue = catalogue

    def allowed(self, wanted: VideoFilter, own: set[int]) -> Condition:
        """The segments of videos that fit. The caller leaves out the query's own among them."""
        where = self._catalogue.where(wanted)
        return Condition(where, self._catalogue.stored.count(where))

    def nearest(
        self,
        relaxed: NDArray[np.float32],
        k: int,
        *,
        recall: float,
        rerank: bool,
        allowed: Condition | None = None,
    ) -> list[Near]:
        """At most as many as Milvus gives. How it looks the address says, whatever the recall."""
        query, where = BinaryCodes.from_relaxed(relaxed), "" if allowed is None else allowed.where
        most = min(max(SHORTLIST, 10 * k) if rerank else k, MOST_ROWS)
        rows = self._catalogue.stored.search(query, most, where)[0]
        self._catalogue.remember(rows)
        return self._reranked(relaxed, rows, k) if rerank else near(rows)

    def _reranked(self, relaxed: NDArray[np.float32], rows: Sequence[Row], k: int) -> list[Near]:
        rows = sorted(rows, key=lambda row: int(row["id"]))
        ids = np.array([row["id"] for row in rows], np.int64)
        distances = np.array([row["distance"] for row in rows], np.int32)
        order = np.lexsort((ids, distances))
        reranker = AsymmetricReranker(self._catalogue.codes_of(ids, bits=relaxed.shape[1]), ids)
        best = reranker.rerank(relaxed, Neighbours(ids[order][None], distances[order][None]), k)
        fields = (best.ids, best.distances_bits, best.asymmetric_bits)
        return [Near(*one) for one in zip(*(field[0].tolist() for field in fields), strict=True)]

    def plan(self, wish: Wish, progress: Progress) -> Plan:
        raise ConfigError(
            f"The index of {self._catalogue} is the server's: choose it when the library is made, "
            f"by ?index=BIN_IVF_FLAT at the end of its address."
        )

    def planned(self) -> None:
        """Nothing is."""

    def is_plan_due(self) -> bool:
        return False


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


def fetch_model(remote: MilvusFacts, fingerprint: str, runtime: str) -> Model:
    """A model that lies with the library."""
    from bitreel.model import Model
    from bitreel.runtime import default_networks

    folder = remote.model(fingerprint)
    model = Model.load(folder).use_runtime(runtime, kept=default_networks())
    if model.fingerprint != fingerprint:
        raise ModelMismatch(
            f"{folder} is the model {model.fingerprint[:12]} and should be {fingerprint[:12]}: "
            f"delete that folder, and it is fetched again."
        )
    return model
