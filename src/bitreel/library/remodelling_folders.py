"""What a change of a library's model keeps in the library's folder, and what is left over of it.

LIBRARY/
  migration/              a library of the same videos with the new model's codes, being made
  models/FINGERPRINT/     the model in use, where it is not the first
  previous/FINGERPRINT/   the library as it was before its last change of model, whole: it opens

The catalogue says which of them count (`Facts`), and says it in the transaction that changes the
codes. Whatever else lies there was left by a process that was killed, and `tidy` takes it away.

All of these work within a write transaction of the library's catalogue: one process at a time.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bitreel.errors import LibraryError
from bitreel.library.catalogue import Catalogue
from bitreel.library.facts import KEPT, MODEL, MODELS, Facts
from bitreel.library.folder import CATALOGUE, is_library
from bitreel.library.migration import copy_catalogue

MIGRATION = "migration"


@contextmanager
def sole(folder: Path) -> Iterator[None]:
    """One change of model at a time. The lock ends with the process that holds it.

    Raises LibraryError where another process is at it.
    """
    handle = os.open(folder, os.O_RDONLY)  # the folder's own, so that no file is left
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise LibraryError(
            f"Another process is changing the model of {folder}: wait until it ends. "
            f"`bitreel status {folder}` tells how far it is."
        ) from None
    except OSError:  # a disk without locks: two at once do the same work twice, and no harm
        pass
    try:
        yield
    finally:
        with suppress(OSError):
            os.close(handle)


def fingerprint_under_way(folder: Path) -> str | None:
    """Of the model whose codes are being made; None where none are. Raises LibraryError."""
    if not is_library(folder / MIGRATION):
        return None
    with closing(Catalogue(folder / MIGRATION / CATALOGUE)) as catalogue:
        return catalogue.meta().get("fingerprint")


def tidy(folder: Path, facts: Facts) -> None:
    """Take away what does not count."""
    for place, counts in ((MODELS, facts.model), (KEPT, facts.kept)):
        with suppress(OSError):
            for path in (folder / place).iterdir():
                if re.fullmatch("[0-9a-f]{12}", path.name) and f"{place}/{path.name}" != counts:
                    delete(path)
            (folder / place).rmdir()  # where nothing is in it
    if facts.model != MODEL:
        delete(folder / MODEL)
    with suppress(LibraryError):  # a damaged one is for people to look at
        if fingerprint_under_way(folder) in (None, facts.fingerprint):
            delete(folder / MIGRATION)


def delete(folder: Path) -> None:
    """Take away a folder, or as much of it as can be."""
    shutil.rmtree(folder, ignore_errors=True)


def take_up_kept(folder: Path, facts: Facts) -> None:
    """Begin a migration with the codes that are kept. Raises LibraryError."""
    assert facts.kept is not None
    kept, target = folder / facts.kept, folder / MIGRATION
    _copy_folder(kept / MODEL, target / MODEL)
    copy_catalogue(kept / CATALOGUE, target / CATALOGUE)  # last: now it is a library


def place_model(folder: Path, new: Facts) -> str:
    """Put the migration's model where the library will look for it. Raises LibraryError."""
    name = f"{MODELS}/{new.fingerprint[:12]}"
    _copy_folder(folder / MIGRATION / new.model, folder / name)
    return name


def keep(folder: Path, facts: Facts) -> str:
    """Keep the library as it is committed, without what it keeps. Raises LibraryError."""
    name = f"{KEPT}/{facts.fingerprint[:12]}"
    target = folder / name
    _copy_folder(folder / facts.model, target / MODEL)
    copy_catalogue(folder / CATALOGUE, target / CATALOGUE)
    with closing(Catalogue(target / CATALOGUE)) as copy:
        copy.set_facts({"model": None, "kept": None, "rolled_back": None})
    return name


def _write_through(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _copy_folder(source: Path, target: Path) -> None:
    try:
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(source, target)
        for path in (*target.rglob("*"), target, target.parent):
            _write_through(path)  # the catalogue will say that it is there
    except OSError as error:  # shutil.Error, of several files, is one
        raise LibraryError(
            f"{source} can not be copied to {target} ({error}): make room there, then do the same "
            f"again. The library is as it was."
        ) from error
