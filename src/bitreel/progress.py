"""How long work tells how far it is. The library reports, the caller shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_LEAST_SECONDS = 2.0  # of a stage, before it tells how long the rest takes


@dataclass(frozen=True)
class Step:
    """`done` of `total` units of a stage. note: what is worth a glance just now."""

    stage: str
    done: int
    total: int
    note: str = ""


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """Show nothing."""


class Pace:
    """How long the rest of a stage takes, if it goes on as it went so far. Is to hear every step.

    clock: seconds that rise.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first = self._latest = Step("", 0, 0)
        self._began = 0.0

    def seconds_left(self, step: Step) -> float | None:
        """None as long as it can not be known, and where nothing is left."""
        now = self._clock()
        if step.stage != self._latest.stage or step.done < self._latest.done:  # another round
            self._first, self._began = step, now
        self._latest = step
        done, seconds = step.done - self._first.done, now - self._began
        if not done or seconds < _LEAST_SECONDS or step.done >= step.total:
            return None
        return seconds / done * (step.total - step.done)


def in_words(seconds: float) -> str:
    """A span as people say it, as "40 s", "12 min" or "3 h 20 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
