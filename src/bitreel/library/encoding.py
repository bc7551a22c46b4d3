"""Files to segments with codes: what a run of `add` does with each, whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bitreel.clip import Clip, Damage
from bitreel.errors import VideoError
from bitreel.library.fetched import Fetched
from bitreel.library.reading import total_damage
from bitreel.library.records import CodedSegment, FileState, printable
from bitreel.read_ahead import in_groups

if TYPE_CHECKING:
    from bitreel.model import Model

ReadClips = Callable[[Path], Iterator[Clip]]


@dataclass(frozen=True)
class CodedVideo:
    """The segments of a video with their codes. damage: of its frames, None where there is none.
    is_whole: whether it was read to its end."""

    segments: Sequence[CodedSegment]
    damage: str | None
    is_whole: bool = True


@dataclass(frozen=True)
class Read:
    """What reading a file brought. content: what `content_of` gives of it. coded: None where a
    video of that content is indexed, so that this one was not decoded."""

    content: bytes | None
    coded: CodedVideo | VideoError | None


def read_videos(
    model: Model,
    videos: Mapping[Path, FileState],
    read: ReadClips,
    content_of: Callable[[Path], bytes | None],
    is_known: Callable[[Path, bytes], bool],
) -> list[Read]:
    """Videos of this machine and of others, read and encoded: the unit of work wherever it is done.

    read: the clips of a file here. is_known: whether a video of such content is indexed.
    """
    with Fetched(videos, read, content_of) as files:
        contents = {path: files.content_of(path) for path in videos}
        new = [
            path
            for path, content in contents.items()
            if content is None or not is_known(path, content)
        ]
        coded = dict(zip(new, encode_videos(model, new, files.read), strict=True))
    return [Read(contents[path], coded.get(path)) for path in videos]


def encode_videos(
    model: Model, paths: Iterable[Path], read: ReadClips
) -> list[CodedVideo | VideoError]:
    """Read and encode videos segment by segment, in constant memory; batches cross their borders.

    Where reading fails midway, what was read is kept and the failure noted as damage. A video of
    which nothing could be read gives its VideoError. One whose process was killed is read once
    more: who is short of memory kills whom it finds.
    """
    from bitreel.video.decoding_process import Killed

    videos = [_Coding(path) for path in paths]
    _encode(model, videos, read)
    killed = {n: _Coding(v.path) for n, v in enumerate(videos) if isinstance(v.failure, Killed)}
    _encode(model, [*killed.values()], read)
    return [killed.get(number, video).outcome() for number, video in enumerate(videos)]


def _encode(model: Model, videos: Sequence[_Coding], read: ReadClips) -> None:
    clips = ((video, clip) for video in videos for clip in video.clips(read))
    for batch in in_groups(clips, model.clips_at_once):
        features = model.features_of([clip for _, clip in batch])
        for (video, clip), streams in zip(batch, features, strict=True):
            code = model.encode_features([part[None] for part in streams])
            video.segments.append(CodedSegment(clip.segment, code.packed[0].tobytes()))


@dataclass
class _Coding:
    """A video that is being encoded."""

    path: Path
    segments: list[CodedSegment] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    failure: VideoError | None = None

    def clips(self, read: ReadClips) -> Iterator[Clip]:
        try:
            for clip in read(self.path):
                self.damages.append(clip.damage)
                yield clip
        except VideoError as error:
            self.failure = error

    def outcome(self) -> CodedVideo | VideoError:
        if not self.segments:
            return self.failure or VideoError(f"{printable(self.path)} gave no segment.")
        damage = total_damage(self.damages)
        told = ([str(damage)] if damage else []) + ([str(self.failure)] if self.failure else [])
        return CodedVideo(self.segments, printable("; ".join(told)) or None, self.failure is None)
