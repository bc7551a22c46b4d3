"""Many clips to codes: reading and the network side by side, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bitreel.clip import Clip
from bitreel.codes import BinaryCodes
from bitreel.errors import VideoError
from bitreel.read_ahead import in_groups, read_ahead

if TYPE_CHECKING:
    from bitreel.model.model import Model

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Encoded:
    """A clip as it was read, and its code: one row."""

    clip: Clip
    code: BinaryCodes


def encode_many(
    model: Model, items: Iterable[Item], *, read: Callable[[Item], Clip], workers: int | None
) -> Iterator[tuple[Item, Encoded | VideoError]]:
    """See `Model.encode_many`.

    The unit of work is as many clips as fill a batch, and one thread takes it from the files to the
    codes: what it decoded is still in the core's cache when its network runs, and while one decodes
    another computes, without a queue in between to size. At most three units for each worker are in
    memory.
    """

    def work(group: list[Item]) -> list[Encoded | VideoError]:
        outcomes = [_outcome(read, item) for item in group]
        clips = [clip for clip in outcomes if isinstance(clip, Clip)]
        codes = iter(
            [
                model.encode_features([part[None] for part in features])
                for features in (model.features_of(clips) if clips else [])
            ]
        )
        return [Encoded(clip, next(codes)) if isinstance(clip, Clip) else clip for clip in outcomes]

    for group, outcomes in read_ahead(work, in_groups(items, model.clips_at_once), workers=workers):
        if isinstance(outcomes, VideoError):  # the network has no video to blame
            raise outcomes
        yield from zip(group, outcomes, strict=True)


def _outcome(read: Callable[[Item], Clip], item: Item) -> Clip | VideoError:
    try:
        return read(item)
    except VideoError as error:
        return error
