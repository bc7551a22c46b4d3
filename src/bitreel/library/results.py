"""What a library answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bitreel.video import Segmenting


@dataclass(frozen=True)
class Hit:
    """One answer: a place in an indexed video, one segment or several that follow each other.

    rank: 1 is the nearest. start_seconds, end_seconds: of all segments of the place together.
    segment_id: of its nearest. distance_bits: of that one from the query; to a query of several
    segments it is the mean, rounded, of what each of these has to the nearest segment of the place.
    similarity: 1 - distance / bits, the distance not rounded, so 1.0 is the same code and about 0.5
    is what two unrelated codes have. asymmetric_bits: the distance from the query's relaxed bits,
    which ranks the hits and is the similarity's where they were re-ranked; None where not. label:
    None where it is not known. video_id: of the video that the place is in.
    """

    rank: int
    path: Path
    start_seconds: float
    end_seconds: float
    distance_bits: int
    similarity: float
    label: str | None
    segment_id: int
    video_id: int
    asymmetric_bits: float | None = None


@dataclass(frozen=True)
class SearchResults:
    """The hits of one query, nearest first, equal distances in the order of segment ids.

    query: absolute path, and the range of it that was asked with. damage: what was wrong with the
    query's frames, None when nothing. segments: how many the query was compared with.
    query_segments: into how many the query was cut.
    """

    query: Path
    start_seconds: float
    end_seconds: float
    hits: tuple[Hit, ...]
    damage: str | None
    segments: int
    query_segments: int = 1


@dataclass(frozen=True)
class AddReport:
    """What one call of `Library.add` did with the distinct videos that it was given.

    added: videos that were not in the library. replaced: indexed again because the file changed.
    moved: found at another place, with the codes that they had. unchanged: left as they are,
    `relabelled` of them with another label than before. failures: videos that can not be read, with
    the reason in plain words; those too that failed before and did not change since, which are not
    tried again. damaged: videos indexed by this call though some of their frames were, with what
    was wrong.

    Of folders, by `Library.sync`: removed: videos whose files are gone. skipped: files in the
    folders that were not wanted. absent: folders that are empty now, with how many files they are
    missing; nothing of these was removed.
    """

    added: int = 0
    replaced: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    relabelled: int = 0
    failures: Mapping[Path, str] = field(default_factory=dict)
    damaged: Mapping[Path, str] = field(default_factory=dict)
    skipped: int = 0
    absent: Mapping[Path, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        return len(self.failures)


@dataclass(frozen=True)
class MigrationReport:
    """What a change of a library's model came to.

    changed: False where the library had that model already. model_fingerprint, bits: of the model
    that it has now. forgotten: videos that can not be read any more and lost their codes by this,
    with the reason.
    """

    changed: bool
    model_fingerprint: str
    bits: int
    videos: int
    segments: int
    forgotten: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UnderWay:
    """A migration to another model that is not complete: videos encoded, of how many."""

    model_fingerprint: str
    bits: int
    done: int
    total: int


@dataclass(frozen=True)
class KeptModel:
    """What a library was before its model was changed. rolled_back: that change was a way back, and
    this is what it came back from."""

    model_fingerprint: str
    bits: int
    videos: int
    rolled_back: bool


@dataclass(frozen=True)
class Status:
    """What is in a library.

    folder: where it lies, or its address. videos: that are indexed; quarantined: that could not be
    read; skipped: files that were not wanted, or could not be opened. labels: how many videos each
    label has; `videos` less their sum have none. damaged: indexed videos some of whose frames were
    damaged. bytes_on_disk: of all files; on a server, of the codes. model_fingerprint: of the model
    that made the codes. segmenting: how videos are cut. seconds: of video, all together. migration:
    to another model, None where none is under way. kept_model: what the model before made, None
    where that is not kept.
    """

    folder: Path | str
    bits: int
    model_fingerprint: str
    segmenting: Segmenting
    videos: int
    segments: int
    quarantined: int
    skipped: int
    damaged: int
    labels: Mapping[str, int]
    seconds: float
    bytes_on_disk: int
    migration: UnderWay | None = None
    kept_model: KeptModel | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self) | {"folder": str(self.folder), "labels": dict(self.labels)}
