"""Binary codes: K bits a clip, packed in bytes, compared by XOR and popcount. numpy only.

Bit order: bit 0 is the most significant bit of byte 0 (big-endian, numpy's default of `packbits`).
A width that is not a multiple of 8 is padded with zero bits at the end of the last byte.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import CodesError

THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class BinaryCodes:
    """N codes of `bits` bits. packed: uint8 [N, ceil(bits/8)], padding bits zero."""

    packed: NDArray[np.uint8]
    bits: int

    def __post_init__(self) -> None:
        width = (self.bits + 7) // 8
        if self.bits < 1:
            raise CodesError(f"A code has at least 1 bit, got {self.bits}.")
        if self.packed.dtype != np.uint8 or self.packed.ndim != 2 or self.packed.shape[1] != width:
            raise CodesError(
                f"Expected packed codes uint8 [N,{width}] for {self.bits} bits, "
                f"got {self.packed.dtype} {list(self.packed.shape)}."
            )
        spare = width * 8 - self.bits
        if spare and np.any(self.packed[:, -1] & ((1 << spare) - 1)):
            raise CodesError(f"The last {spare} padding bits of a {self.bits}-bit code must be 0.")

    def __len__(self) -> int:
        return len(self.packed)

    def __repr__(self) -> str:
        return f"BinaryCodes({len(self)} x {self.bits} bits)"

    def __getitem__(self, rows: slice | NDArray[np.generic] | list[int]) -> BinaryCodes:
        return BinaryCodes(self.packed[rows], self.bits)

    @classmethod
    def from_relaxed(cls, relaxed: NDArray[np.floating]) -> BinaryCodes:
        """Threshold relaxed bits [N,K] in [0,1]: a bit is 1 where it is >= 0.5."""
        if relaxed.ndim != 2:
            raise CodesError(f"Expected relaxed bits [N,K], got {list(relaxed.shape)}.")
        if not np.all(np.isfinite(relaxed)):
            raise CodesError("Relaxed bits must be finite numbers: the model gave NaN or infinity.")
        return cls.from_bits(relaxed >= THRESHOLD)

    @classmethod
    def from_bits(cls, bits: NDArray[np.bool_]) -> BinaryCodes:
        """Pack booleans [N,K]."""
        return cls(np.packbits(bits, axis=1), bits.shape[1])

    def unpack(self) -> NDArray[np.bool_]:
        """The bits as booleans [N,K]."""
        return np.unpackbits(self.packed, axis=1, count=self.bits).astype(bool)


def hamming(queries: BinaryCodes, database: BinaryCodes) -> NDArray[np.int32]:
    """Distances in bits, int32 [Q,N]: the popcount of every XOR."""
    if queries.bits != database.bits:
        raise CodesError(
            f"Codes of {queries.bits} and of {database.bits} bits can not be compared: "
            f"encode both with one model."
        )
    return (
        np.stack(
            [
                np.bitwise_count(row ^ database.packed).sum(axis=1, dtype=np.int32)
                for row in queries.packed
            ]
        )
        if len(queries)
        else np.empty((0, len(database)), np.int32)
    )
