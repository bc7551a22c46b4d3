"""The arrays of an open `.npz`, of which nothing is unpacked but what was expected."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import CodesError
from bitreel.library.exchange.bounds import check_unpacked

_MOST_TEXT_BYTES = 1 << 20

Shape = tuple[int | None, ...]  # None: of any length


class PackedArrays:
    """names: those of the arrays that are of use; others are passed over. Raises CodesError where
    more would come out of the file than can be in it, and what numpy and zipfile raise of damage.
    """

    def __init__(self, file: IO[bytes], names: Collection[str]) -> None:
        self._archive = zipfile.ZipFile(file)
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in self._members:
                raise CodesError(f"{name} stands in it twice")
            if name in names:
                self._members[name] = member
        check_unpacked(sum(member.file_size for member in self._members.values()), file)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def text(self, name: str) -> str | None:
        """An array that is one short text; None where it is another."""
        if self._members[name].file_size > _MOST_TEXT_BYTES:
            return None
        array = self._read(name)
        return str(array) if array.dtype.kind == "U" and array.ndim == 0 else None

    def array(self, name: str, dtype: np.dtype[Any], shape: Shape) -> NDArray[Any]:
        """An array of that kind of numbers and shape, as the header says before it is unpacked."""
        with self._archive.open(self._members[name]) as packed:
            version = np.lib.format.read_magic(packed)
            read = np.lib.format.read_array_header_1_0
            if version == (2, 0):
                read = np.lib.format.read_array_header_2_0
            found, _, held = read(packed)
            header_bytes = packed.tell()
        fits = len(found) == len(shape) and all(
            expected in (None, got) for got, expected in zip(found, shape, strict=True)
        )
        if not fits or held.kind != dtype.kind:
            raise CodesError(
                f"{name} in it is {held} {list(found)}, and not {dtype} {_written(shape)}"
            )
        expected_bytes = header_bytes + held.itemsize * int(np.prod(found, dtype=object))
        if self._members[name].file_size != expected_bytes:
            raise CodesError(f"{name} in it is not as long as it says")
        return self._read(name).astype(dtype, copy=False)

    def _read(self, name: str) -> NDArray[Any]:
        with self._archive.open(self._members[name]) as packed:
            array: NDArray[Any] = np.lib.format.read_array(packed, allow_pickle=False)
            packed.read()  # to the end, where the checksum is compared
        return array


def _written(shape: Shape) -> str:
    return f"[{', '.join('N' if length is None else str(length) for length in shape)}]"
