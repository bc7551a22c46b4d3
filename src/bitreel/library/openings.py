"""The opening by which a library goes on when it is given another model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from bitreel.errors import LibraryError, ModelChanged
from bitreel.library.engine import AnyCatalogue, AnyOpened
from bitreel.library.results import MigrationReport
from bitreel.progress import Progress
from bitreel.search import Wish

if TYPE_CHECKING:
    from bitreel.model import Model

_Answer = TypeVar("_Answer")


class Openings:
    """The opening that a library has now, and those before it that threads are still at.

    Threads may share one. Every method raises LibraryError.
    """

    def __init__(self, first: AnyOpened) -> None:
        self._latest = first
        # A catalogue closes itself when the last thread has done with it.
        self._former: WeakSet[AnyCatalogue] = WeakSet()
        self._turn = threading.Lock()

    @property
    def latest(self) -> AnyOpened:
        """The one that was found last: the library may have another model by now."""
        return self._latest

    def current(self) -> AnyOpened:
        """The library with the model that it has now."""
        opened = self._latest
        try:
            opened.catalogue.revision()
        except ModelChanged:
            with self._turn:
                if self._latest is opened:
                    self._exchange(opened.again())
        return self._latest

    def ask(self, ask: Callable[[AnyOpened], _Answer]) -> _Answer:
        """An answer of one model, asked for anew where the library was given another meanwhile."""
        while True:
            opened = self.current()
            try:
                return ask(opened)
            except ModelChanged:
                continue

    def remodel(
        self, change: Callable[[], MigrationReport], model: Model | None, progress: Progress
    ) -> MigrationReport:
        """Give the library another model and go on with that. model: the one in memory, if any."""
        planned = self.current().searched.planned()
        report = change()
        if report.changed:
            with self._turn:
                self._exchange(self._latest.with_model(model))
            if planned is not None:  # the index too was of the former codes
                with suppress(LibraryError):
                    self._latest.searched.plan(Wish(**planned["plan"]["wish"]), progress)
        return report

    def close(self) -> None:
        """Whoever is still at work gets LibraryError."""
        with self._turn:
            for catalogue in (*self._former, self._latest.catalogue):
                catalogue.close()

    def _exchange(self, again: AnyOpened) -> None:
        self._former.add(self._latest.catalogue)
        self._latest = again
