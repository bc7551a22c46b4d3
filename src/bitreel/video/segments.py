"""All segments of a video, in one pass over it and in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from bitreel.clip import Clip
from bitreel.errors import UnreadableVideo
from bitreel.video.clip_maker import ClipMaker
from bitreel.video.clip_options import (
    DEFAULT_SPACING_SECONDS,
    ClipOptions,
    check_decoding,
    check_range,
)
from bitreel.video.clock import Clock, GrowingClock, KnownClock
from bitreel.video.decode import Tally, all_frames
from bitreel.video.held import HELD_BYTES, HeldFrames
from bitreel.video.picture import PictureMaker
from bitreel.video.read import read_range
from bitreel.video.scan import nominal_rate, scan_packets
from bitreel.video.segmenting import Cutter, Segmenting, Span
from bitreel.video.shots import ShotFinder
from bitreel.video.source import MAX_PIXELS, opened, shown

# Beyond an hour, a frame a minute is the least of any recording.
_LONG_SECONDS, _SECONDS_OF_FRAME = 3600.0, 60.0


def read_segments(
    path: str | Path,
    segmenting: Segmenting,
    *,
    frames: int,
    snippet: int = 1,
    spacing_seconds: float = DEFAULT_SPACING_SECONDS,
    size: tuple[int, int] | None = None,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
    max_pixels: int = MAX_PIXELS,
    held_bytes: int = HELD_BYTES,
) -> Iterator[Clip]:
    """The clips of a video's segments, or of a range of it, each as soon as it is complete.

    A clip is the one that `read_clip` gives for its start_seconds and end_seconds, bit for bit
    where the file is undamaged. The file is decoded once, however much segments overlap. Decoded
    frames are held for a window and a half, in `held_bytes` and scaled to `size` beyond that.

    Damage counts what was met with since the clip before, and in the last clip also what the file
    lacks, so that the sum is that of the video. A segment of which no frame can be decoded is left
    out. Raises what `read_clip` does; of the file when the first clip is asked for.
    """
    options = ClipOptions(frames, snippet, spacing_seconds, size)
    check_decoding(max_pixels=max_pixels)
    check_range(start_seconds, end_seconds)
    asked = _Asked(Path(path), segmenting, options, start_seconds, end_seconds)
    return _read(asked, max_pixels, held_bytes)


@dataclass(frozen=True)
class _Asked:
    path: Path
    segmenting: Segmenting
    options: ClipOptions
    start_seconds: float
    end_seconds: float | None


def _read(asked: _Asked, max_pixels: int, held_bytes: int) -> Iterator[Clip]:
    start, options, segmenting = asked.start_seconds, asked.options, asked.segmenting
    with opened(asked.path, max_pixels) as source:
        scan = scan_packets(source)
        end = scan.duration_seconds
        if asked.end_seconds is not None:
            end = min(asked.end_seconds, end)
        _check_times(asked.path, scan.duration_seconds, scan.frame_count)
        if end - start < segmenting.cut_from_seconds:
            yield read_range(source, scan, options, start, asked.end_seconds)
            return
        tally = Tally()
        held = HeldFrames(PictureMaker(options.size), tally, held_bytes)
        clips = ClipMaker(source, scan, options, held, tally)
        if not scan.trusted:
            yield from _OrderlyPass(clips, segmenting, start, asked.end_seconds).run()
        elif segmenting.shots:
            yield from _TrustedPass(clips, segmenting, start, end).run()
        else:
            yield from _read_known(clips, Cutter(segmenting, start).finish(end))


def _check_times(path: Path, seconds: float, frames: int) -> None:
    """A time that a bit flip made would be a hundred thousand segments of one frame. Raises
    UnreadableVideo."""
    if seconds > _LONG_SECONDS and seconds > frames * _SECONDS_OF_FRAME:
        raise UnreadableVideo(
            f"{shown(path)} says that it lasts {seconds / 3600:,.0f} hours, with {frames} frames: "
            f"its times are damaged. Convert it."
        )


def _read_known(clips: ClipMaker, spans: list[Span]) -> Iterator[Clip]:
    """All segments are known before a frame is decoded, and so is which frames they show."""
    clock = KnownClock(clips.scan)
    wanted = np.zeros(clips.scan.frame_count, np.bool_)
    for span in spans:
        wanted[clips.plan(span, clock).indices] = True
    for number, frame in clips.decoded(wanted):
        yield from clips.complete(number)
        if wanted[number]:
            clips.held.add(number, frame)
    yield from clips.finish()


class _Pass:
    """Frames in order, and segments that become certain on the way."""

    def __init__(
        self, clips: ClipMaker, segmenting: Segmenting, clock: Clock, start_seconds: float
    ) -> None:
        self.clips, self.clock = clips, clock
        self.segmenting, self.start_seconds = segmenting, start_seconds
        self.cutter = Cutter(segmenting, start_seconds)
        self.finder = ShotFinder() if segmenting.shots else None
        self.borders: list[int] = []  # frame numbers, as long as times may change
        self.last = -1

    def take(self, number: int, frame: av.VideoFrame) -> Iterator[Clip]:
        """The next frame. What comes out of a damaged stream late is held, and no more."""
        self.clips.held.add(number, frame)
        if number <= self.last:
            return
        self.last = number
        settled: int | None = number
        if self.finder is not None:
            border = self.finder.push(number, frame)
            if border is not None:
                self._border(border)
            settled = self.finder.settled
        if settled is None:
            return
        spans = self.cutter.advance(float(self.clock.table[settled]))
        yield from self._cut(spans)

    def finish(self, end_seconds: float) -> Iterator[Clip]:
        for border in self.finder.finish() if self.finder is not None else ():
            self._border(border)
        yield from self._cut(self.cutter.finish(end_seconds))
        yield from self.clips.finish()

    def restart(self) -> None:
        """Times changed before a segment was cut by them."""
        self.cutter = Cutter(self.segmenting, self.start_seconds)
        for border in self.borders:
            self.cutter.border(float(self.clock.table[border]))

    def _border(self, number: int) -> None:
        self.borders.append(number)
        self.cutter.border(float(self.clock.table[number]))

    def _cut(self, spans: list[Span]) -> Iterator[Clip]:
        if not spans:
            return
        self.clock.hold()
        self.borders.clear()
        for span in spans:
            self.clips.plan(span, self.clock)
        yield from self.clips.complete(None)
        # A segment in which no frame begins shows the one that is on screen.
        first = np.searchsorted(self.clock.table, self.cutter.open_since, side="right")
        self.clips.held.release(int(first) - 1)


class _TrustedPass(_Pass):
    """The times of all frames are known, and a frame is known by its time."""

    def __init__(
        self, clips: ClipMaker, segmenting: Segmenting, start_seconds: float, end_seconds: float
    ) -> None:
        super().__init__(clips, segmenting, KnownClock(clips.scan), start_seconds)
        self.end_seconds = end_seconds

    def run(self) -> Iterator[Clip]:
        times = self.clock.table
        first = int(np.searchsorted(times, self.start_seconds, side="right")) - 1
        inside = np.zeros(len(times), np.bool_)
        inside[max(0, first) : int(np.searchsorted(times, self.end_seconds))] = True
        for number, frame in self.clips.decoded(inside):
            if inside[number]:
                yield from self.take(number, frame)
        yield from self.finish(self.end_seconds)


class _OrderlyPass(_Pass):
    """Frames are counted as they come out, and their times learned from them."""

    def __init__(
        self, clips: ClipMaker, segmenting: Segmenting, start_seconds: float, end: float | None
    ) -> None:
        stream = clips.source.stream
        clock = GrowingClock(stream.time_base or Fraction(0), nominal_rate(stream))
        super().__init__(clips, segmenting, clock, start_seconds)
        self.end_seconds = float("inf") if end is None else end

    def run(self) -> Iterator[Clip]:
        for number, frame in enumerate(all_frames(self.clips.source, self.clips.tally)):
            if self.clock.add(frame.pts):
                self.restart()
            seconds = self.clock.table[number]
            _check_times(self.clips.source.path, float(seconds), number + 1)
            if seconds >= self.end_seconds:
                break
            if seconds >= self.start_seconds:
                yield from self.take(number, frame)
        if not len(self.clock.table):
            raise self.clips.source.no_picture(self.clips.tally.first_error)
        yield from self.finish(min(self.end_seconds, self.clock.duration_seconds))
