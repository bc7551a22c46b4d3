"""Give a library another model: its videos are encoded anew beside the codes that answer, then all
codes are exchanged in one transaction, and what was before is kept for the way back.

1. A library of the same videos grows in LIBRARY/migration/, as any other does: a run that was
   killed goes on there.
2. Videos that LIBRARY was given meanwhile are encoded too, until none is missing. The last look is
   in the transaction that exchanges the codes, so that no video is lost in between.
3. The way back is a migration too, which begins with the codes that were kept: what was added since
   is encoded with the former model first.

A process that is killed leaves the library as it was or as it is to be. Who has it open notices at
the next call (`Catalogue.fingerprint`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.errors import LibraryError
from bitreel.library.catalogue import Catalogue
from bitreel.library.facts import Facts, read_facts
from bitreel.library.folder import load_model, make_library, open_library
from bitreel.library.re_encoding import ReEncoding, VideosMissing
from bitreel.library.remodelling_folders import (
    MIGRATION,
    delete,
    fingerprint_under_way,
    keep,
    place_model,
    sole,
    take_up_kept,
    tidy,
)
from bitreel.library.results import MigrationReport
from bitreel.progress import Progress

if TYPE_CHECKING:
    from bitreel.model import Model


@dataclass
class Remodelling:
    """A library whose model is to be changed. Every function raises LibraryError.

    forget_missing: videos that can not be read any more lose their codes, and stand in the ledger
    with the reason; without, VideosMissing is raised when all others are encoded.
    """

    folder: Path
    progress: Progress
    runtime: str = "auto"
    forget_missing: bool = False
    _lost: dict[Path, str] = field(default_factory=dict)

    def migrate(self, model: Model | None) -> MigrationReport:
        """See `Library.migrate`."""
        with self._begun() as (catalogue, facts):
            if model is not None and model.fingerprint == facts.fingerprint:
                return self._report(catalogue, facts)
            with catalogue.transaction(write=True):
                under_way = self._under_way()
                self._check_same(under_way, model)
                if under_way is None:
                    assert model is not None
                    self._begin(catalogue, facts, model)
            return self._finish(catalogue, facts, model, rolled_back=False)

    def roll_back(self) -> MigrationReport:
        """See `Library.roll_back`."""
        with self._begun() as (catalogue, facts):
            if facts.rolled_back:
                return self._report(catalogue, facts)
            with catalogue.transaction(write=True):
                kept = self._kept(facts)
                under_way = self._under_way()
                if under_way is None:
                    take_up_kept(self.folder, facts)
                elif under_way != kept:
                    raise self._other_under_way(under_way)
            return self._finish(catalogue, facts, None, rolled_back=True)

    def abandon(self) -> bool:
        """Throw away what a migration that is not complete has made. False where there is none."""
        with self._begun() as (catalogue, _), catalogue.transaction(write=True):
            target = self.folder / MIGRATION
            found = target.exists()
            delete(target)
            return found

    def discard_kept(self) -> bool:
        """Throw away what the library was before its model was changed. False where that is not
        kept."""
        with self._begun() as (catalogue, facts):
            catalogue.set_facts({"kept": None, "rolled_back": None})
            self._tidy(catalogue)
            return facts.kept is not None

    @contextmanager
    def _begun(self) -> Iterator[tuple[Catalogue, Facts]]:
        catalogue, _ = open_library(self.folder)
        with closing(catalogue), sole(self.folder):
            catalogue.check_writable()
            yield catalogue, self._tidy(catalogue)

    def _tidy(self, catalogue: Catalogue) -> Facts:
        with catalogue.transaction(write=True):
            facts = read_facts(catalogue)
            tidy(self.folder, facts)
        return facts

    def _under_way(self) -> str | None:
        try:
            return fingerprint_under_way(self.folder)
        except LibraryError as error:
            raise LibraryError(
                f"The migration that was begun can not go on: {error} To begin it anew, throw it "
                f"away with `bitreel migrate {self.folder} --abandon`."
            ) from error

    def _kept(self, facts: Facts) -> str:
        try:
            kept = _kept_fingerprint(self.folder, facts)
        except LibraryError as error:
            raise LibraryError(
                f"What {self.folder} keeps of the model before is of no use: {error} With that "
                f"model at hand, `bitreel migrate {self.folder} --model MODEL` makes its codes "
                f"anew."
            ) from error
        if kept is None:
            raise LibraryError(
                f"{self.folder} keeps no earlier model: there is nothing to go back to."
            )
        return kept

    def _check_same(self, under_way: str | None, model: Model | None) -> None:
        if under_way is None and model is None:
            raise LibraryError(
                f"No migration of {self.folder} is under way: begin one with "
                f"`bitreel migrate {self.folder} --model MODEL`."
            )
        if under_way is not None and model is not None and under_way != model.fingerprint:
            raise self._other_under_way(under_way)

    def _other_under_way(self, fingerprint: str) -> LibraryError:
        return LibraryError(
            f"{self.folder} is on the way to the model {fingerprint[:12]}: complete that with "
            f"`bitreel migrate {self.folder}`, or throw away what was done of it with --abandon."
        )

    def _begin(self, catalogue: Catalogue, facts: Facts, model: Model) -> None:
        with suppress(LibraryError):  # what is kept may be damaged
            if _kept_fingerprint(self.folder, facts) == model.fingerprint:
                take_up_kept(self.folder, facts)
                return
        make_library(self.folder / MIGRATION, model, facts.segmenting)

    def _finish(
        self, catalogue: Catalogue, facts: Facts, model: Model | None, *, rolled_back: bool
    ) -> MigrationReport:
        target = self.folder / MIGRATION
        new, new_facts = open_library(target)

        def loaded() -> Model:
            return model or load_model(target, new_facts, self.runtime)

        with closing(new):
            encoding = ReEncoding(catalogue, new, new_facts.segmenting, loaded, self.progress)
            missing: dict[Path, str] | None = None
            while missing is None:
                encoding.encode_missing()
                with catalogue.transaction(write=True):
                    missing = encoding.missing()
                    if missing and not self.forget_missing:
                        raise VideosMissing(self.folder, missing)
                    if missing is not None:
                        self._lost = missing
                        self._swap(catalogue, facts, new, new_facts, rolled_back=rolled_back)
        catalogue.fingerprint = new_facts.fingerprint
        return self._report(catalogue, self._tidy(catalogue), changed=True)

    def _swap(
        self,
        catalogue: Catalogue,
        facts: Facts,
        new: Catalogue,
        new_facts: Facts,
        *,
        rolled_back: bool,
    ) -> None:
        catalogue.replace_codes(
            new,
            bits=new_facts.bits,
            facts={
                "bits": str(new_facts.bits),
                "fingerprint": new_facts.fingerprint,
                "model": place_model(self.folder, new_facts),
                "kept": keep(self.folder, facts),
                "rolled_back": "1" if rolled_back else None,
            },
            lost=self._lost,
            progress=self.progress,
        )

    def _report(
        self, catalogue: Catalogue, facts: Facts, *, changed: bool = False
    ) -> MigrationReport:
        with catalogue.transaction():
            return MigrationReport(
                changed=changed,
                model_fingerprint=facts.fingerprint,
                bits=facts.bits,
                videos=catalogue.counts().videos,
                segments=catalogue.segments(),
                forgotten=self._lost if changed else {},
            )


def _kept_fingerprint(folder: Path, facts: Facts) -> str | None:
    if facts.kept is None:
        return None
    kept, kept_facts = open_library(folder / facts.kept)
    kept.close()
    return kept_facts.fingerprint
