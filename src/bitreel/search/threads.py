"""Threads that all searches share. The kernels run without the GIL."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


def available_threads() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """The results of the parts, in their order.

    The calling thread does the first part itself, and then those that no other thread has begun:
    where the processors have other work, or many search at once, it waits for none to wake up.
    """
    others = [(part, _pool().submit(work, part)) for part in parts[1:]]
    first = [work(part) for part in parts[:1]]
    return first + [work(part) if run.cancel() else run.result() for part, run in others]


def slices(length: int, parts: int, step: int = 1) -> list[tuple[int, int]]:
    """At most `parts` ranges of about equal length that cover `length`, cut at multiples of `step`.

    One empty range for length 0.
    """
    each = max(1, -(-length // (parts * step))) * step
    return [(top, min(top + each, length)) for top in range(0, max(1, length), each)]


@lru_cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(available_threads(), thread_name_prefix="bitreel-search")


# A forked child would have the pool but none of its threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
