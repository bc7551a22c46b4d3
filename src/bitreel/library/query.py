"""What a library is asked with: the relaxed bits of each segment of a query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Clip, Damage
from bitreel.errors import ConfigError
from bitreel.library.reading import read_clips, total_damage
from bitreel.video import Segmenting

if TYPE_CHECKING:
    from bitreel.library.engine import AnyCatalogue
    from bitreel.model import Model


@dataclass(frozen=True, eq=False)
class Query:
    """A range of a video, of Q segments. relaxed: float32 [Q,K], their relaxed bits."""

    path: Path
    start_seconds: float
    end_seconds: float
    damage: Damage
    relaxed: NDArray[np.float32]


def query_of(
    model: Model,
    segmenting: Segmenting,
    query: Path | str | Clip,
    start_seconds: float,
    end_seconds: float | None,
    read: Callable[..., Iterator[Clip]],
) -> Query:
    """Read and encode a range of a video, or a clip that was read by `model.read`.

    read: what does as `read_segments`. Raises VideoError for what can not be read, ConfigError for
    another kind of clip.
    """
    if isinstance(query, Clip):
        return encode_query(model, [_checked(model, query, start_seconds, end_seconds)])
    clips = read_clips(
        model,
        Path(query).absolute(),
        segmenting,
        read=read,
        start_seconds=start_seconds,
        end_seconds=end_seconds,
    )
    return encode_query(model, clips)


def encode_query(model: Model, clips: Iterable[Clip]) -> Query:
    """Encode the clips of a query, one at a time. Raises VideoError as they do."""
    segments, damages, relaxed = [], [], []
    for clip in clips:
        features = [part[None] for part in model.features(clip)]
        relaxed.append(model.relaxed_bits(features))
        segments.append(clip.segment)
        damages.append(clip.damage)
    return Query(
        path=segments[0].path.resolve(),
        start_seconds=segments[0].start_seconds,
        end_seconds=segments[-1].end_seconds,
        damage=total_damage(damages),
        relaxed=np.concatenate(relaxed),
    )


def stored_query(catalogue: AnyCatalogue, bits: int, segment_ids: Sequence[int]) -> Query:
    """Segments of one video that are in the library: what is asked are their codes.

    Raises LibraryError where one is not there, ConfigError for none or for several videos.
    """
    with catalogue.transaction():
        segments = catalogue.segments_of_ids(segment_ids)
        if len({segment.video_id for segment in segments}) != 1:
            raise ConfigError("To be asked with are segments of one video, at least one.")
        path = catalogue.video(segments[0].video_id).path
        codes = catalogue.codes_of(np.array(segment_ids, np.int64), bits=bits)
    return Query(
        path=path,
        start_seconds=min(segment.start_seconds for segment in segments),
        end_seconds=max(segment.end_seconds for segment in segments),
        damage=Damage(),
        relaxed=codes.unpack().astype(np.float32),
    )


def _checked(model: Model, query: Clip, start_seconds: float, end_seconds: float | None) -> Clip:
    if start_seconds != 0 or end_seconds is not None:
        raise ConfigError(
            "A clip is a range of a video already: give start_seconds and end_seconds where it "
            "is read, or give the path of the video."
        )
    config = model.config
    sampling = config.sampling
    expected = (
        sampling.frames * sampling.clips,
        config.snippet,
        sampling.height,
        sampling.width,
    )
    got = (*query.snippets.shape, *query.frames.shape[1:3])
    if got != expected:
        raise ConfigError(
            f"The library's model looks at {_shape(*expected)} and the clip has "
            f"{_shape(*got)}: read it with library.model.read(path)."
        )
    return query


def _shape(positions: int, snippet: int, height: int, width: int) -> str:
    return f"{positions} positions of {snippet} frames of {width}x{height}"
