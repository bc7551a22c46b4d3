"""The embedded library: one folder that holds an indexed collection and answers searches."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Clip
from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError, LibraryError
from bitreel.library.adding import add_videos
from bitreel.library.catalogue import Catalogue
from bitreel.library.collection import Collection
from bitreel.library.exchange import Exported, ExportReport, export_codes, import_codes, read_codes
from bitreel.library.folder import (
    Facts,
    check_model,
    check_segmenting,
    is_library,
    load_model,
    make_library,
    open_library,
)
from bitreel.library.places import find_places
from bitreel.library.query import Query, encode_query
from bitreel.library.reading import read_clips
from bitreel.library.records import Entry, Fate, Video
from bitreel.library.results import AddReport, SearchResults, Status
from bitreel.library.searched_codes import SearchedCodes
from bitreel.library.syncing import sync
from bitreel.progress import Progress, silent
from bitreel.search import Plan, Wish
from bitreel.video import Segmenting

if TYPE_CHECKING:  # it brings torch, which whoever only looks need not wait for
    from bitreel.model import Model
    from bitreel.video.guarded import GuardedReader


class Library:
    """An indexed collection of videos in one folder: `create`, `open` or `open_or_create` one.

    Several processes may use one library at once, and threads may share one object. Use it as a
    context manager or call `close`. Every method raises LibraryError where the folder is damaged,
    locked for long, read-only or its disk full.
    """

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        facts: Facts,
        model: Model | None,
        runtime: str = "auto",
    ) -> None:
        self.folder, self._runtime = folder, runtime
        self._catalogue = catalogue
        self._facts = facts
        self._model = model
        self._reader: GuardedReader | None = None
        self._searched = SearchedCodes(
            folder, catalogue, bits=facts.bits, fingerprint=facts.fingerprint
        )

    @classmethod
    def exists(cls, folder: Path | str) -> bool:
        """Whether a library stands there; one whose making was broken off is none.

        Raises LibraryError where it is damaged.
        """
        return is_library(Path(folder))

    @classmethod
    def create(
        cls, folder: Path | str, model: Model, *, segmenting: Segmenting | None = None
    ) -> Library:
        """Make an empty library with a copy of the model in it.

        segmenting: how its videos are cut into segments, the default where it is not given.
        WHOLE_VIDEOS makes each video one segment.

        A process that is killed meanwhile leaves nothing that is taken for a library. Raises
        LibraryError where one is there already, or where the folder holds other files.
        """
        if not make_library(Path(folder), model, segmenting or Segmenting()):
            raise LibraryError(f"{folder} is a library already: open it, or name another folder.")
        return cls.open(folder, model=model)

    @classmethod
    def open(
        cls,
        folder: Path | str,
        *,
        model: Model | None = None,
        segmenting: Segmenting | None = None,
        runtime: str = "auto",
    ) -> Library:
        """Open a library, with its own model or with one already in memory, which must be the same.

        runtime: what runs its own model, see `Model.use_runtime`; one in memory is run as it is.
        One of an earlier version is brought up to date, and a copy of its catalogue kept beside it.
        Raises LibraryError where there is none, or one that is damaged or of a later version;
        ModelMismatch where the model, given or stored, is not the one that made the codes;
        ConfigError where a segmenting is given and the library's is another.
        """
        folder = Path(folder)
        catalogue, facts = open_library(folder)
        library = cls(folder, catalogue, facts, model, runtime)
        try:
            if model is not None:
                check_model(folder, model, facts)
            if segmenting is not None:
                check_segmenting(folder, segmenting, facts)
        except BaseException:
            library.close()
            raise
        return library

    @classmethod
    def open_or_create(
        cls, folder: Path | str, model: Model, *, segmenting: Segmenting | None = None
    ) -> Library:
        """Open the library at `folder`, which is made first where there is none."""
        folder = Path(folder)
        if not cls.exists(folder):
            make_library(folder, model, segmenting or Segmenting())
        return cls.open(folder, model=model, segmenting=segmenting)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._catalogue.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Library({str(self.folder)!r}, {self.bits} bits, model {self.fingerprint[:12]})"

    @property
    def bits(self) -> int:
        return self._facts.bits

    @property
    def fingerprint(self) -> str:
        """Of the model that made the codes."""
        return self._facts.fingerprint

    @property
    def segmenting(self) -> Segmenting:
        """How videos are cut into segments: those added, and the queries."""
        return self._facts.segmenting

    @property
    def model(self) -> Model:
        """The model that made the codes, loaded when it is first asked for.

        Raises ModelError where it is damaged, ModelMismatch where another lies in its place.
        """
        if self._model is None:
            self._model = load_model(self.folder, self._facts, self._runtime)
        return self._model

    def add(
        self,
        videos: Iterable[Video | Path | str],
        *,
        retry: bool = False,
        progress: Progress = silent,
    ) -> AddReport:
        """Index videos, each with all its segments in one transaction.

        A short video is one segment, a longer one is cut as `segmenting` says. A video that is
        there, from a file of the same size and time, is left as it is, and takes the label given if
        any; one whose file changed is indexed again. A file that holds what an indexed one holds,
        or held before it was moved, is not decoded: it takes over the codes. A file given twice
        counts once, with the first label given.

        Videos are decoded in processes of their own (`GuardedReader`). What can not be read, or
        crashes or hangs its process, is quarantined with the reason, and tried again when the file
        changed or with retry. A run that was broken off is finished by the same call.
        """
        report = add_videos(
            self._catalogue,
            lambda: self.model,
            videos,
            self.segmenting,
            self._guarded_reader(),
            retry=retry,
            progress=progress,
        )
        if self._searched.is_plan_due():
            with suppress(LibraryError):  # the videos are in, and found without it
                self.plan_index(progress=progress)
        return report

    def sync(
        self, collection: Collection, *, retry: bool = False, progress: Progress = silent
    ) -> AddReport:
        """Make the library hold what folders hold (`collect` looks through them).

        Videos in them are added as by `add`; files that were there and are gone are forgotten. What
        the library holds of other places stays. A folder that is empty now is taken for a disk that
        is not there: nothing of it is forgotten.
        """
        return sync(
            self._catalogue,
            collection,
            lambda: self.add(collection.videos, retry=retry, progress=progress),
        )

    def plan_index(self, *, recall: float = 1.0, k: int = 10, progress: Progress = silent) -> Plan:
        """Choose the index that answers searches soonest, by a measurement on the library's codes.

        recall: the share of the k nearest that searches must find; 1.0 keeps to exact indexes. The
        index is kept beside the catalogue, and follows it. `add` plans an exact one by itself for
        collections of 100,000 segments and more, and again when they have doubled. Raises
        ConfigError for a recall or a k that makes no sense.
        """
        return self._searched.plan(Wish(recall, k), progress)

    def search(
        self,
        query: Path | str | Clip,
        *,
        k: int = 10,
        start_seconds: float = 0.0,
        end_seconds: float | None = None,
        exclude_self: bool = False,
        rerank: bool = False,
        recall: float = 1.0,
    ) -> SearchResults:
        """The k places in the library's videos that are nearest to a video, or to a range of it.

        A place is the nearest segment of a video with those beside it that are about as near, so
        that what goes on for several segments is one answer. A query long enough to be cut is cut
        like the library's videos, and compared segment by segment (`find_places` has the rules).

        rerank: order the nearest by the query's relaxed bits, which know how sure each of its bits
        is (see `AsymmetricReranker`), in place of the number of bits that differ.

        recall: the share of the nearest that must be found. Below 1.0 an index that was planned for
        it may leave some out, and answers sooner.

        A video that is itself in the library is found like any other, at distance 0 when asked with
        the whole of it, unless `exclude_self` leaves out all its segments. What other processes add
        is seen. Raises VideoError for a query that can not be read, ConfigError for a k or a range
        that makes no sense and for a clip that was not read by `model.read`.
        """
        if k < 0:
            raise ConfigError(f"The number of hits must be 0 or more, got k={k}.")
        Wish(recall)
        asked = self._query(query, start_seconds, end_seconds)
        with self._catalogue.transaction():
            own = self._catalogue.segment_ids(asked.path) if exclude_self else set()
            hits = find_places(
                self._catalogue, self._searched, asked.relaxed, k, own, recall, rerank
            )
            return SearchResults(
                query=asked.path,
                start_seconds=asked.start_seconds,
                end_seconds=asked.end_seconds,
                hits=hits,
                damage=str(asked.damage) if asked.damage else None,
                segments=self._catalogue.segments() - len(own),
                query_segments=len(asked.relaxed),
            )

    def codes(self) -> tuple[NDArray[np.int64], BinaryCodes]:
        """Every segment: ids int64 [N], rising, and N codes."""
        return self._catalogue.codes(bits=self.bits)

    def ledger(self, fate: Fate | None = None) -> list[Entry]:
        """What became of every file that the library was shown, or of those of one fate, in the
        order of paths."""
        return self._catalogue.entries(fate)

    def status(self) -> Status:
        """What is in the library. Loads no model."""
        with self._catalogue.transaction():
            counts = self._catalogue.counts()
            labels = self._catalogue.labels()
            segments = self._catalogue.segments()
        return Status(
            folder=self.folder,
            bits=self.bits,
            model_fingerprint=self.fingerprint,
            segmenting=self.segmenting,
            videos=counts.videos,
            segments=segments,
            quarantined=counts.quarantined,
            skipped=counts.skipped,
            damaged=counts.damaged,
            labels=labels,
            seconds=counts.duration_seconds,
            bytes_on_disk=_size_bytes(self.folder),
        )

    def export(
        self, path: Path | str, *, overwrite: bool = False, progress: Progress = silent
    ) -> ExportReport:
        """Write codes and metadata to a file for others to read, or for `import_codes`.

        The suffix chooses: `.npz`, `.parquet`, or `.faiss` with an `.npz` beside it. Raises
        ConfigError for another suffix, for a file that is there already unless it may be
        overwritten, and where the package that the format needs is not installed; CodesError where
        it can not be written.
        """
        return export_codes(
            self._catalogue, self._facts, Path(path), overwrite=overwrite, progress=progress
        )

    def import_codes(
        self, codes: Path | str | Exported, *, progress: Progress = silent
    ) -> AddReport:
        """Put in what `export` wrote, a thousand videos in one transaction.

        A video that is there from the same state of its file, or a later one, is left; the videos
        need not be on this machine. Segments get ids of their own. Raises CodesError for a file
        that is missing, damaged or not ours; ModelMismatch where another model made the codes, and
        LibraryError where the videos were cut in another way. Then nothing is put in.
        """
        exported = codes if isinstance(codes, Exported) else read_codes(codes)
        report = import_codes(self._catalogue, self._facts, exported, progress)
        if self._searched.is_plan_due():
            with suppress(LibraryError):  # the codes are in, and found without it
                self.plan_index(progress=progress)
        return report

    def _guarded_reader(self) -> GuardedReader:
        if self._reader is None:
            from bitreel.video.guarded import GuardedReader

            self._reader = GuardedReader()
        return self._reader

    def _query(
        self, query: Path | str | Clip, start_seconds: float, end_seconds: float | None
    ) -> Query:
        if isinstance(query, Clip):
            return encode_query(self.model, [self._checked(query, start_seconds, end_seconds)])
        path = Path(query).absolute()
        clips = read_clips(
            self.model,
            path,
            self.segmenting,
            start_seconds=start_seconds,
            end_seconds=end_seconds,
        )
        return encode_query(self.model, clips)

    def _checked(self, query: Clip, start_seconds: float, end_seconds: float | None) -> Clip:
        if start_seconds != 0 or end_seconds is not None:
            raise ConfigError(
                "A clip is a range of a video already: give start_seconds and end_seconds where it "
                "is read, or give the path of the video."
            )
        config = self.model.config
        sampling = config.sampling
        expected = (
            sampling.frames * sampling.clips,
            config.snippet,
            sampling.height,
            sampling.width,
        )
        got = (*query.snippets.shape, *query.frames.shape[1:3])
        if got != expected:
            raise ConfigError(
                f"The library's model looks at {_shape(*expected)} and the clip has "
                f"{_shape(*got)}: read it with library.model.read(path)."
            )
        return query


def _shape(positions: int, snippet: int, height: int, width: int) -> str:
    return f"{positions} positions of {snippet} frames of {width}x{height}"


def _size_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # SQLite's log comes and goes
            continue
    return total
