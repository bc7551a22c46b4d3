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

# Distances are worked out in tiles of this many (query, database) pairs: the XOR of a tile, eight
# bytes a pair, then stays in the processor's cache.
_TILE_PAIRS = 1 << 16


@dataclass(frozen=True, eq=False)
class BinaryCodes:
    """N codes of `bits` bits. packed: uint8 [N, ceil(bits/8)], padding bits zero.

    Raises CodesError where width, type or padding do not hold.
    """

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
        """Threshold relaxed bits [N,K] in [0,1]: a bit is 1 where it is >= 0.5.

        Raises CodesError for NaN and for numbers outside [0,1]: logits or tanh outputs have their
        threshold at 0, and would give other codes in silence.
        """
        if relaxed.ndim != 2:
            raise CodesError(f"Expected relaxed bits [N,K], got {list(relaxed.shape)}.")
        if not np.all(np.isfinite(relaxed)):
            raise CodesError("Relaxed bits must be finite numbers: the model gave NaN or infinity.")
        if np.any(relaxed < 0) or np.any(relaxed > 1):
            raise CodesError(
                f"Relaxed bits lie in [0,1], got {relaxed.min():.3g} to {relaxed.max():.3g}: "
                f"pass them through a sigmoid, or give `x >= 0` to from_bits."
            )
        return cls.from_bits(relaxed >= THRESHOLD)

    @classmethod
    def from_bits(cls, bits: NDArray[np.bool_]) -> BinaryCodes:
        """Pack booleans [N,K]. Raises CodesError for another type or shape."""
        if bits.dtype != np.bool_ or bits.ndim != 2:
            raise CodesError(f"Expected booleans [N,K], got {bits.dtype} {list(bits.shape)}.")
        return cls(np.packbits(bits, axis=1), bits.shape[1])

    def unpack(self) -> NDArray[np.bool_]:
        """The bits as booleans [N,K]."""
        return np.unpackbits(self.packed, axis=1, count=self.bits).astype(bool)

    def words(self) -> NDArray[np.uint64]:
        """The codes as uint64 [W,N], W = ceil(bits/64), zeros where the bytes end early.

        Word by word, so that one XOR runs over all codes. The value of a word depends on the byte
        order of the machine, its popcount does not: compare words, never store them.
        """
        width = self.packed.shape[1]
        padded = np.zeros((len(self), (width + 7) // 8 * 8), np.uint8)
        padded[:, :width] = self.packed
        return np.ascontiguousarray(padded.view(np.uint64).T)


def hamming(queries: BinaryCodes, database: BinaryCodes) -> NDArray[np.int32]:
    """Distances in bits, int32 [Q,N]: the popcount of every XOR.

    Raises CodesError where the two widths differ.
    """
    check_same_width(queries, database)
    return hamming_words(queries.words(), database.words())


def check_same_width(queries: BinaryCodes, database: BinaryCodes) -> None:
    """Raises CodesError where queries and database have codes of unequal width."""
    if queries.bits != database.bits:
        raise CodesError(
            f"Codes of {queries.bits} and of {database.bits} bits can not be compared: "
            f"encode both with one model."
        )


def hamming_words(
    query_words: NDArray[np.uint64], database_words: NDArray[np.uint64]
) -> NDArray[np.int32]:
    """Distances in bits, int32 [Q,N], of codes as `BinaryCodes.words` gives: [W,Q] and [W,N]."""
    queries, database = query_words.shape[1], database_words.shape[1]
    distances_bits = np.zeros((queries, database), np.int32)
    columns = max(1, min(database, _TILE_PAIRS))
    rows = _TILE_PAIRS // columns
    for top in range(0, queries, rows):
        for left in range(0, database, columns):
            tile = distances_bits[top : top + rows, left : left + columns]
            for query_word, word in zip(query_words, database_words, strict=True):
                differing = query_word[top : top + rows, None] ^ word[left : left + columns]
                tile += np.bitwise_count(differing)
    return distances_bits
