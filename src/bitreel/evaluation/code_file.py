"""Codes made elsewhere, as one `.npz` file: what `bitreel evaluate --codes` reads."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.errors import CodesError

_KEYS = ("database_codes", "query_codes", "database_labels", "query_labels")


@dataclass(frozen=True, eq=False)
class CodeFile:
    """The codes and labels of queries and database.

    query, database: codes of one width. query_labels [Q], database_labels [N]: integers or strings.
    In the file: `query_codes` and `database_codes` packed uint8 [., ceil(bits/8)] in the bit order
    of BinaryCodes, `query_labels`, `database_labels`, and `bits`, which a width that is not a
    multiple of 8 needs. Other arrays in the file are left alone.
    """

    query: BinaryCodes
    query_labels: NDArray[Any]
    database: BinaryCodes
    database_labels: NDArray[Any]

    def __post_init__(self) -> None:
        if self.query.bits != self.database.bits:
            raise CodesError(
                f"Query codes have {self.query.bits} bits and database codes {self.database.bits}: "
                f"encode both with one model."
            )
        _check_labels("query", self.query_labels, self.query)
        _check_labels("database", self.database_labels, self.database)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CodeFile:
        """Read a file. Nothing in it is unpickled or run.

        Raises CodesError, naming the file, where it is missing, damaged, or holds something else.
        """
        arrays = _read_arrays(Path(path))
        try:
            bits = _bits(arrays)
            return cls(
                _codes("query_codes", arrays, bits),
                arrays["query_labels"],
                _codes("database_codes", arrays, bits),
                arrays["database_labels"],
            )
        except CodesError as error:
            raise CodesError(f"{path} is not a file of codes: {error}") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file under exactly this name. An existing one is replaced only when done.

        Raises CodesError where it can not be written.
        """
        part = Path(f"{os.fspath(path)}.part")
        try:
            with part.open("wb") as file:
                np.savez_compressed(
                    file,
                    query_codes=self.query.packed,
                    query_labels=self.query_labels,
                    database_codes=self.database.packed,
                    database_labels=self.database_labels,
                    bits=np.int64(self.query.bits),
                )
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise CodesError(
                f"{path} can not be written: {error.strerror or error}. "
                f"Choose a folder that exists and that you may write to."
            ) from error


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays this file is about, by key."""
    hint = "Write it with numpy.savez, with arrays of numbers or strings, or make it anew."
    if not path.is_file():
        raise CodesError(f"{path} is not there, or is no file. Check the name.")
    try:
        # Opened here, because numpy leaves its own file open where the archive is damaged.
        with path.open("rb") as file:
            # numpy opens other kinds of file too: a bare array, and pickles, which we never read.
            if not zipfile.is_zipfile(file):
                raise CodesError(f"{path} is not an .npz file, or is cut short. {hint}")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return _wanted(archive, path)
    except CodesError:
        raise
    # Damage makes numpy, zipfile, zlib and the header's parser raise a dozen unrelated types, from
    # BadZipFile to TokenError and MemoryError: any of them means that the file can not be read.
    except Exception as error:
        raise CodesError(f"{path} can not be read as .npz: {error}. {hint}") from error


def _wanted(archive: np.lib.npyio.NpzFile, path: Path) -> dict[str, NDArray[Any]]:
    missing = [key for key in _KEYS if key not in archive.files]
    if missing:
        found = ", ".join(archive.files) or "no arrays"
        raise CodesError(
            f"{path} lacks {', '.join(missing)}; it holds {found}. "
            f"A file of codes needs {', '.join(_KEYS)}."
        )
    arrays = {key: archive[key] for key in (*_KEYS, "bits") if key in archive.files}
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray):  # numpy gives the bytes of what has no array header
            raise CodesError(f"{path} is damaged: {key} in it is not an array. Make it anew.")
    return arrays


def _bits(arrays: dict[str, NDArray[Any]]) -> int:
    """The `bits` of the file, or 8 for each byte of its database codes."""
    if "bits" not in arrays:
        codes = arrays["database_codes"]
        if codes.ndim != 2:
            raise CodesError(
                f"Expected database_codes packed uint8 [N,bytes], got {list(codes.shape)}."
            )
        if codes.shape[1] >= 8 and codes.size and codes.dtype == np.uint8 and codes.max() <= 1:
            raise CodesError(
                "database_codes hold one bit in each byte: pack them with "
                "numpy.packbits(codes, axis=1), or state the number of `bits`."
            )
        return 8 * int(codes.shape[1])
    bits = arrays["bits"]
    if bits.size != 1 or bits.dtype.kind not in "iu":
        raise CodesError(f"`bits` is one whole number, got {bits.dtype} {list(bits.shape)}.")
    return int(bits.item())


def _codes(key: str, arrays: dict[str, NDArray[Any]], bits: int) -> BinaryCodes:
    try:
        return BinaryCodes(arrays[key], bits)
    except CodesError as error:
        raise CodesError(f"{key}: {error}") from error


def _check_labels(side: str, labels: NDArray[Any], codes: BinaryCodes) -> None:
    if labels.dtype.kind not in "iuU":
        raise CodesError(f"Expected {side} labels as integers or strings, got {labels.dtype}.")
    if labels.shape != (len(codes),):
        raise CodesError(
            f"Expected {side} labels [{len(codes)}], one for each code, got {list(labels.shape)}."
        )
