"""Put the codes of a file into a library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bitreel.clip import Segment
from bitreel.errors import LibraryError, ModelMismatch
from bitreel.library.columns import SegmentColumns
from bitreel.library.engine import AnyCatalogue
from bitreel.library.exchange.exported import Exported
from bitreel.library.folder import Facts
from bitreel.library.records import (
    CodedSegment,
    Entry,
    Fate,
    FileState,
    VideoRecord,
    in_batches,
    printable,
)
from bitreel.library.results import AddReport
from bitreel.progress import Progress, Step

if TYPE_CHECKING:
    from bitreel.model import Model


def _check_belongs(exported: Exported, fingerprint: str, into: Path | str) -> None:
    """Raises ModelMismatch where other codes are in a file than this model makes."""
    if exported.fingerprint != fingerprint:
        raise ModelMismatch(
            f"The codes were made with the model {exported.fingerprint[:12]} ({exported.bits} "
            f"bits), and those of {into} are by {fingerprint[:12]}: they can not be compared. "
            f"Import them into another library, with --model and the model that made them."
        )


def check_made_by(exported: Exported, model: Model, folder: Path) -> None:
    """Raises ModelMismatch where the codes in a file were not made by the model in a folder."""
    if exported.fingerprint != model.fingerprint:
        raise ModelMismatch(
            f"The codes were made with the model {exported.fingerprint[:12]} ({exported.bits} "
            f"bits), and the one in {folder} is {model.fingerprint[:12]} ({model.bits} bits), "
            f"whose codes can not be compared with them: name the model that made them with "
            f"--model, or leave it out where the library is there already."
        )


def import_codes(
    catalogue: AnyCatalogue, facts: Facts, exported: Exported, progress: Progress
) -> AddReport:
    """See `Library.import_codes`."""
    _check_belongs(exported, facts.fingerprint, catalogue.place)
    _check_cut(exported, facts, catalogue.place)
    outcomes: Counter[str] = Counter()
    records = _records(exported)
    done, total = 0, len(exported.videos)
    for some in in_batches(records):
        with catalogue.transaction(write=True):
            known = catalogue.entries_of(record.path for record in some)
            fitting = [record for record in some if not _is_later(known.get(record.path), record)]
            outcomes.update(catalogue.put_all(fitting))
        outcomes["unchanged"] += len(some) - len(fitting)
        done += len(some)
        progress(Step("importing", done, total))
    return AddReport(
        added=outcomes["added"], replaced=outcomes["replaced"], unchanged=outcomes["unchanged"]
    )


def _check_cut(exported: Exported, facts: Facts, folder: Path | str) -> None:
    if exported.bits != facts.bits:
        raise LibraryError(
            f"The codes have {exported.bits} bits and the library {folder} has {facts.bits}: "
            f"import them into another library."
        )
    if exported.segmenting != facts.segmenting:
        raise LibraryError(
            f"The codes are of {exported.segmenting}, and the library {folder} is made of "
            f"{facts.segmenting}: all segments of a library are made in one way, so import them "
            f"into another one."
        )


def _is_later(known: Entry | None, record: VideoRecord) -> bool:
    """Whether the library has a video from a later state of its file: it stays as it is there."""
    is_indexed = known is not None and known.fate is Fate.INDEXED
    return known is not None and is_indexed and known.state.mtime_ns > record.state.mtime_ns


def _records(exported: Exported) -> Iterator[VideoRecord]:
    videos, segments = exported.videos, exported.segments
    rows = videos.rows(segments.video_ids)
    order = np.lexsort((segments.ids, segments.starts_seconds, rows))
    bounds = np.searchsorted(rows[order], np.arange(len(videos) + 1))
    for row in range(len(videos)):
        path = Path(videos.paths[row])
        yield VideoRecord(
            path,
            FileState(int(videos.sizes_bytes[row]), int(videos.mtimes_ns[row])),
            videos.labels[row] or None,
            duration_seconds=float(videos.durations_seconds[row]),
            segments=_coded(path, segments, order[bounds[row] : bounds[row + 1]].tolist()),
            damage=printable(videos.damages[row]) or None,
            content=videos.contents[row] or None,
        )


def _coded(path: Path, segments: SegmentColumns, rows: list[int]) -> list[CodedSegment]:
    return [
        CodedSegment(
            Segment(path, float(segments.starts_seconds[row]), float(segments.ends_seconds[row])),
            segments.codes.packed[row].tobytes(),
        )
        for row in rows
    ]
