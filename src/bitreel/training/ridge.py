"""Ridge regression from features to fixed codes of the classes: a hash layer in closed form.

Few clips and many features: there a linear map that is worked out generalises better than one that
is trained by gradient, wants no learning rate, and takes a second. Labels are regressed to codes as
in fast supervised discrete hashing (Gui et al., TPAMI 2018); here the codes are fixed and far
apart, as those of OrthoHash and CSQ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import ConfigError, DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RidgeProjection:
    """Bit i of a feature x is 1 where `weights[i] @ x + bias[i] >= 0`.

    weights: float32 [K,D]. bias: float32 [K].
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def fit_ridge(
    features: NDArray[np.float32], targets: NDArray[np.float32], *, ridge: float
) -> RidgeProjection:
    """The map of least `sum ||W x + b − target||² + λ ||W||²` over the clips.

    features: float32 [N,D]. targets: ±1 [N,K], the code of each clip's class. λ is `ridge` times
    the mean squared length of a centred feature, so that its effect does not depend on their scale
    or number. Solved in whichever of N and D is smaller, in float64. Raises ConfigError for a ridge
    that is not above 0, DataError for shapes that do not fit and features that are not finite.
    """
    if not 0 < ridge < np.inf:
        raise ConfigError(f"The ridge is above 0, got {ridge}.")
    if features.ndim != 2 or targets.ndim != 2 or not 0 < len(features) == len(targets):
        raise DataError(
            f"A ridge is fitted on features [N,D] and targets [N,K] of one clip or more, "
            f"got {list(features.shape)} and {list(targets.shape)}."
        )
    if not np.isfinite(features).all():
        raise DataError("A ridge is fitted on finite features: the model gave NaN or infinity.")
    mean, level = features.mean(0, dtype=np.float64), targets.mean(0, dtype=np.float64)
    centred, aims = features - mean, targets - level
    weights = _solve(centred, aims, ridge)
    bias = level - weights @ mean
    return RidgeProjection(weights.astype(np.float32), bias.astype(np.float32))


def _solve(inputs: Floats, aims: Floats, ridge: float) -> Floats:
    """[N,D] and [N,K] → W [K,D]."""
    count, width = inputs.shape
    penalty = ridge * np.square(inputs).sum() / count
    if not penalty:  # clips that are all alike: nothing to tell them apart by
        return np.zeros((aims.shape[1], width))
    if count <= width:
        gram = inputs @ inputs.T
        gram[np.diag_indices(count)] += penalty
        return np.asarray((inputs.T @ np.linalg.solve(gram, aims)).T)
    gram = inputs.T @ inputs
    gram[np.diag_indices(width)] += penalty
    return np.asarray(np.linalg.solve(gram, inputs.T @ aims).T)
