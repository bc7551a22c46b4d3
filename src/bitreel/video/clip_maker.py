"""Clips of planned segments, from the frames that are held while a video is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import av
import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Clip, Damage, Segment
from bitreel.video.clip_options import ClipOptions
from bitreel.video.clock import Clock
from bitreel.video.decode import Tally, planned_frames
from bitreel.video.held import HeldFrames
from bitreel.video.sampling import Picks
from bitreel.video.scan import Scan
from bitreel.video.segmenting import Span
from bitreel.video.source import Source


class ClipMaker:
    """Makes the clips of planned segments of the frames that are held.

    A clip is given out when the next one is made: the last must tell of what came after it too.
    """

    def __init__(
        self,
        source: Source,
        scan: Scan,
        options: ClipOptions,
        held: HeldFrames,
        tally: Tally,
    ) -> None:
        self.source, self.scan, self.options = source, scan, options
        self.held, self.tally = held, tally
        self._planned: deque[tuple[Span, Picks, Clock]] = deque()
        self._made: Clip | None = None
        self._told = (0, 0)  # packet errors and corrupt frames in the clips so far
        self._lost = range(0)  # frames of segments that are left out: the last, and how many
        self._lost_frames = 0

    def decoded(self, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames of a trusted scan. There is no second pass, so the group of pictures before a run
        is fed too: where keyframes do not restore the picture at once, it is needed."""
        return planned_frames(self.source, self.scan, wanted, self.tally, lead=1)

    def plan(self, span: Span, clock: Clock) -> Picks:
        picks = self.options.picks(
            clock.table,
            duration_seconds=clock.duration_seconds,
            start_seconds=span.start_seconds,
            end_seconds=span.end_seconds,
        )
        self._planned.append((span, picks, clock))
        return picks

    def complete(self, before: int | None) -> Iterator[Clip]:
        """The planned clips that need no frame from this number on; None: all."""
        while self._planned:
            span, picks, clock = self._planned[0]
            if before is not None and picks.indices[-1] >= before:
                return
            self._planned.popleft()
            made = self._make(span, picks, clock)
            if before is not None and self._planned:
                self.held.release(int(self._planned[0][1].indices[0]))
            if made is not None:
                if self._made is not None:
                    yield self._made
                self._made = made

    def finish(self) -> Iterator[Clip]:
        yield from self.complete(None)
        if self._made is None:
            raise self.source.no_picture(self.tally.first_error)
        damage, rest = self._made.damage, self._new_damage()
        yield replace(
            self._made,
            damage=replace(
                damage,
                packet_errors=damage.packet_errors + rest.packet_errors + self.scan.packet_errors,
                corrupt_frames=damage.corrupt_frames + rest.corrupt_frames,
                missing_frames=self.scan.missing_frames + self._lost_frames,
            ),
        )
        self._made = None

    def _make(self, span: Span, picks: Picks, clock: Clock) -> Clip | None:
        indices = picks.indices.tolist()
        if not self.held.has_any(range(indices[0], indices[-1] + 1)):
            self._lose(range(indices[0], indices[-1] + 1))
            return None
        pictures = {k: self.held.picture(k) for k in indices}
        shown = [k if pictures[k] is not None else self.held.nearest(k) for k in indices]
        if None in shown:
            self._lose(range(indices[0], indices[-1] + 1))
            return None
        numbers = [k for k in shown if k is not None]
        return Clip(
            np.stack([p for p in map(self.held.picture, numbers) if p is not None]),
            clock.table[numbers],
            Segment(self.source.path, span.start_seconds, span.end_seconds),
            replace(
                self._new_damage(),
                replaced_frames=sum(a != b for a, b in zip(numbers, indices, strict=True)),
            ),
            picks.snippets,
            picks.centres,
        )

    def _lose(self, frames: range) -> None:
        self._lost_frames += max(0, frames.stop - max(frames.start, self._lost.stop))
        self._lost = frames

    def _new_damage(self) -> Damage:
        now = (self.tally.packet_errors, self.tally.corrupt_frames)
        before, self._told = self._told, now
        return Damage(packet_errors=now[0] - before[0], corrupt_frames=now[1] - before[1])
