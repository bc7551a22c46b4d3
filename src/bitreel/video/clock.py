"""The times of frames while a video is read: known from its packets, or learned on the way."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitreel.video.scan import Scan


class Clock(Protocol):
    """table: float64 [n], the seconds of the frames known so far, by frame number."""

    @property
    def table(self) -> NDArray[np.float64]: ...

    @property
    def duration_seconds(self) -> float:
        """When the last frame known so far is no longer shown."""

    def add(self, pts: int | None) -> bool:
        """The next frame came. Whether the times of those before it changed."""

    def hold(self) -> None:
        """Times were made use of: they do not change any more."""


class KnownClock:
    """Of a trusted scan: all times from the start."""

    def __init__(self, scan: Scan) -> None:
        self.table = scan.times_seconds
        self.duration_seconds = scan.duration_seconds

    def add(self, pts: int | None) -> bool:
        return False

    def hold(self) -> None:
        return


class GrowingClock:
    """Of frames in output order, as `scan.times_of_decoded` gives them when all are there.

    The frames' own times count while these rise. From the first that does not, as in AVI with
    packed B-frames, the constant rate does: for all frames, where no use was made of their times
    yet, and otherwise from there on. (Such files show it within their first frames.)
    """

    def __init__(self, time_base: Fraction, rate: Fraction) -> None:
        self._base, self._rate = time_base, rate
        self._times = np.empty(1024)
        self._count = 0
        self._first: int | None = None
        self._last: int | None = None
        self._rises = time_base > 0
        self._is_held = False
        self._offset = 0.0  # frames by which the constant rate is behind the times before it

    @property
    def table(self) -> NDArray[np.float64]:
        return self._times[: self._count]

    @property
    def duration_seconds(self) -> float:
        spacing = np.diff(self.table)
        last = float(np.median(spacing)) if self._rises and len(spacing) else float(1 / self._rate)
        return float(self.table[-1]) + last

    def add(self, pts: int | None) -> bool:
        was_rising = self._rises
        self._rises = was_rising and pts is not None and (self._last is None or pts > self._last)
        changed = was_rising and not self._rises
        if changed:
            self._give_up()
        if self._count == len(self._times):
            self._times = np.concatenate([self._times, np.empty(self._count)])
        self._times[self._count] = self._time(pts)
        self._count += 1
        self._last = pts
        return changed and not self._is_held

    def hold(self) -> None:
        self._is_held = True

    def _time(self, pts: int | None) -> float:
        if not self._rises or pts is None:
            return (self._count + self._offset) / float(self._rate)
        self._first = pts if self._first is None else self._first
        return float(pts - self._first) * self._base.numerator / self._base.denominator

    def _give_up(self) -> None:
        if not self._is_held:
            self._times[: self._count] = np.arange(self._count) / float(self._rate)
        elif self._count:
            offset = float(self.table[-1]) * float(self._rate) - (self._count - 1)
            self._offset = offset if abs(offset) > 0.01 else 0.0
