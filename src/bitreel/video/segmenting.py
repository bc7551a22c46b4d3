"""Where a long video is cut into segments. Pure arithmetic: no frame is looked at."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from bitreel.errors import ConfigError

WINDOW_SECONDS = 4.0
SHORTEST_SHOT_SECONDS = 1.0  # a shorter one shows too little to be told by, and joins the next
_LONGEST_WINDOW = 60.0  # the frames of a window and a half are held in memory
_SHORTEST_WINDOW, _SHORTEST_STRIDE = 0.5, 0.1


def _number(value: float) -> float:
    """As a float; NaN for what is none, which then fails every check."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else math.nan


@dataclass(frozen=True)
class Segmenting:
    """How videos are cut: windows of `window_seconds` that begin every `stride_seconds`.

    shots: begin anew at every shot border, so that no segment shows two scenes. A video (or a range
    of one) shorter than a window and a half is one segment, whatever shots it has. A window of 0
    stands for videos that are not cut: each is one segment. Raises ConfigError.
    """

    window_seconds: float = WINDOW_SECONDS
    stride_seconds: float = WINDOW_SECONDS / 2
    shots: bool = True

    def __post_init__(self) -> None:
        window, stride = _number(self.window_seconds), _number(self.stride_seconds)
        if window == 0:
            stride = 0.0
            object.__setattr__(self, "shots", False)
        elif not _SHORTEST_WINDOW <= window <= _LONGEST_WINDOW:
            raise ConfigError(
                f"A window takes {_SHORTEST_WINDOW:g} to {_LONGEST_WINDOW:g} seconds, or 0 where "
                f"each video is to be one segment; got {self.window_seconds}."
            )
        elif not _SHORTEST_STRIDE <= stride <= window:
            raise ConfigError(
                f"A window of {window:g} seconds takes a stride of {_SHORTEST_STRIDE:g} to "
                f"{window:g} seconds, so that no part of a video is left out; got "
                f"{self.stride_seconds}."
            )
        object.__setattr__(self, "window_seconds", window)
        object.__setattr__(self, "stride_seconds", stride)

    @classmethod
    def of(
        cls, window: float | None = None, stride: float | None = None, shots: bool | None = None
    ) -> Segmenting:
        """With defaults for what is not given; the stride's is half the window."""
        window = WINDOW_SECONDS if window is None else window
        stride = window / 2 if stride is None else stride
        return cls(window, stride, True if shots is None else shots)

    @property
    def is_whole(self) -> bool:
        """Whether each video is one segment."""
        return self.window_seconds == 0

    @property
    def cut_from_seconds(self) -> float:
        """From what length on a video is cut at all."""
        return math.inf if self.is_whole else 1.5 * self.window_seconds

    @property
    def shortest_shot_seconds(self) -> float:
        return min(SHORTEST_SHOT_SECONDS, self.window_seconds / 2)

    def __str__(self) -> str:
        if self.is_whole:
            return "whole videos"
        shots = "cut at shot borders" if self.shots else "not cut at shot borders"
        return f"windows of {self.window_seconds:g} s every {self.stride_seconds:g} s, {shots}"


WHOLE_VIDEOS = Segmenting(0.0, 0.0, False)


@dataclass(frozen=True)
class Span:
    """A range of time, [start_seconds, end_seconds)."""

    start_seconds: float
    end_seconds: float


class Cutter:
    """Cuts a video that begins at `start_seconds` while it is read, not knowing what comes.

    Every moment is in a segment. A shot's windows begin every stride; one that has less than half a
    window left of the shot behind it takes that too, and is the shot's last. So segments last half
    a window to a window and a half, and shorter ones are whole shots. A border less than the
    shortest shot behind the last border, or before the end of the video, is none.
    """

    def __init__(self, segmenting: Segmenting, start_seconds: float = 0.0) -> None:
        if segmenting.is_whole:
            raise ValueError("expected windows, got whole videos: there is nothing to cut")
        self.segmenting = segmenting
        self._begin = self._shot = start_seconds
        self._given = 0  # windows of the shot
        self._borders: deque[float] = deque()

    @property
    def open_since(self) -> float:
        """The start of the next segment, in seconds. What is before it is not needed any more."""
        return self._shot + self._given * self.segmenting.stride_seconds

    def border(self, seconds: float) -> None:
        """There is a shot border, behind all those told of before."""
        self._borders.append(seconds)

    def advance(self, settled_seconds: float) -> list[Span]:
        """The segments that are certain when the video goes on at least to here, and all borders up
        to here are told."""
        if settled_seconds - self._begin < self.segmenting.cut_from_seconds:
            return []
        spans = self._close_shots(settled_seconds)
        border = self._next_border()
        return spans + self._windows(settled_seconds if border is None else border)

    def finish(self, end_seconds: float) -> list[Span]:
        """The segments that are left when the video ends here."""
        if end_seconds - self._begin < self.segmenting.cut_from_seconds:
            return [Span(self._begin, end_seconds)]
        return self._close_shots(end_seconds) + self._close(end_seconds)

    def _close_shots(self, settled_seconds: float) -> list[Span]:
        spans: list[Span] = []
        shortest = self.segmenting.shortest_shot_seconds
        while (border := self._next_border()) is not None and border + shortest <= settled_seconds:
            spans += self._close(border)
        return spans

    def _close(self, end_seconds: float) -> list[Span]:
        spans = self._windows(end_seconds)
        spans.append(Span(self.open_since, end_seconds))
        self._shot, self._given = end_seconds, 0
        return spans

    def _windows(self, end_seconds: float) -> list[Span]:
        """Those that are not the last of their shot, as it lasts to `end_seconds` at least."""
        spans = []
        window = self.segmenting.window_seconds
        while end_seconds >= self.open_since + 1.5 * window:
            begin = self.open_since
            self._given += 1
            spans.append(Span(begin, max(begin + window, self.open_since)))  # which rounding parts
        return spans

    def _next_border(self) -> float | None:
        earliest = self._shot + self.segmenting.shortest_shot_seconds
        while self._borders and self._borders[0] < earliest:
            self._borders.popleft()
        return self._borders[0] if self._borders else None
