"""Transactions on one SQLite file, and nothing of what is in it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bitreel.errors import LibraryError
from bitreel.library.connection import (
    connect,
    damage_report,
    reported,
    use_write_ahead_log,
    was_closed,
)


class Database:
    """One connection that threads share by turns. Every method raises LibraryError."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._connection = connect(path, create=create)
        self._turn = threading.RLock()
        # Also when the last who used it has forgotten it.
        self._end = weakref.finalize(self, self._connection.close)

    def close(self) -> None:
        """Who is in a transaction ends it first."""
        with self._turn:
            self._end()

    def use_write_ahead_log(self) -> None:
        """Let readers and a writer work at once, from now on."""
        with self._turn:
            use_write_ahead_log(self._connection)

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[None]:
        """All that is read within is of one moment, all that is written comes whole or not at all.

        Joins the transaction that is open in this thread. A writer waits for other writers,
        readers wait for no one.
        """
        with self._turn, reported(self.path):
            if not self._end.alive:
                raise was_closed(self.path.parent)
            if self._connection.in_transaction:
                yield
                return
            # Immediate: one that reads first and then finds that another wrote would have to fail.
            self._execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                self._begun()
                yield
                self._execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._execute("ROLLBACK")
                raise

    def execute(self, sql: str) -> None:
        """Run one statement, which takes no values."""
        with self.transaction(write=True):
            self._execute(sql)

    def _begun(self) -> None:
        """What is to be looked at first in every transaction."""

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """A transaction in which rows are turned into values. What does not turn is damage."""
        with self.transaction():
            try:
                yield
            except (ValueError, TypeError, AttributeError, IndexError) as error:
                raise self._damaged(f"a row of it makes no sense: {error}") from error

    def _damaged(self, cause: str) -> LibraryError:
        return LibraryError(damage_report(self.path, cause))

    def _execute(self, sql: str, *values: object) -> None:
        self._connection.execute(sql, values).close()

    def _rows(self, sql: str, *values: object) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def _value(self, sql: str, *values: object) -> Any:
        return self._rows(sql, *values)[0][0]
