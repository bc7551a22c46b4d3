"""How many threads torch uses: one for each call, as the calls themselves run side by side."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_inside = 0
_before = 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch's operators use one thread while any caller is inside.

    Clips are encoded on all cores at once, a clip a core: faster than sharing every operator among
    the cores (1.5 times on two of them), far faster on a busy machine, where shared operators wait
    for each other. And an operator on one thread rounds the same however many cores there are.
    """
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = torch.get_num_threads()
        _inside += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                torch.set_num_threads(_before)
