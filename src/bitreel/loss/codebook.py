"""One fixed code for each class, far from each other: what a loss can draw clips to.

Rows of a Hadamard matrix, and random codes where there is none of the size (Yuan et al., "Central
similarity quantization", CVPR 2020, section 3.2).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bitreel.errors import ConfigError

# Up to this width all codes are candidates; above it, this many random ones or more.
_ALL_CODES_BITS = 10
_DRAWS = 2048
_DRAWS_PER_CLASS = 8


def class_codes(classes: int, bits: int) -> Tensor:
    """A code for each class, float32 ±1 [classes,bits]: the same for the same two numbers.

    - bits a power of two and classes <= 2·bits: rows of the Hadamard matrix and their complements,
      bits/2 apart or more.
    - otherwise codes with half of their bits on, chosen one by one from random draws, each the
      farthest from those before it (Gonzalez, 1985). Under 11 bits the draws are all codes there
      are.

    Touches no global generator. Raises ConfigError for numbers under 1, and where `bits` bits do
    not have a code for each class.
    """
    if classes < 1 or bits < 1:
        raise ConfigError(
            f"Codes of classes need 1 class and 1 bit at least, got {classes} and {bits}."
        )
    if classes > 2 ** min(bits, 63):
        raise ConfigError(
            f"{bits} bits have {2**bits} codes, too few for {classes} classes: give the codes "
            f"{(classes - 1).bit_length()} bits or more, or take the two-term loss."
        )
    generator = np.random.default_rng([classes, bits])
    if bits & (bits - 1) == 0 and classes <= 2 * bits:
        codes = _hadamard_codes(classes, bits, generator)
    else:
        codes = _farthest_first(_candidates(classes, bits, generator), classes)
    return torch.from_numpy(codes.astype(np.float32))


def _hadamard_codes(classes: int, bits: int, generator: np.random.Generator) -> NDArray[np.int8]:
    """Rows of Sylvester's matrix in random order and sign, then their complements."""
    matrix = np.ones((1, 1), np.int8)
    while len(matrix) < bits:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    # The row of ones comes last: it is the one code that is not half on. Neighbouring rows share
    # their pattern (16 rows of 64 repeat 16 bits four times), hence the random order; the first
    # column is all ones, hence the random signs.
    order = np.append(1 + generator.permutation(bits - 1), 0)
    signs = generator.choice(np.array([-1, 1], np.int8), size=(bits, 1))
    rows = matrix[order] * signs
    return np.concatenate([rows, -rows])[:classes]


def _candidates(classes: int, bits: int, generator: np.random.Generator) -> NDArray[np.int8]:
    """Codes to choose from, ±1 [C,bits], C >= classes: those that are half on, first."""
    if bits <= _ALL_CODES_BITS:
        numbers = generator.permutation(2**bits)
        codes = ((numbers[:, None] >> np.arange(bits)) & 1).astype(np.int8) * 2 - 1
        return codes[np.argsort(np.abs(codes.sum(axis=1)), kind="stable")]
    draws = max(_DRAWS, _DRAWS_PER_CLASS * classes) // 2
    half_on = np.where(np.arange(bits) < bits // 2, 1, -1).astype(np.int8)
    codes = generator.permuted(np.tile(half_on, (draws, 1)), axis=1)
    return np.concatenate([codes, -codes])


def _farthest_first(candidates: NDArray[np.int8], classes: int) -> NDArray[np.int8]:
    """The first candidate, then time and again the one whose nearest chosen code is farthest."""
    width = candidates.shape[1]
    floats = candidates.astype(np.float32)  # a product of floats is faster, and exact here
    chosen = [0]
    nearest = np.full(len(candidates), np.inf)
    while len(chosen) < classes:
        nearest = np.minimum(nearest, (width - floats @ floats[chosen[-1]]) / 2)
        if not nearest.max():
            raise ConfigError(
                f"{width} bits are too few for {classes} classes: codes for all of them were not "
                f"found. Take more bits."
            )
        chosen.append(int(np.argmax(nearest)))
    return candidates[chosen]
