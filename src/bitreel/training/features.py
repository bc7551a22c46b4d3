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
from bitreel.training.feature_cache import CachedFeatures, FeatureCache, content_digest


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """features: float32 [N,T,D], one row for each of the N examples that could be read.

    contents: the digest of each one's file. failures: the videos that could not be read, damaged:
    those that were read in part, with the reason in plain words.
    """

    examples: tuple[Example, ...]
    features: NDArray[np.float32]
    contents: tuple[str, ...]
    failures: dict[Path, str]
    damaged: dict[Path, str]

    def labels(self) -> list[str]:
        return [example.label for example in self.examples]


def labelled_features(
    model: Model, examples: Sequence[Example], *, cache: Path, progress: Progress = silent
) -> LabelledFeatures:
    """Frame features of every example, in their order.

    A video that can not be read is left out and named in `failures`. Raises DataError where none
    can be read.
    """

    def read(path: Path) -> CachedFeatures:
        clip = model.read(path)
        damage = str(clip.damage) if clip.damage else None
        return CachedFeatures(model.frame_features(clip), damage)

    contents: dict[Path, str] = {}
    failures: dict[Path, str] = {}
    for example in examples:
        try:
            contents[example.path] = content_digest(example.path)
        except VideoError as error:
            failures[example.path] = str(error)
    found: dict[Path, CachedFeatures] = {}
    with FeatureCache(cache, model.features_fingerprint, device=model.device.type) as store:
        for path, content in contents.items():
            if there := store.get(content):
                found[path] = there
        missing = [path for path in contents if path not in found]
        for done, (path, cached) in enumerate(read_ahead(read, missing), start=1):
            if isinstance(cached, VideoError):
                failures[path] = str(cached)
            else:
                found[path] = cached
                store.put(contents[path], cached)
            progress(Step("features", done, len(missing), path.name))
    kept = tuple(example for example in examples if example.path in found)
    if not kept:
        first = next(iter(failures.values()), "there are no videos in it")
        raise DataError(f"None of the {len(examples)} videos can be read. The first: {first}")
    return LabelledFeatures(
        kept,
        np.stack([found[example.path].features for example in kept]),
        tuple(contents[example.path] for example in kept),
        failures,
        {path: cached.damage for path, cached in found.items() if cached.damage},
    )
