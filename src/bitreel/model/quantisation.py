"""A model in 8-bit integers, measured out on the user's own videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bitreel.clip import Clip
from bitreel.errors import ConfigError, VideoError
from bitreel.model.cost import nothing_readable
from bitreel.model.model import Model
from bitreel.progress import Progress, Step, silent
from bitreel.read_ahead import read_ahead
from bitreel.runtime import (
    MOST_QUANTISED_PICTURES,
    Floats,
    Rows,
    batch_size,
    quantise_backbone,
    require,
)

CALIBRATION_CLIPS = 64  # with a batch of each, some 250 pictures


def quantise(
    model: Model,
    videos: Sequence[Path],
    *,
    clips: int = CALIBRATION_CLIPS,
    progress: Progress = silent,
) -> Model:
    """The same model with its backbones in int8, the ranges measured on frames of these videos.

    Frames are sampled and seen as the model does, from `clips` of the videos, evenly chosen. The
    head stays in float32. The result has a fingerprint of its own, is saved and loaded as any
    other, and is run by OpenVINO. The same videos give the same model.

    Raises ConfigError for a model in int8 already, a backbone that OpenVINO does not take, or
    without the extra `runtime`; DataError where no video can be read.
    """
    if model.config.precision != "float32":
        raise ConfigError("The model is in int8 already: quantise the one that it was made of.")
    if model.device.type != "cpu":
        raise ConfigError("Quantising runs on the processor: move the model with .to('cpu').")
    require("Quantising", "openvino", "nncf")  # to be known before the videos are read
    calibration = _calibration(model, evenly(videos, clips), progress)
    rows = [Rows(backbone) for backbone in model.network.backbones]
    quantised = []
    for stream, (row, batches) in enumerate(zip(rows, calibration, strict=True), start=1):
        quantised.append(quantise_backbone(row, batches))
        progress(Step("quantising", stream, len(rows), str(model.modalities[stream - 1])))
    facts = {"quantised_from": model.fingerprint, "calibration_clips": len(calibration[0])}
    other = Model(
        replace(model.config, precision="int8"),
        training=facts | {"float32": model.training},
        quantised=quantised,
    )
    other.network.load_state_dict(model.network.state_dict())
    return other


def evenly(items: Sequence[Any], count: int) -> list[Any]:
    """`count` of the items, in their order, as far apart as can be; all where there are fewer."""
    count = min(count, len(items))
    return [items[(2 * k + 1) * len(items) // (2 * count)] for k in range(count)]


def _calibration(model: Model, videos: Sequence[Path], progress: Progress) -> list[list[Floats]]:
    """Of each stream a batch of pictures of each video, the pictures far apart in it."""
    streams = range(len(model.modalities))

    def read(path: Path) -> list[Floats]:
        clip = model.read(path)
        return [_batch(model, clip, stream) for stream in streams]

    found: list[list[Floats]] = []
    unreadable: dict[Path, str] = {}
    for done, (path, batches) in enumerate(read_ahead(read, videos), start=1):
        progress(Step("reading", done, len(videos), path.name))
        if isinstance(batches, VideoError):
            unreadable[path] = str(batches)
        else:
            found.append(batches)
    if not found:
        raise nothing_readable(unreadable)
    return [list(column) for column in zip(*found, strict=True)]


def _batch(model: Model, clip: Clip, stream: int) -> Floats:
    pictures = model.pictures(clip, stream)[0].numpy()
    if not model.network.backbones[stream].by_picture:
        return pictures[None]
    size = batch_size(len(pictures), MOST_QUANTISED_PICTURES)
    return np.ascontiguousarray(pictures[evenly(range(len(pictures)), size)])
