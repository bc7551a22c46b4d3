"""A library: an indexed collection of videos that answers searches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Clip
from bitreel.codes import BinaryCodes
from bitreel.errors import BitreelError, LibraryError
from bitreel.library.adding import add_videos
from bitreel.library.answering import Terms, answer
from bitreel.library.collection import Collection
from bitreel.library.connection import was_closed
from bitreel.library.engine import AnyOpened, AnyRemodelling
from bitreel.library.exchange import Exported, ExportReport, export_codes, import_codes, read_codes
from bitreel.library.folder import check_model, check_segmenting
from bitreel.library.listing import IndexedVideo, SegmentOfVideo, VideoFilter
from bitreel.library.openings import Openings
from bitreel.library.query import query_of, stored_query
from bitreel.library.records import Entry, Fate, Video
from bitreel.library.results import AddReport, MigrationReport, SearchResults, Status
from bitreel.library.site import folder_for, is_there, make, open_at, site_of
from bitreel.library.store.address import Address
from bitreel.library.syncing import sync
from bitreel.progress import Progress, silent
from bitreel.search import Plan, Wish
from bitreel.video import Segmenting

if TYPE_CHECKING:  # it brings torch, which whoever only looks need not wait for
    from bitreel.library.ray_encoding import RayOptions
    from bitreel.model import Model
    from bitreel.video.guarded import GuardedReader

_Answer = TypeVar("_Answer")


class Library:
    """An indexed collection of videos: `create`, `open` or `open_or_create` one.

    It lies in a folder, or in Milvus at an `Address`, which may be given as it is written:
    `http://HOST:19530/NAME` (see `parse_address`). All calls are the same.

    Several processes may use one library at once, and threads may share one object. Use it as a
    context manager or call `close`. Every method raises LibraryError where the folder is damaged,
    locked for long, read-only or its disk full, or the server does not answer.
    """

    def __init__(self, site: Path | Address, opened: AnyOpened) -> None:
        self.site, self.folder = site, folder_for(site)
        self._openings = Openings(opened)
        self._reader: GuardedReader | None = None
        self._reading = threading.Lock()
        self._is_closed = False

    @classmethod
    def exists(cls, place: Path | str | Address) -> bool:
        """Whether a library stands there; one whose making was broken off is none.

        Raises LibraryError where it is damaged.
        """
        return is_there(site_of(place))

    @classmethod
    def create(
        cls, place: Path | str | Address, model: Model, *, segmenting: Segmenting | None = None
    ) -> Library:
        """Make an empty library with a copy of the model in it.

        segmenting: how its videos are cut into segments, the default where it is not given.
        WHOLE_VIDEOS makes each video one segment.

        A process that is killed meanwhile leaves nothing that is taken for a library. Raises
        LibraryError where one is there already, or where the folder holds other files.
        """
        if not make(site_of(place), model, segmenting or Segmenting()):
            raise LibraryError(
                f"{site_of(place)} is a library already: open it, or name another place."
            )
        return cls.open(place, model=model)

    @classmethod
    def open(
        cls,
        place: Path | str | Address,
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
        site = site_of(place)
        opened = open_at(site, model, runtime)
        library = cls(site, opened)
        try:
            if model is not None:
                check_model(opened.catalogue.place, model, opened.facts)
            if segmenting is not None:
                check_segmenting(opened.catalogue.place, segmenting, opened.facts)
        except BaseException:
            library.close()
            raise
        return library

    @classmethod
    def open_or_create(
        cls, place: Path | str | Address, model: Model, *, segmenting: Segmenting | None = None
    ) -> Library:
        """Open the library at `place`, which is made first where there is none."""
        if not cls.exists(place):
            make(site_of(place), model, segmenting or Segmenting())
        return cls.open(place, model=model, segmenting=segmenting)

    def close(self) -> None:
        """Threads that are still at work with it get LibraryError. What they did so far is kept."""
        with self._reading:
            self._is_closed = True
            if self._reader is not None:
                self._reader.close()
        self._openings.close()

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
        return f"Library({str(self.site)!r}, {self.bits} bits, model {self.fingerprint[:12]})"

    @property
    def bits(self) -> int:
        return self._openings.latest.facts.bits

    @property
    def fingerprint(self) -> str:
        """Of the model that made the codes."""
        return self._openings.latest.facts.fingerprint

    @property
    def segmenting(self) -> Segmenting:
        """How videos are cut into segments: those added, and the queries."""
        return self._openings.latest.facts.segmenting

    @property
    def model(self) -> Model:
        """The model that made the codes, loaded when it is first asked for.

        Raises ModelError where it is damaged, ModelMismatch where another lies in its place.
        """
        return self._ask(lambda opened: opened.model())

    def add(
        self,
        videos: Iterable[Video | Path | str],
        *,
        retry: bool = False,
        progress: Progress = silent,
        ray: RayOptions | None = None,
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

        One given as a URL (`s3://bucket/a.mp4`) is fetched to be read, and known by a path that
        stands for it (`to_path`). ray: encode by Ray Data, here or on the machines of a cluster;
        the codes are the same, and the order of segments is that in which they are done.
        """
        from bitreel.library.ray_encoding import RayEncoding
        from bitreel.video.guarded import GuardedReader

        opened = self._openings.current()
        encoding = None if ray is None else RayEncoding(ray)
        with closing(GuardedReader()) as reader:  # its own: where it is broken off, it is closed
            report = add_videos(
                opened.catalogue,
                opened.model,
                videos,
                opened.facts.segmenting,
                reader,
                retry=retry,
                progress=progress,
                encoding=encoding,
            )
        opened.catalogue.confirm()
        self._plan_if_due(progress)
        return report

    def sync(
        self,
        collection: Collection,
        *,
        retry: bool = False,
        progress: Progress = silent,
        ray: RayOptions | None = None,
    ) -> AddReport:
        """Make the library hold what folders hold (`collect` looks through them).

        Videos in them are added as by `add`; files that were there and are gone are forgotten. What
        the library holds of other places stays. A folder that is empty now is taken for a disk that
        is not there: nothing of it is forgotten.
        """
        return sync(
            self._openings.current().catalogue,
            collection,
            lambda: self.add(collection.videos, retry=retry, progress=progress, ray=ray),
        )

    def plan_index(self, *, recall: float = 1.0, k: int = 10, progress: Progress = silent) -> Plan:
        """Choose the index that answers searches soonest, by a measurement on the library's codes.

        recall: the share of the k nearest that searches must find; 1.0 keeps to exact indexes. The
        index is kept beside the catalogue, and follows it. `add` plans an exact one by itself for
        collections of 100,000 segments and more, and again when they have doubled. Raises
        ConfigError for a recall or a k that makes no sense.
        """
        wish = Wish(recall, k)
        return self._ask(lambda opened: opened.searched.plan(wish, progress))

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
        wanted: VideoFilter | None = None,
    ) -> SearchResults:
        """The k places in the library's videos that are nearest to a video, or to a range of it.

        A place is the nearest segment of a video with those beside it that are about as near, so
        that what goes on for several segments is one answer. A query long enough to be cut is cut
        like the library's videos, and compared segment by segment (`find_places` has the rules).

        rerank: order the nearest by the query's relaxed bits, which know how sure each of its bits
        is (see `AsymmetricReranker`), in place of the number of bits that differ.

        recall: the share of the nearest that must be found. Below 1.0 an index that was planned for
        it may leave some out, and answers sooner.

        wanted: only these videos are answered, and there are k hits where so many of them fit.

        A video that is itself in the library is found like any other, at distance 0 when asked with
        the whole of it, unless `exclude_self` leaves out all its segments. What other processes add
        is seen. Raises VideoError for a query that can not be read, ConfigError for a k or a range
        that makes no sense and for a clip that was not read by `model.read`.
        """
        terms = Terms(k, exclude_self, recall, rerank, wanted)
        reader = self._guarded_reader()

        def ask(opened: AnyOpened) -> SearchResults:
            model, segmenting = opened.model(), opened.facts.segmenting
            try:
                asked = query_of(
                    model, segmenting, query, start_seconds, end_seconds, reader.read_segments
                )
            except BitreelError as error:
                if self._is_closed:  # which ended the process that read
                    raise was_closed(self.site) from error
                raise
            return answer(opened, asked, terms)

        return self._ask(ask)

    def similar(
        self,
        segment_ids: Sequence[int],
        *,
        k: int = 10,
        exclude_self: bool = True,
        recall: float = 1.0,
        wanted: VideoFilter | None = None,
    ) -> SearchResults:
        """The k places nearest to segments of one video of the library, as `search` gives them.

        Nothing is decoded and no model is loaded: their codes are asked with. Raises NotInLibrary
        for a segment that is not there, ConfigError for none, or of several videos.
        """
        terms = Terms(k, exclude_self, recall, wanted=wanted)

        def ask(opened: AnyOpened) -> SearchResults:
            asked = stored_query(opened.catalogue, opened.facts.bits, segment_ids)
            return answer(opened, asked, terms)

        return self._ask(ask)

    def list_videos(
        self, wanted: VideoFilter | None = None, *, offset: int = 0, limit: int = 50
    ) -> tuple[int, list[IndexedVideo]]:
        """How many videos fit, and some of them in the order of paths."""
        wanted = wanted or VideoFilter()
        return self._ask(
            lambda opened: opened.catalogue.list_videos(wanted, offset=offset, limit=limit)
        )

    def video(self, video_id: int) -> tuple[IndexedVideo, list[SegmentOfVideo]]:
        """A video and its segments. Raises NotInLibrary where there is none of that id."""

        def ask(opened: AnyOpened) -> tuple[IndexedVideo, list[SegmentOfVideo]]:
            with opened.catalogue.transaction():
                catalogue = opened.catalogue
                return catalogue.video(video_id), catalogue.list_segments(video_id)

        return self._ask(ask)

    def segment(self, segment_id: int) -> SegmentOfVideo:
        """Raises NotInLibrary where there is none of that id."""
        return self._ask(lambda opened: opened.catalogue.segments_of_ids([segment_id])[0])

    def codes(self) -> tuple[NDArray[np.int64], BinaryCodes]:
        """Every segment: ids int64 [N], rising, and N codes."""
        return self._ask(lambda opened: opened.catalogue.codes(bits=opened.facts.bits))

    def ledger(
        self,
        fate: Fate | None = None,
        *,
        text: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Entry]:
        """What became of the files that the library was shown, in the order of paths.

        fate, text: of those of one fate, and with a text in the path or the reason, in any case.
        offset, limit: some of them; `ledger_count` says how many there are in all.
        """
        return self._ask(
            lambda opened: opened.catalogue.entries(fate, text=text, offset=offset, limit=limit)
        )

    def ledger_count(self, fate: Fate | None = None, *, text: str | None = None) -> int:
        """How many files the ledger has that fit."""
        return self._ask(lambda opened: opened.catalogue.count_entries(fate, text=text))

    def status(self) -> Status:
        """What is in the library. Loads no model."""
        return self._ask(self._status)

    def _status(self, opened: AnyOpened) -> Status:
        catalogue, facts = opened.catalogue, opened.facts
        with catalogue.transaction():
            counts, labels, segments = catalogue.counts(), catalogue.labels(), catalogue.segments()
            migration, kept = opened.under_way(), opened.kept_model()
        return Status(
            folder=catalogue.place,
            bits=facts.bits,
            model_fingerprint=facts.fingerprint,
            segmenting=facts.segmenting,
            videos=counts.videos,
            segments=segments,
            quarantined=counts.quarantined,
            skipped=counts.skipped,
            damaged=counts.damaged,
            labels=labels,
            seconds=counts.duration_seconds,
            bytes_on_disk=opened.size_bytes(),
            migration=migration,
            kept_model=kept,
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
        return self._ask(
            lambda opened: export_codes(
                opened.catalogue, opened.facts, Path(path), overwrite=overwrite, progress=progress
            )
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
        opened = self._openings.current()
        report = import_codes(opened.catalogue, opened.facts, exported, progress)
        opened.catalogue.confirm()
        self._plan_if_due(progress)
        return report

    def migrate(
        self,
        model: Model | None = None,
        *,
        forget_missing: bool = False,
        progress: Progress = silent,
    ) -> MigrationReport:
        """Encode all videos with another model, then exchange all codes at once.

        Until then the library answers as before, takes videos, and may be used by other processes;
        one that has it open goes on with the new model at its next call, where it was not opened
        with a model in memory. A call that was broken off is finished by the same call; None goes
        on with what is under way. What the library was is kept, for `roll_back` or until the next
        change of model; the one kept before is deleted. Segments get other ids.

        Raises VideosMissing (a LibraryError with `reasons`) where videos can not be read any more,
        once all others are encoded, and changes nothing; with forget_missing they lose their codes,
        and stand in the ledger with the reason. Raises LibraryError where another migration is
        under way, and where there is none and no model is given.
        """
        return self._remodel(lambda run: run.migrate(model), forget_missing, progress, model)

    def roll_back(
        self, *, forget_missing: bool = False, progress: Progress = silent
    ) -> MigrationReport:
        """Go back to the model before. Videos that were added since are encoded with it first.

        What the library is now is kept, and `migrate` with its model takes it up again. Raises
        LibraryError where nothing is kept, VideosMissing as `migrate` does.
        """
        return self._remodel(lambda run: run.roll_back(), forget_missing, progress, None)

    def abandon_migration(self) -> bool:
        """Throw away what a migration that is not complete has made. False where there is none."""
        return self._remodelling(silent).abandon()

    def discard_previous(self) -> bool:
        """Delete what is kept for `roll_back`. False where nothing is."""
        return self._remodelling(silent).discard_kept()

    def _remodel(
        self,
        change: Callable[[AnyRemodelling], MigrationReport],
        forget_missing: bool,
        progress: Progress,
        model: Model | None,
    ) -> MigrationReport:
        run = self._remodelling(progress, forget_missing=forget_missing)
        return self._openings.remodel(lambda: change(run), model, progress)

    def _remodelling(self, progress: Progress, *, forget_missing: bool = False) -> AnyRemodelling:
        return self._openings.latest.remodelling(progress, forget_missing=forget_missing)

    @property
    def _catalogue(self) -> Any:
        return self._openings.latest.catalogue

    @property
    def _searched(self) -> Any:
        return self._openings.latest.searched

    def _ask(self, ask: Callable[[AnyOpened], _Answer]) -> _Answer:
        return self._openings.ask(ask)

    def _plan_if_due(self, progress: Progress) -> None:
        with suppress(LibraryError):  # the codes are in, and found without it
            opened = self._openings.current()
            if opened.searched.is_plan_due():
                opened.searched.replan(progress)

    def _guarded_reader(self) -> GuardedReader:
        with self._reading:
            if self._is_closed:
                raise was_closed(self.site)
            if self._reader is None:
                from bitreel.video.guarded import GuardedReader

                self._reader = GuardedReader()
            return self._reader
