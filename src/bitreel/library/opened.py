"""A library as one opening found it: a catalogue, its facts, and the model and index that belong to
its codes. When the library is given another model, its place is taken by another of these."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.errors import ModelError, ModelMismatch
from bitreel.library.catalogue import Catalogue
from bitreel.library.facts import read_facts
from bitreel.library.folder import Facts, load_model, open_library
from bitreel.library.remodelling import Remodelling
from bitreel.library.remodelling_status import kept_model, under_way
from bitreel.library.results import KeptModel, UnderWay
from bitreel.library.searched_codes import SearchedCodes
from bitreel.progress import Progress

if TYPE_CHECKING:
    from bitreel.model import Model


class Opened:
    """Threads may share one. given: the model was in memory already, and not loaded from the
    library."""

    def __init__(
        self, folder: Path, catalogue: Catalogue, facts: Facts, model: Model | None, runtime: str
    ) -> None:
        self.folder, self.catalogue, self.facts = folder, catalogue, facts
        self.given = model is not None
        self.searched = SearchedCodes(
            folder, catalogue, bits=facts.bits, fingerprint=facts.fingerprint
        )
        self._model, self._runtime = model, runtime
        self._loading = threading.Lock()

    def model(self) -> Model:
        """Raises ModelError where it is damaged, ModelMismatch where another lies in its place."""
        with self._loading:
            if self._model is None:
                facts = read_facts(self.catalogue)  # after a way back it lies elsewhere
                try:
                    self._model = load_model(self.folder, facts, self._runtime)
                except ModelError:
                    self.catalogue.revision()  # ModelChanged, where another has taken its place
                    raise
            return self._model

    def size_bytes(self) -> int:
        """Of all the files in the folder."""
        total = 0
        for folder, _, names in os.walk(self.folder):  # one that goes meanwhile is passed over
            for name in names:
                with suppress(OSError):  # SQLite's log comes and goes
                    total += os.stat(os.path.join(folder, name)).st_size
        return total

    def under_way(self) -> UnderWay | None:
        return under_way(self.folder, self.catalogue, read_facts(self.catalogue))

    def kept_model(self) -> KeptModel | None:
        return kept_model(self.folder, read_facts(self.catalogue))

    def remodelling(self, progress: Progress, *, forget_missing: bool) -> Remodelling:
        return Remodelling(self.folder, progress, self._runtime, forget_missing)

    def again(self) -> Opened:
        """The library as it is now. Raises LibraryError, and ModelMismatch where its model was to
        be one in memory and is another."""
        return self.with_model(self._model if self.given else None)

    def with_model(self, known: Model | None) -> Opened:
        """The library as it is now, with a model in memory or with its own. Raises as `again`."""
        catalogue, facts = open_library(self.folder)
        if known is not None and known.fingerprint != facts.fingerprint:
            catalogue.close()
            raise ModelMismatch(
                f"The library {self.folder} was given another model ({facts.fingerprint[:12]}) "
                f"since it was opened with {known.fingerprint[:12]}: open it again, with that "
                f"model or without one to use the library's own."
            )
        return Opened(self.folder, catalogue, facts, known, self._runtime)
