"""From a query to the answer of a library."""

from __future__ import annotations

from dataclasses import dataclass

from bitreel.errors import ConfigError
from bitreel.library.engine import AnyOpened
from bitreel.library.listing import VideoFilter
from bitreel.library.places import find_places
from bitreel.library.query import Query
from bitreel.library.results import SearchResults
from bitreel.search import Wish


@dataclass(frozen=True)
class Terms:
    """On which a query is answered: see `Library.search`. Raises ConfigError where they make no
    sense."""

    k: int
    exclude_self: bool
    recall: float
    rerank: bool = False
    wanted: VideoFilter | None = None

    def __post_init__(self) -> None:
        if self.k < 0:
            raise ConfigError(f"The number of hits must be 0 or more, got k={self.k}.")
        Wish(self.recall)


def answer(opened: AnyOpened, asked: Query, terms: Terms) -> SearchResults:
    """The answer of one moment. Raises LibraryError."""
    catalogue = opened.catalogue
    with catalogue.transaction():
        own = catalogue.segment_ids(asked.path) if terms.exclude_self else set()
        wanted = None if terms.wanted == VideoFilter() else terms.wanted
        allowed = None if wanted is None else opened.searched.allowed(wanted, own)
        hits = find_places(
            catalogue,
            opened.searched,
            asked.relaxed,
            terms.k,
            own=own,
            allowed=allowed,
            recall=terms.recall,
            rerank=terms.rerank,
        )
        return SearchResults(
            query=asked.path,
            start_seconds=asked.start_seconds,
            end_seconds=asked.end_seconds,
            hits=hits,
            damage=str(asked.damage) if asked.damage else None,
            segments=catalogue.segments() - len(own) if allowed is None else len(allowed),
            query_segments=len(asked.relaxed),
        )
