"""The frames that segments still to come may show, held while a video is read."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from bitreel.video.decode import Tally
from bitreel.video.picture import PictureMaker

HELD_BYTES = 96 << 20  # a window and a half of 480 lines at 25 frames a second


class HeldFrames:
    """Frames by their numbers.

    A frame is scaled when it is shown: to scale every frame costs more than to decode it in small
    videos, and half as much in large ones. Only where decoded frames take more than `budget_bytes`
    together, the oldest are scaled at once: then they are as small as the picture asked for.
    """

    def __init__(self, make_picture: PictureMaker, tally: Tally, budget_bytes: int) -> None:
        self._make_picture, self._tally = make_picture, tally
        self._budget_bytes = budget_bytes
        self._decoded: dict[int, av.VideoFrame] = {}  # in the order that they came
        self._decoded_bytes = 0
        self._pictures: dict[int, NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return len(self._decoded) + len(self._pictures)

    def add(self, number: int, frame: av.VideoFrame) -> None:
        if number in self._decoded or number in self._pictures:
            return
        self._decoded[number] = frame
        self._decoded_bytes += _size_bytes(frame)
        while self._decoded_bytes > self._budget_bytes:
            self._scale(next(iter(self._decoded)))

    def picture(self, number: int) -> NDArray[np.uint8] | None:
        """Of that frame: uint8 [H,W,3]. None where it is not there."""
        if number in self._decoded:
            self._scale(number)
        return self._pictures.get(number)

    def nearest(self, number: int) -> int | None:
        """The number of the frame nearest to this one that has a picture; of two, the earlier."""
        while numbers := self._decoded.keys() | self._pictures.keys():
            near = min(numbers, key=lambda other: (abs(other - number), other))
            if self.picture(near) is not None:
                return near
        return None

    def has_any(self, numbers: range) -> bool:
        return any(n in numbers for n in self._decoded) or any(n in numbers for n in self._pictures)

    def release(self, before: int) -> None:
        """Forget the frames with lower numbers."""
        for number in [n for n in self._decoded if n < before]:
            self._decoded_bytes -= _size_bytes(self._decoded.pop(number))
        for number in [n for n in self._pictures if n < before]:
            del self._pictures[number]

    def _scale(self, number: int) -> None:
        frame = self._decoded.pop(number)
        self._decoded_bytes -= _size_bytes(frame)
        picture = self._tally.picture(frame, self._make_picture)
        if picture is not None:
            self._pictures[number] = picture


def _size_bytes(frame: av.VideoFrame) -> int:
    return sum(plane.buffer_size for plane in frame.planes)
