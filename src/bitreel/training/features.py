"""Features of labelled videos: from the cache where it has them, decoded where not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitreel.dataset import Example
from bitreel.errors import DataError, VideoError
from bitreel.model import Features, Model
from bitreel.progress import Progress, Step, silent
from bitreel.read_ahead import read_ahead
from bitreel.training.feature_cache import CachedFeatures, FeatureCache, content_digest


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """streams: of each modality float32 [N,T,D], one row for each of the N readable examples.

    contents: the digest of each one's file. failures: the videos that could not be read, damaged:
    those that were read in part, with the reason in plain words.
    """

    examples: tuple[Example, ...]
    streams: tuple[Features, ...]
    contents: tuple[str, ...]
    failures: dict[Path, str]
    damaged: dict[Path, str]

    def labels(self) -> list[str]:
        return [example.label for example in self.examples]

    def rows(self, rows: Sequence[int]) -> list[Features]:
        """The features of some examples."""
        return [stream[list(rows)] for stream in self.streams]


def labelled_features(
    model: Model, examples: Sequence[Example], *, cache: Path, progress: Progress = silent
) -> LabelledFeatures:
    """Features over time of every example, in their order.

    A video that can not be read is left out and named in `failures`. Raises DataError where none
    can be read.
    """
    contents: dict[Path, str] = {}
    failures: dict[Path, str] = {}
    for example in examples:
        try:
            contents[example.path] = content_digest(example.path)
        except VideoError as error:
            failures[example.path] = str(error)
    with ExitStack() as stack:
        caches = [
            stack.enter_context(FeatureCache(cache, fingerprint, device=model.device.type))
            for fingerprint in model.features_fingerprints
        ]
        found = {path: [store.get(contents[path]) for store in caches] for path in contents}
        missing = [path for path, streams in found.items() if None in streams]

        def read(path: Path) -> list[CachedFeatures]:
            """Decode once for all streams; run the networks of those that are not there."""
            clip = model.read(path)
            damage = str(clip.damage) if clip.damage else None
            return [
                there or CachedFeatures(model.stream_features(clip, stream), damage)
                for stream, there in enumerate(found[path])
            ]

        for done, (path, streams) in enumerate(read_ahead(read, missing), start=1):
            if isinstance(streams, VideoError):
                failures[path] = str(streams)
            else:
                for store, before, cached in zip(caches, found[path], streams, strict=True):
                    if before is None:
                        store.put(contents[path], cached)
                found[path] = [*streams]
            progress(Step("features", done, len(missing), path.name))
    kept = tuple(e for e in examples if e.path in contents and e.path not in failures)
    if not kept:
        first = next(iter(failures.values()), "there are no videos in it")
        raise DataError(f"None of the {len(examples)} videos can be read. The first: {first}")
    return _assemble(kept, found, contents, failures)


def _assemble(
    kept: tuple[Example, ...],
    found: dict[Path, list[CachedFeatures | None]],
    contents: dict[Path, str],
    failures: dict[Path, str],
) -> LabelledFeatures:
    read = {e.path: [c for c in found[e.path] if c is not None] for e in kept}
    streams = zip(*(read[example.path] for example in kept), strict=True)
    damage = {
        path: next((c.damage for c in cached if c.damage), None) for path, cached in read.items()
    }
    return LabelledFeatures(
        kept,
        tuple(np.stack([cached.features for cached in stream]) for stream in streams),
        tuple(contents[example.path] for example in kept),
        failures,
        {path: what for path, what in damage.items() if what},
    )
