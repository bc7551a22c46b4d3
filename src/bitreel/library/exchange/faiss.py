"""Codes as a binary index of FAISS, `.faiss`, and what it has no place for in `.faiss.npz` beside.

The index is an IndexBinaryIDMap2 over an IndexBinaryFlat: it finds by comparing with every code,
and answers with the ids of segments. FAISS knows whole bytes only: codes of 20 bits are 24 bits
wide in it, the last four zero in all of them, which changes no distance.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import CodesError
from bitreel.library.exchange.bounds import size_bytes
from bitreel.library.exchange.exported import Exported
from bitreel.library.exchange.npz import exported_from, read_arrays
from bitreel.library.exchange.packages import package

_MAGIC = b"IBM2"
_MOST_HEADER_BYTES = 1024
_WIDE_NUMBERS = 8


def beside(index: Path) -> Path:
    """Where the metadata of an index lie."""
    return index.with_name(index.name + ".npz")


def write_index(file: IO[bytes], exported: Exported) -> None:
    """Write an open file. Raises ConfigError without FAISS."""
    faiss = package("faiss", "A FAISS index")
    codes = exported.segments.codes.packed
    index = faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(8 * codes.shape[1]))
    if len(codes):
        index.add_with_ids(np.ascontiguousarray(codes), exported.segments.ids)
    file.write(faiss.serialize_index_binary(index).data)


def read_index(file: IO[bytes], metadata: IO[bytes]) -> Exported:
    """Read an open index, and the open file beside it.

    Raises CodesError, without their names, where they are damaged, not ours or not of one export;
    ConfigError without FAISS.
    """
    try:
        about, arrays = read_arrays(metadata)
    except CodesError as error:
        raise CodesError(f"of the file beside it, {error}") from error
    # FAISS believes the sizes that a file states, and may ask for more memory than there is.
    expected = about.segments * ((about.bits + 7) // 8 + _WIDE_NUMBERS)
    fits = expected <= size_bytes(file) <= expected + _MOST_HEADER_BYTES
    raw = file.read() if fits else b""
    if raw[:4] != _MAGIC:
        raise CodesError("it is no FAISS index of the codes that the file beside it tells of")
    ids, packed = _parts(raw, (about.bits + 7) // 8)
    return exported_from(about, arrays, packed, ids)


def _parts(raw: bytes, width: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Ids int64 [N] and codes uint8 [N,B]."""
    faiss = package("faiss", "A FAISS index")
    try:
        index: Any = faiss.deserialize_index_binary(np.frombuffer(raw, np.uint8))
        flat = faiss.downcast_IndexBinary(index.index)
        ids = faiss.vector_to_array(index.id_map)
        packed = faiss.vector_to_array(flat.xb)
        return ids.astype(np.int64), packed.reshape(len(ids), width)
    except Exception as error:  # what C++ throws has many types
        raise CodesError(f"FAISS can not read it ({str(error).splitlines()[-1]})") from error
