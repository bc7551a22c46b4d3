"""Features of labelled videos: from the cache where it has them, decoded where not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bitreel.clip import Clip
from bitreel.dataset import Example
from bitreel.errors import DataError, VideoError
from bitreel.model import Features, Model
from bitreel.progress import Progress, Step, silent
from bitreel.read_ahead import read_ahead
from bitreel.training.feature_cache import CachedFeatures, FeatureCache, content_digest


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """streams: of each modality float32 [N,V,T,D], one row for each of the N readable examples.

    V: the clips of the segment; `mirrored` has those of the mirrored video, where asked for.
    contents: the digest of each one's file. failures: the videos that could not be read, damaged:
    those that were read in part, with the reason in plain words.
    """

    examples: tuple[Example, ...]
    streams: tuple[Features, ...]
    contents: tuple[str, ...]
    failures: dict[Path, str]
    damaged: dict[Path, str]
    mirrored: tuple[Features, ...] | None = None

    def labels(self) -> list[str]:
        return [example.label for example in self.examples]

    def rows(self, rows: Sequence[int]) -> list[Features]:
        """The features of some examples."""
        return [stream[list(rows)] for stream in self.streams]

    def mirrored_rows(self, rows: Sequence[int]) -> list[Features] | None:
        """The features of some examples' mirror images, where they were asked for."""
        return None if self.mirrored is None else [part[list(rows)] for part in self.mirrored]


def labelled_features(
    model: Model,
    examples: Sequence[Example],
    *,
    cache: Path,
    mirrored: bool = False,
    progress: Progress = silent,
) -> LabelledFeatures:
    """Features over time of every example, in their order; with `mirrored` those of its mirror too.

    A video that can not be read is left out and named in `failures`. Raises DataError where none
    can be read.
    """
    contents, failures = _contents(examples)
    sides = (False, True) if mirrored else (False,)
    parts = [_Part(model, s, side) for side in sides for s in range(len(model.modalities))]
    found: dict[Path, list[CachedFeatures | None]] = {}
    with ExitStack() as stack:
        for part in parts:
            part.open(cache, stack)
        for path, content in contents.items():
            found[path] = [part.get(content) for part in parts]
        missing = [path for path, there in found.items() if None in there]

        def read(path: Path) -> list[CachedFeatures]:
            """Decode once for all parts; run the networks of those that are not there."""
            clip = model.read(path)
            known = zip(parts, found[path], strict=True)
            return [there or part.compute(clip) for part, there in known]

        for done, (path, features) in enumerate(read_ahead(read, missing), start=1):
            if isinstance(features, VideoError):
                failures[path] = str(features)
                del found[path]
            else:
                for part, before, cached in zip(parts, found[path], features, strict=True):
                    if before is None:
                        part.put(contents[path], cached)
                found[path] = [*features]
            progress(Step("features", done, len(missing), path.name))
    if not found:
        first = next(iter(failures.values()), "there are no videos in it")
        raise DataError(f"None of the {len(examples)} videos can be read. The first: {first}")
    kept = tuple(example for example in examples if example.path in found)
    rows = [[one for one in found[example.path] if one is not None] for example in kept]
    stacks = tuple(np.stack([one.features for one in column]) for column in zip(*rows, strict=True))
    streams = len(model.modalities)
    damage = {
        example.path: next((one.damage for one in row if one.damage), None)
        for example, row in zip(kept, rows, strict=True)
    }
    return LabelledFeatures(
        kept,
        stacks[:streams],
        tuple(contents[example.path] for example in kept),
        failures,
        {path: what for path, what in damage.items() if what},
        stacks[streams:] if mirrored else None,
    )


def _contents(examples: Sequence[Example]) -> tuple[dict[Path, str], dict[Path, str]]:
    """The digest of each file, and why there is none."""
    contents: dict[Path, str] = {}
    failures: dict[Path, str] = {}
    for example in examples:
        try:
            contents[example.path] = content_digest(example.path)
        except VideoError as error:
            failures[example.path] = str(error)
    return contents, failures


class _Part:
    """What one stream sees of a video, or of its mirror, and the cache of it."""

    def __init__(self, model: Model, stream: int, mirrored: bool) -> None:
        self.model, self.stream, self.mirrored = model, stream, mirrored

    def open(self, folder: Path, stack: ExitStack) -> None:
        fingerprint = self.model.features_fingerprints[self.stream]
        cache = FeatureCache(folder, fingerprint, device=self.model.device.type)
        self.cache = stack.enter_context(cache)

    def get(self, content: str) -> CachedFeatures | None:
        cached = self.cache.get(self._key(content))
        return cached and replace(cached, features=self._by_clip(cached.features))

    def put(self, content: str, cached: CachedFeatures) -> None:
        self.cache.put(
            self._key(content), replace(cached, features=np.concatenate(cached.features))
        )

    def compute(self, clip: Clip) -> CachedFeatures:
        features = self.model.stream_features(clip, self.stream, mirrored=self.mirrored)
        return CachedFeatures(features, str(clip.damage) if clip.damage else None)

    def _key(self, content: str) -> str:
        return f"{content} mirrored" if self.mirrored else content

    def _by_clip(self, rows: Features) -> Features:
        """[V·T,D], as the cache has them, to [V,T,D]."""
        return rows.reshape(self.model.config.sampling.clips, -1, rows.shape[1])
