"""Frame features of labelled videos: from the cache where it has them, decoded where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitreel.dataset import Example
from bitreel.errors import DataError, VideoError
from bitreel.model import Model
from bitreel.progress import Progress, Step, silent
from bitreel.read_ahead import read_ahead
from bitreel.training.feature_cache import FeatureCache, content_digest


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """features: float32 [N,T,D], one row for each of the N examples that could be read.

    failures: the videos that could not, with the reason in plain words.
    """

    examples: tuple[Example, ...]
    features: NDArray[np.float32]
    failures: dict[Path, str]

    def labels(self) -> list[str]:
        return [example.label for example in self.examples]


def labelled_features(
    model: Model, examples: Sequence[Example], *, cache: Path, progress: Progress = silent
) -> LabelledFeatures:
    """Frame features of every example, in their order.

    A video that can not be read is left out and named in `failures`. Raises DataError where none
    can be read.
    """
    found: dict[Path, NDArray[np.float32]] = {}
    failures: dict[Path, str] = {}
    missing: dict[Path, str] = {}  # path to content digest
    with FeatureCache(cache, model.features_fingerprint) as store:
        for example in examples:
            try:
                digest = content_digest(example.path)
            except VideoError as error:
                failures[example.path] = str(error)
                continue
            features = store.get(digest)
            if features is None:
                missing[example.path] = digest
            else:
                found[example.path] = features
        for done, (path, clip) in enumerate(read_ahead(model.read, missing), start=1):
            if isinstance(clip, VideoError):
                failures[path] = str(clip)
            else:
                found[path] = model.frame_features(clip)
                store.put(missing[path], found[path])
            progress(Step("features", done, len(missing), path.name))
    return _in_order(examples, found, failures)


def _in_order(
    examples: Sequence[Example], found: dict[Path, NDArray[np.float32]], failures: dict[Path, str]
) -> LabelledFeatures:
    kept = tuple(example for example in examples if example.path in found)
    if not kept:
        first = next(iter(failures.values()), "there are no videos in it")
        raise DataError(f"None of the {len(examples)} videos can be read. The first: {first}")
    return LabelledFeatures(kept, np.stack([found[e.path] for e in kept]), failures)
