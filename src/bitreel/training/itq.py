"""Iterative quantisation: codes without labels (Gong & Lazebnik, CVPR 2011).

A linear map from features to bits, fitted on the features of one's own clips: nothing is trained by
gradient, and nobody has to name an action.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import ConfigError, DataError

Floats = NDArray[np.float64]

# Root mean square of the logits on the fitted features: relaxed bits then fill [0,1], neither all
# at .5 nor all at its ends, whatever the scale of the features.
_LOGIT_SIZE = 2.0


@dataclass(frozen=True, eq=False)
class ItqProjection:
    """Bit i of a feature x is 1 where `weights[i] @ x + bias[i] >= 0`.

    weights: float32 [K,D], rows of one length. bias: float32 [K]. As Linear(D→K) below a sigmoid it
    gives relaxed bits, whose code is the same.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def __post_init__(self) -> None:
        weights, bias = self.weights, self.bias
        if weights.dtype != np.float32 or weights.ndim != 2 or bias.dtype != np.float32:
            raise ValueError(
                f"expected weights float32 [K,D] and bias float32 [K], got {weights.dtype} "
                f"{list(weights.shape)} and {bias.dtype} {list(bias.shape)}"
            )
        if bias.shape != weights.shape[:1]:
            raise ValueError(f"expected a bias for each of {len(weights)} bits, got {len(bias)}")


def fit_itq(
    features: NDArray[np.float32], *, bits: int, iterations: int = 50, seed: int = 0
) -> ItqProjection:
    """Fit a projection to `bits` bits on the features float32 [N,D] of N clips.

    Centre, take the `bits` principal directions, turn them at random, then alternate the codes
    `B = sign(V R)` and the rotation R nearest to them (orthogonal Procrustes), so that
    `||B − V R||²` falls: Gong & Lazebnik's equation 2. Worked out in float64. All weights share one
    factor, which gives the logits of these features a root mean square of 2.

    N clips spread in N−1 directions at most, and in fewer where features repeat. Where more bits
    are asked for, they come in blocks of as many as there are directions, each turned from its own
    random start: further codes of the same space, no two alike but where there is one direction.
    Where the features do not spread at all (one clip, equal clips), bits are random hyperplanes
    through them, which say nothing of these clips and something of those to come.

    The same arguments give the same projection; no global generator is touched. Raises ConfigError
    for bits under 1 or iterations under 0, DataError for features that are none, not finite or of
    another type or shape.
    """
    _check(features, bits, iterations)
    generator = np.random.default_rng(seed)
    centre = features.mean(axis=0, dtype=np.float64)
    centred = features - centre
    directions = _principal_directions(centred, floor=_rounding_of(features))[:bits]
    if len(directions):
        weights = _rotated_blocks(centred, directions, bits, iterations, generator)
        weights *= _LOGIT_SIZE / np.sqrt(np.square(centred @ weights.T).mean())
    else:
        weights = generator.standard_normal((bits, features.shape[1]))
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return ItqProjection(weights.astype(np.float32), (-weights @ centre).astype(np.float32))


def _check(features: NDArray[np.float32], bits: int, iterations: int) -> None:
    if bits < 1 or iterations < 0:
        raise ConfigError(
            f"ITQ needs 1 bit or more and 0 iterations or more, got {bits} and {iterations}."
        )
    if features.dtype != np.float32 or features.ndim != 2 or not features.size:
        raise DataError(
            f"ITQ is fitted on features float32 [N,D] of one clip or more, "
            f"got {features.dtype} {list(features.shape)}."
        )
    if not np.isfinite(features).all():
        raise DataError("ITQ is fitted on finite features: the model gave NaN or infinity.")


def _rounding_of(features: NDArray[np.float32]) -> float:
    """How far equal features [N,D] may seem to spread along a direction, by their rounding."""
    epsilon = float(np.finfo(np.float32).eps)
    return epsilon * float(np.abs(features).max()) * math.sqrt(max(features.shape))


def _principal_directions(centred: Floats, *, floor: float) -> Floats:
    """Orthonormal rows [M,D], widest spread first: those along which [N,D] spreads over `floor`."""
    # The triangle of a QR has the singular values and directions of the whole, in D rows at most.
    triangle = np.linalg.qr(centred, mode="r")
    _, spread, directions = np.linalg.svd(triangle, full_matrices=False)
    return np.asarray(directions[spread > floor])


def _rotated_blocks(
    centred: Floats,
    directions: Floats,
    bits: int,
    iterations: int,
    generator: np.random.Generator,
) -> Floats:
    """Rows of length 1 [bits,D]: the directions [M,D] rotated, time and again where bits > M."""
    blocks = []
    for left in range(bits, 0, -len(directions)):
        block = directions[:left]
        blocks.append(_rotation(centred @ block.T, iterations, generator).T @ block)
    return np.concatenate(blocks)


def _rotation(projected: Floats, iterations: int, generator: np.random.Generator) -> Floats:
    """R orthogonal [M,M] that brings [N,M] near to the corners of a cube."""
    size = projected.shape[1]
    rotation = _orthogonal(generator.standard_normal((size, size)))
    for _ in range(iterations):
        codes = np.where(projected @ rotation >= 0, 1.0, -1.0)
        # The rotation of least ||B − V R||² is that of greatest trace(Rᵀ Vᵀ B).
        left, _, right = np.linalg.svd(projected.T @ codes)
        rotation = left @ right
    return rotation


def _orthogonal(gaussian: Floats) -> Floats:
    """A rotation drawn evenly: Q of a Gaussian matrix, signs settled by R (Mezzadri, 2007)."""
    q, r = np.linalg.qr(gaussian)
    return np.asarray(q * np.where(np.diag(r) < 0, -1.0, 1.0))
