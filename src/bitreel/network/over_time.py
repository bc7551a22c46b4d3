"""A 2D CNN that sees clips: its batch holds the pictures of several clips, one after another.

Layers that look along time (shift, 3D convolution, 3D pooling) have to know how many of the batch's
rows make one clip. They ask here: a variable of the call, not of the module, as several threads
encode with one network, and pooling over time changes the number on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor

_pictures: ContextVar[int] = ContextVar("pictures of a clip")


@contextmanager
def clips_of(pictures: int) -> Iterator[None]:
    """Within: the rows of a batch are clips of so many pictures each."""
    token = _pictures.set(pictures)
    try:
        yield
    finally:
        _pictures.reset(token)


def unfold(rows: Tensor) -> Tensor:
    """[N·T,C,H,W] → [N,C,T,H,W]."""
    return rows.view(-1, _pictures.get(), *rows.shape[1:]).transpose(1, 2)


def fold(clips: Tensor) -> Tensor:
    """[N,C,T,H,W] → [N·T,C,H,W]; from now on a clip has T pictures."""
    _pictures.set(clips.shape[2])
    return clips.transpose(1, 2).flatten(0, 1)
