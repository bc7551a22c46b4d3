"""Asymmetric re-ranking: the query keeps its relaxed bits, the stored codes stay binary.

A query whose bit lies at .51 says less about that bit than one at .99; the Hamming distance of the
two is the same. Re-ranking the nearest by Hamming distance with the query's relaxed bits gives that
back at no cost in storage (asymmetric distances: Dong, Charikar & Li, SIGIR 2008; Gordo et al.,
TPAMI 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, check_same_width
from bitreel.errors import CodesError, ConfigError
from bitreel.search.neighbours import Neighbours

# What a bit adds is kept as a whole number of this many parts: sums are then exact, so equal codes
# tie on every machine, and what breaks the tie is the rule and not the rounding.
_PARTS = 1 << 24

# The 8 bits of every byte, int64 [256,8], in the bit order of BinaryCodes.
_BITS_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class AsymmetricNeighbours:
    """For each of Q queries its nearest codes by asymmetric distance, nearest first.

    Equal asymmetric distances stand by Hamming distance, and where that is equal too by rising id.
    ids: int64 [Q,k']. distances_bits: int32 [Q,k'], Hamming. asymmetric_bits: float32 [Q,k'], never
    decreasing along a row.
    """

    ids: NDArray[np.int64]
    distances_bits: NDArray[np.int32]
    asymmetric_bits: NDArray[np.float32]

    def __post_init__(self) -> None:
        fields = (self.ids, self.distances_bits, self.asymmetric_bits)
        types = [str(field.dtype) for field in fields]
        if types != ["int64", "int32", "float32"] or self.ids.ndim != 2:
            raise ValueError(
                f"expected ids int64, Hamming distances int32 and asymmetric distances float32 "
                f"[Q,k], got {', '.join(f'{field.dtype} {list(field.shape)}' for field in fields)}"
            )
        if not self.ids.shape == self.distances_bits.shape == self.asymmetric_bits.shape:
            raise ValueError(
                f"expected both distances for each id, got {list(self.distances_bits.shape)} and "
                f"{list(self.asymmetric_bits.shape)} for {list(self.ids.shape)}"
            )
        if np.any(np.diff(self.asymmetric_bits, axis=1) < 0):
            raise ValueError("expected asymmetric distances that never decrease along a row")

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"AsymmetricNeighbours({self.ids.shape[0]} queries x {self.ids.shape[1]})"


class AsymmetricReranker:
    """Orders a Hamming shortlist anew by the queries' relaxed bits.

    The asymmetric distance of relaxed bits h in [0,1] and a code b in {0,1} is `sum_i (h_i − b_i)²`
    in bits: the triplet loss's distance, and the Hamming distance where h is saturated. For one
    query, `sum |h − b|` and the cosine of `2h − 1` and `2b − 1` give the same order, as each is a
    rising function of `(2h − 1)·(2b − 1)`. Between queries they differ: told apart by the square,
    right and wrong answers of all queries in one list had the best average precision on one set of
    published codes and the best but .0001 on the other (benchmarks/asymmetric.py).

    How long a shortlist: for 10 answers, 50 give almost all of the gain and 100 all but .0005 of it
    on published 64-bit codes; 20 are better than none.

    codes: N codes. ids: int64 [N], each its own; 0 to N-1 when not given, as for ExactIndex. The
    codes are copied. A call changes nothing, so threads may share one object. Raises CodesError
    where the ids do not fit the codes.
    """

    def __init__(self, codes: BinaryCodes, ids: NDArray[np.int64] | None = None) -> None:
        ids = np.arange(len(codes), dtype=np.int64) if ids is None else ids
        if ids.dtype != np.int64 or ids.shape != (len(codes),):
            raise CodesError(
                f"Expected ids int64 [{len(codes)}], one for each code, "
                f"got {ids.dtype} {list(ids.shape)}."
            )
        order = np.argsort(ids)
        self._ids, self._codes = ids[order], codes[order]
        if np.any(np.diff(self._ids) == 0):
            raise CodesError("Two codes have one id: give each code its own.")

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"AsymmetricReranker({len(self)} x {self._codes.bits} bits)"

    def rerank(
        self, relaxed: NDArray[np.floating], shortlist: Neighbours, k: int
    ) -> AsymmetricNeighbours:
        """The min(k, S) best of each query's shortlist of S codes.

        relaxed: [Q,K] in [0,1], the relaxed bits whose codes the shortlist was searched with.
        Raises CodesError for relaxed bits that are none or of another width, for a shortlist of
        another number of queries and for one with an id that is not here; ConfigError for k < 0.
        """
        check_same_width(BinaryCodes.from_relaxed(relaxed), self._codes)
        if len(relaxed) != len(shortlist):
            raise CodesError(
                f"Expected a shortlist for each query, got {len(shortlist)} for {len(relaxed)}."
            )
        if k < 0:
            raise ConfigError(f"The number of neighbours must be 0 or more, got k={k}.")
        positions = self._positions(shortlist.ids)
        asymmetric = np.empty(positions.shape, np.float32)
        for row, (bits, stored) in enumerate(zip(relaxed, positions, strict=True)):
            asymmetric[row] = _distances(bits, self._codes.packed[stored])
        best = np.lexsort((shortlist.ids, shortlist.distances_bits, asymmetric), axis=1)[:, :k]
        return AsymmetricNeighbours(
            np.take_along_axis(shortlist.ids, best, axis=1),
            np.take_along_axis(shortlist.distances_bits, best, axis=1),
            np.take_along_axis(asymmetric, best, axis=1),
        )

    def _positions(self, ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """Where the codes of these ids stand, in their shape."""
        positions = np.searchsorted(self._ids, ids)
        known = positions < len(self)
        known[known] = self._ids[positions[known]] == ids[known]
        if not known.all():
            raise CodesError(
                f"The shortlist holds id {ids[~known][0]}, which is none of the {len(self)} codes "
                f"here: search and re-rank the same codes."
            )
        return positions


def _distances(relaxed: NDArray[np.floating], packed: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Asymmetric distances in bits, float64 [S], of relaxed bits [K] to packed codes [S,bytes]."""
    width = packed.shape[1]
    padded = np.zeros(width * 8)  # a padding bit of 0 then adds (0 − 0)²
    padded[: len(relaxed)] = relaxed
    zero, one = (_parts(np.square(padded - bit)).reshape(width, 8) for bit in (0, 1))
    # A byte of a code has 256 values: adding up its 8 bits beforehand leaves one look-up a byte.
    of_byte = zero.sum(axis=1)[:, None] + (one - zero) @ _BITS_OF_BYTE.T  # [bytes,256]
    parts = of_byte[np.arange(width), packed].sum(axis=1)
    return np.asarray(parts / _PARTS)


def _parts(distances_bits: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(distances_bits * _PARTS).astype(np.int64)
