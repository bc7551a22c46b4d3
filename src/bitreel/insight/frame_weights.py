"""Which frames of a clip bring it near to a code: by putting a neighbour in the place of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Clip
from bitreel.codes import BinaryCodes, check_same_width

if TYPE_CHECKING:
    from bitreel.model import Model

Features = NDArray[np.float32]
_CLIPS_AT_ONCE = 8  # in memory, where the network mixes frames and has to run for each change


@dataclass(frozen=True, eq=False)
class FrameWeights:
    """How much each sampled frame of a clip brings it near to a code.

    times_seconds: float64 [T], of the video. weights_bits: float64 [T], by how much the relaxed
    distance grows when the frame gives way to its neighbours in time, so that a frame without which
    the clip would be nearer has a negative one.
    """

    times_seconds: NDArray[np.float64]
    weights_bits: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.times_seconds.shape != self.weights_bits.shape or self.weights_bits.ndim != 1:
            raise ValueError(
                f"expected a weight for each time, got {list(self.weights_bits.shape)} for "
                f"{list(self.times_seconds.shape)}"
            )

    def __len__(self) -> int:
        return len(self.times_seconds)

    def __repr__(self) -> str:
        return f"FrameWeights({len(self)} frames)"


def relaxed_distance(relaxed: NDArray[np.floating], code: BinaryCodes) -> NDArray[np.float64]:
    """From relaxed bits [N,K] to one code, in bits, float64 [N]: the sum of the squares of what is
    between them, which is the Hamming distance where the bits are sure."""
    stored = code.unpack()[0].astype(np.float64)
    distances: NDArray[np.float64] = np.square(relaxed.astype(np.float64) - stored).sum(axis=1)
    return distances


def weigh_frames(
    model: Model, clip: Clip, code: BinaryCodes, features: list[Features] | None = None
) -> FrameWeights:
    """The weights of a clip's frames: the mean over both neighbours that can stand in for each.

    code: one, of the model's width. features: of the clip, where they are known already. Where the
    network looks at each frame by itself, its features change places, and it runs but once;
    elsewhere it runs for each change. Raises CodesError for a code of another width.
    """
    check_same_width(code, BinaryCodes(np.zeros((1, (model.bits + 7) // 8), np.uint8), model.bits))
    features = model.features(clip) if features is None else features
    swaps = _swaps(clip.positions)
    whole = relaxed_distance(model.relaxed_bits([part[None] for part in features]), code)[0]
    if frames_stand_alone(model):
        changed = _swapped_features(features, swaps)
    else:
        changed = _swapped_clips(model, clip, swaps)
    far = [relaxed_distance(model.relaxed_bits([p[None] for p in f]), code)[0] for f in changed]
    sums, counts = np.zeros(clip.positions), np.zeros(clip.positions)
    for (position, _), distance in zip(swaps, far, strict=True):
        sums[position] += distance - whole
        counts[position] += 1
    middles = np.take_along_axis(clip.snippets, clip.centres[:, None], axis=1)[:, 0]
    return FrameWeights(clip.times_seconds[middles], sums / np.maximum(counts, 1))


def frames_stand_alone(model: Model) -> bool:
    """Whether each stream makes a picture of each position alone, and features of each picture."""
    frames = model.config.sampling.frames
    return all(
        backbone.by_picture and modality.pictures(frames) == frames
        for backbone, modality in zip(model.network.backbones, model.modalities, strict=True)
    )


def _swaps(positions: int) -> list[tuple[int, int]]:
    """Which position gives way to which: each to the one before and to the one after it."""
    return [
        (position, other)
        for position in range(positions)
        for other in (position - 1, position + 1)
        if 0 <= other < positions
    ]


def _swapped_features(
    features: list[Features], swaps: list[tuple[int, int]]
) -> Iterator[list[Features]]:
    """Features [V,T,D] of each stream with one position in the place of another.

    The V clips of a segment take turns: position p of the segment is the p // V-th of clip p % V.
    """
    for position, other in swaps:
        changed = [part.copy() for part in features]
        for new, old in zip(changed, features, strict=True):
            clips = len(old)
            new[position % clips, position // clips] = old[other % clips, other // clips]
        yield changed


def _swapped_clips(
    model: Model, clip: Clip, swaps: list[tuple[int, int]]
) -> Iterator[list[Features]]:
    """Features of the clip with one snippet in the place of another, a batch at a time."""
    for first in range(0, len(swaps), _CLIPS_AT_ONCE):
        clips = []
        for position, other in swaps[first : first + _CLIPS_AT_ONCE]:
            rows = np.arange(clip.positions)
            rows[position] = other
            clips.append(replace(clip, snippets=clip.snippets[rows], centres=clip.centres[rows]))
        yield from model.features_of(clips)
