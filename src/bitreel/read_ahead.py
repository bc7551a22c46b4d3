"""Do slow work on the next items while the caller is busy with this one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from bitreel.errors import VideoError

Item = TypeVar("Item")
Result = TypeVar("Result")


def read_ahead(
    read: Callable[[Item], Result], items: Iterable[Item], *, workers: int = 2, ahead: int = 4
) -> Iterator[tuple[Item, Result | VideoError]]:
    """Items in their order, each with what `read` gave for it or the VideoError that it raised.

    Decoding frees the interpreter's lock, so threads overlap it with the network. At most `ahead`
    results wait, which bounds the memory. Any other error is raised here.
    """
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
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
