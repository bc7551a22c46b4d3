"""Do slow work on the next items while the caller is busy with this one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from bitreel.errors import VideoError

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_WORKERS = 16  # each holds the frames of a clip


def read_ahead(
    read: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
    stop: Callable[[], object] | None = None,
) -> Iterator[tuple[Item, Result | VideoError]]:
    """Items in their order, each with what `read` gave for it or the VideoError that it raised.

    Decoding and the network free the interpreter's lock, so threads use all cores. workers: one for
    each core that this process may use, by default, and two where there is one: what is read in
    another process is waited for meanwhile. At most twice as many results wait, which bounds the
    memory. Any other error is raised here. stop: called where the caller does not want
    what is under way any more, so that it may end soon.
    """
    workers = workers or min(MOST_WORKERS, max(2, cores()))
    waiting: deque[Future[tuple[Item, Result | VideoError]]] = deque()

    def outcome(item: Item) -> tuple[Item, Result | VideoError]:
        try:
            return item, read(item)
        except VideoError as error:
            return item, error

    with ThreadPoolExecutor(workers, thread_name_prefix="read-ahead") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(outcome, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            for future in waiting:
                future.cancel()
            if stop is not None:
                stop()
            raise


def in_groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Items in their order, `size` at a time."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
