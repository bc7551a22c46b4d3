"""Work ahead of the caller: in order, bounded, and errors where they belong."""

from __future__ import annotations

import threading
import time

import pytest

from bitreel.errors import UnreadableVideo
from bitreel.read_ahead import read_ahead


def test_results_come_in_order_whatever_finishes_first() -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.02 * (item % 3))
        return item * item

    assert list(read_ahead(slow_first, range(12), workers=4)) == [(n, n * n) for n in range(12)]


def test_a_video_error_is_a_result_and_any_other_is_raised() -> None:
    def read(item: str) -> str:
        if item == "bad":
            raise UnreadableVideo("bad.mp4 is junk.")
        if item == "bug":
            raise ZeroDivisionError
        return item

    (_, first), (_, second) = read_ahead(read, ["good", "bad"])
    assert first == "good"
    assert isinstance(second, UnreadableVideo)
    with pytest.raises(ZeroDivisionError):
        list(read_ahead(read, ["good", "bug"]))


def test_no_more_than_a_few_results_wait() -> None:
    started: list[int] = []

    def read(item: int) -> int:
        started.append(item)
        return item

    results = read_ahead(read, range(100), workers=2)
    next(results)
    time.sleep(0.1)
    assert len(started) <= 6
    results.close()  # type: ignore[attr-defined]
    assert len(started) <= 8


def test_items_are_worked_on_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=10)  # passes only if two are in it at once
    assert [n for n, _ in read_ahead(lambda _: meeting.wait(), range(4), workers=2)] == [0, 1, 2, 3]
