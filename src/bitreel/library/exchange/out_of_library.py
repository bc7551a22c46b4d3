"""Take all codes out of a library and write them to a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bitreel.errors import ConfigError, LibraryError
from bitreel.library.columns import joined_segments, joined_videos
from bitreel.library.engine import AnyCatalogue
from bitreel.library.exchange.exported import Exported
from bitreel.library.exchange.files import files_of, write_codes
from bitreel.library.folder import Facts
from bitreel.progress import Progress, Step

_ROWS_AT_ONCE = 1 << 15


@dataclass(frozen=True)
class ExportReport:
    """What was written. files: the one that was named, and what lies beside it. size_bytes: of
    them together."""

    files: tuple[Path, ...]
    videos: int
    segments: int
    bits: int
    size_bytes: int


def export_codes(
    catalogue: AnyCatalogue, facts: Facts, path: Path, *, overwrite: bool, progress: Progress
) -> ExportReport:
    """See `Library.export`."""
    files = check_free(path, overwrite=overwrite)
    exported = take_out(catalogue, facts, progress)
    total = len(exported.segments)
    write_codes(path, exported, lambda done: progress(Step("writing", done, total)))
    size_bytes = sum(file.stat().st_size for file in files)
    return ExportReport(files, len(exported.videos), total, exported.bits, size_bytes)


def check_free(path: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """The files to write. Raises ConfigError for a format that is not known, and for a file that is
    there already unless it may be replaced."""
    files = files_of(path)
    for file in files:
        if file.is_dir() or (file.exists() and not overwrite):
            raise ConfigError(
                f"{file} is there already: name another file, or replace it with --force."
            )
    return files


def take_out(catalogue: AnyCatalogue, facts: Facts, progress: Progress) -> Exported:
    """What the library holds at one moment, whoever writes meanwhile. Raises LibraryError."""
    with catalogue.transaction():
        total = catalogue.segments()
        videos = [catalogue.video_columns(limit=_ROWS_AT_ONCE)]
        while len(videos[-1]) == _ROWS_AT_ONCE:
            after = int(videos[-1].ids[-1])
            videos.append(catalogue.video_columns(after=after, limit=_ROWS_AT_ONCE))
        segments = [catalogue.segment_columns(bits=facts.bits, limit=_ROWS_AT_ONCE)]
        while len(segments[-1]) == _ROWS_AT_ONCE:
            progress(Step("reading", sum(map(len, segments)), total))
            segments.append(
                catalogue.segment_columns(
                    bits=facts.bits, after=int(segments[-1].ids[-1]), limit=_ROWS_AT_ONCE
                )
            )
        progress(Step("reading", total, total))
    try:
        return Exported(
            facts.fingerprint, facts.segmenting, joined_videos(videos), joined_segments(segments)
        )
    except ValueError as error:
        raise LibraryError(
            f"{catalogue.place} is damaged ({error}): bring it back from a copy, or index the "
            f"videos into a new folder."
        ) from error
