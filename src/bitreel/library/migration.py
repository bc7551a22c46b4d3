"""Bring the catalogue of an earlier version up to date, and keep what it was."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bitreel.errors import LibraryError
from bitreel.library.catalogue import Catalogue
from bitreel.library.schema import SCHEMA_VERSION

# What makes version N + 1 of version N, one statement each. A step is never changed once it is out.
_STEPS: dict[int, tuple[str, ...]] = {
    1: (
        """INSERT INTO meta VALUES ('segmenting', '{"window_seconds": 0}')""",
        "ALTER TABLE videos ADD COLUMN content BLOB",
        "ALTER TABLE videos ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX videos_of_content ON videos (content)",
    ),
}


def backup_path(catalogue: Path, version: int) -> Path:
    """Where the catalogue is kept as that version left it."""
    return catalogue.with_name(f"{catalogue.stem}.backup-{version}{catalogue.suffix}")


def migrate(catalogue: Catalogue) -> None:
    """Bring the catalogue up to SCHEMA_VERSION, all of it or nothing, after a copy of it is made.

    Nothing happens to one that is up to date, later, or no library's. Raises LibraryError.
    """
    if _version(catalogue) not in _STEPS:
        return
    try:
        with catalogue.transaction(write=True):
            version = _version(catalogue)  # another process may have been faster
            if version not in _STEPS:
                return
            copy_catalogue(catalogue.path, backup_path(catalogue.path, version))
            while version < SCHEMA_VERSION:
                for statement in _STEPS[version]:
                    catalogue.execute(statement)
                version += 1
            catalogue.execute(f"UPDATE meta SET value = '{version}' WHERE key = 'schema_version'")
    except LibraryError as error:
        raise LibraryError(
            f"{catalogue.path} is of an earlier version of bitreel and could not be brought up to "
            f"date: {error}"
        ) from error


def _version(catalogue: Catalogue) -> int:
    value = catalogue.meta().get("schema_version", "")
    return int(value) if value.isdecimal() else 0


def copy_catalogue(catalogue: Path, target: Path) -> None:
    """What is committed, in a file that is there whole or not at all. Raises LibraryError."""
    partial = target.with_name(f"{target.name}.writing")
    try:
        partial.unlink(missing_ok=True)
        with (
            closing(
                sqlite3.connect(f"{catalogue.absolute().as_uri()}?mode=ro", uri=True)
            ) as source,
            closing(sqlite3.connect(partial)) as copy,
        ):
            source.backup(copy)
        os.replace(partial, target)
    except (OSError, sqlite3.Error) as error:
        raise LibraryError(
            f"no copy of it can be made at {target} ({error}). Make room there, or copy the "
            f"library to where you may write."
        ) from error
