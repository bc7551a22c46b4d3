"""What the API sends of the library as a whole: its state and its ledger."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, Field

from bitreel.library import Entry, Library, Status
from bitreel.library.records import printable, resolved
from bitreel.library.results import KeptModel, UnderWay
from bitreel.server.schemas import shown
from bitreel.version import __version__
from bitreel.video import Segmenting


class LibraryItem(BaseModel):
    """How the library's codes are made. fingerprint: of the model."""

    folder: str
    uri: str
    bits: int
    fingerprint: str
    segmenting: Segmenting

    @classmethod
    def of(cls, library: Library) -> LibraryItem:
        return cls(
            folder=printable(str(library.site)),
            uri=_uri(library.site if isinstance(library.site, Path) else str(library.site)),
            bits=library.bits,
            fingerprint=library.fingerprint,
            segmenting=library.segmenting,
        )


class StatusItem(BaseModel):
    """What the library holds. model: the fingerprint of the one that made its codes."""

    version: str
    folder: str
    uri: str
    videos: int
    segments: int
    seconds: float
    quarantined: int
    skipped: int
    damaged: int
    bits: int
    model: str
    segmenting: Segmenting
    bytes_on_disk: int
    labels: dict[str, int]
    migration: UnderWay | None
    kept_model: KeptModel | None
    folders: list[str] = Field(description="Below which videos may be added over HTTP.")

    @classmethod
    def of(cls, status: Status, folders: Iterable[Path]) -> StatusItem:
        return cls(
            version=__version__,
            folder=printable(status.folder),
            uri=_uri(status.folder),
            videos=status.videos,
            segments=status.segments,
            seconds=status.seconds,
            quarantined=status.quarantined,
            skipped=status.skipped,
            damaged=status.damaged,
            bits=status.bits,
            model=status.model_fingerprint,
            segmenting=status.segmenting,
            bytes_on_disk=status.bytes_on_disk,
            labels={printable(label): count for label, count in status.labels.items()},
            migration=status.migration,
            kept_model=status.kept_model,
            folders=[printable(resolved(folder)) for folder in folders],
        )


class EntryItem(BaseModel):
    """A line of the ledger. video_id: where the file is indexed. content: by what the same content
    is known, in hexadecimal digits."""

    path: str
    uri: str
    fate: str
    video_id: int | None
    label: str | None
    reason: str | None
    damage: str | None
    size_bytes: int
    modified_ns: int
    content: str | None

    @classmethod
    def of(cls, entry: Entry) -> EntryItem:
        return cls(
            path=printable(entry.path),
            uri=entry.path.as_uri(),
            fate=str(entry.fate),
            video_id=entry.video_id,
            label=shown(entry.label),
            reason=entry.reason,
            damage=entry.damage,
            size_bytes=entry.state.size_bytes,
            modified_ns=entry.state.mtime_ns,
            content=None if entry.content is None else entry.content.hex(),
        )


class LedgerPage(BaseModel):
    """A page of the ledger; `total` is of the whole."""

    total: int
    offset: int
    items: list[EntryItem]


def _uri(place: Path | str) -> str:
    """Of a folder; an address is one."""
    return place if isinstance(place, str) else place.as_uri()
