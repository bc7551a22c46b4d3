"""Write and read an exported file: which format it is, whole or not at all, errors by its name."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bitreel.errors import CodesError, ConfigError
from bitreel.library.exchange.exported import Exported
from bitreel.library.exchange.faiss import beside, read_index, write_index
from bitreel.library.exchange.npz import read_npz, write_arrays, write_npz
from bitreel.library.exchange.parquet import read_parquet, write_parquet

SUFFIXES = (".npz", ".parquet", ".faiss")


def files_of(path: Path) -> tuple[Path, ...]:
    """The files of an export under this name. Raises ConfigError for a format that is not known."""
    if path.suffix not in SUFFIXES:
        raise ConfigError(
            f"The format of {path} is not known: give it a name that ends in .npz, .parquet or "
            f".faiss."
        )
    return (path, beside(path)) if path.suffix == ".faiss" else (path,)


def write_codes(path: Path, exported: Exported, told: Callable[[int], None]) -> None:
    """Write the files of an export, in place of those that are there.

    told: hears how many segments are written. Raises CodesError where they can not be written,
    ConfigError where a package is missing or the format is not known.
    """
    match files_of(path):
        case index, metadata:
            with _placed(index) as first, _placed(metadata) as second:
                write_index(first, exported)
                write_arrays(second, exported)
            told(len(exported.segments))
        case _:
            write = write_npz if path.suffix == ".npz" else write_parquet
            with _placed(path) as file:
                write(file, exported, told)


def read_codes(path: Path | str) -> Exported:
    """Read what `Library.export` wrote. Nothing in it is unpickled or run.

    Raises CodesError, naming the file, where it is missing, damaged, newer or something else;
    ConfigError where a package is missing or the format is not known.
    """
    path = Path(path)
    files = files_of(path)
    for file in files:
        if not file.is_file():
            hint = "check the name" if file == path else f"it belongs beside {path.name}"
            raise CodesError(f"{file} is not there, or is no file: {hint}.")
    try:
        return _read(path)
    except CodesError as error:
        told = str(error).rstrip(".")
        raise CodesError(f"{path} can not be imported: {told}.") from error
    except (ValueError, MemoryError) as error:
        raise CodesError(f"{path} does not hold together: {error}. Export it anew.") from error
    except OSError as error:
        raise CodesError(f"{path} can not be read: {error.strerror or error}.") from error


def _read(path: Path) -> Exported:
    with path.open("rb") as file:
        if path.suffix == ".npz":
            return read_npz(file)
        if path.suffix == ".parquet":
            return read_parquet(file)
        with beside(path).open("rb") as metadata:
            return read_index(file, metadata)


@contextmanager
def _placed(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which takes its name when it is whole. Raises CodesError."""
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.writing")
    try:
        try:
            with partial.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise CodesError(
            f"{path} can not be written: {error.strerror or error}. Choose a folder that exists "
            f"and has room, and that you may write to."
        ) from error
