"""Open a catalogue, and say in plain words what SQLite has against it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bitreel.errors import LibraryError

WAIT_SECONDS = 60.0  # for another process that writes
_PAGE_BYTES = 4096  # SQLite's default, stated


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open the catalogue at `path`: to write where that is allowed, else to read.

    Threads may share the connection when they take turns. Raises LibraryError.
    """
    _check_whole_pages(path)
    with reported(path):
        if create:
            connection = _open(path, "mode=rwc")
            connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            return connection
        try:
            connection = _open(path, "mode=rw")
        except sqlite3.OperationalError as error:
            if _primary_code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
            return _open_on_read_only_disk(path)
        use_write_ahead_log(connection)
        return connection


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at once. The file remembers it.

    SQLite refuses while another process has the file open for the first time, or where the disk is
    read-only: all is as right without it, and the next to open the catalogue tries again.
    """
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn what SQLite raises about the catalogue at `path` into LibraryError."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # of our own making
    except sqlite3.DatabaseError as error:
        raise LibraryError(_plain_words(path, error)) from error
    except UnicodeDecodeError as error:  # SQLite quotes a damaged catalogue as it finds it
        raise LibraryError(damage_report(path, "it holds text that is none")) from error


def _check_whole_pages(path: Path) -> None:
    """SQLite reads a last page that was cut as if zeros followed, and may see nothing wrong in it.

    The file is not opened for this: to close it would take away the locks that SQLite holds on it
    in this process.
    """
    if any(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-journal")):
        return  # SQLite is at work on it, or will mend it
    if path.is_file() and path.stat().st_size % _PAGE_BYTES:
        raise LibraryError(damage_report(path, "its end is missing"))


def _open(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}",
        uri=True,
        timeout=WAIT_SECONDS,
        isolation_level=None,  # transactions begin where the catalogue says so
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # SQLite opens only now
    except BaseException:
        connection.close()
        raise
    return connection


def _open_on_read_only_disk(path: Path) -> sqlite3.Connection:
    try:
        return _open(path, "mode=ro")
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise  # the newest videos stand in the log, which can not be read without its index
        # Nothing can change on a read-only disk, and SQLite then needs no index of the log.
        return _open(path, "immutable=1")


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _plain_words(path: Path, error: sqlite3.DatabaseError) -> str:
    match _primary_code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                f"{path} is being written by another process for more than "
                f"{WAIT_SECONDS:.0f} seconds: wait until that ends, then try again."
            )
        case sqlite3.SQLITE_FULL:
            return (
                f"The disk of {path} is full: make room and run the same command again. What was "
                f"indexed so far is kept."
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return (
                f"{path} can not be opened to do that ({error}): check the permissions of the file "
                f"and of its folder, or copy the library to where you may write."
            )
        case sqlite3.SQLITE_IOERR:
            return (
                f"The disk failed while {path} was read or written ({error}): check that it has "
                f"room and is connected, then run the same command again."
            )
    return damage_report(path, str(error))


def was_closed(place: object) -> LibraryError:
    """What to tell who goes on with a library that was closed."""
    return LibraryError(
        f"The library {place} was closed while it was in use: open it again. What was done before "
        f"is kept."
    )


def damage_report(path: Path, cause: str) -> str:
    """What to tell of a catalogue that does not hold together."""
    return (
        f"{path} is damaged ({cause.rstrip('.')}): bring it back from a copy, or delete the "
        f"library's folder and index the videos again."
    )
