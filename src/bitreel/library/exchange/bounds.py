"""How much may come out of a file, to be known before anything of it is unpacked.

A file of a megabyte can be made that unpacks to a gigabyte of zeros. Of codes and what belongs to
them no honest export packs a fiftieth as well: all segments of one video, all with the same code of
512 bits, come to 53 times the file.
"""

from __future__ import annotations

import os
from typing import IO

from bitreel.errors import CodesError

_MOST_TIMES = 200  # the file
_ALWAYS_BYTES = 16 << 20  # may come out of any file, however small


def size_bytes(file: IO[bytes]) -> int:
    """Of an open file."""
    at = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(at)
    return size


def check_unpacked(unpacked_bytes: int, file: IO[bytes], *, times: int = _MOST_TIMES) -> None:
    """Raises CodesError where more is to come out of an open file than can have been put in."""
    packed_bytes = size_bytes(file)
    if unpacked_bytes > times * packed_bytes + _ALWAYS_BYTES:
        raise CodesError(
            f"it says that {unpacked_bytes / 1e6:.0f} MB are packed in its "
            f"{packed_bytes / 1e6:.1f} MB, which codes can not be: it is damaged, or was made to "
            f"fill the memory"
        )
