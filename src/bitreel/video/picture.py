"""From a decoded frame to the pixels people see: scaled, upright, RGB."""

from __future__ import annotations

import av
import numpy as np
from av.sidedata.sidedata import SideData, SideDataContainer
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

# AREA averages every source pixel, as shrinking needs. The other flags cost 0.15 ms a picture and
# make white 255 (swscale's fast paths give 252) and the result the same on every processor, so that
# a code near its threshold does not flip.
_SCALING = (
    Interpolation.AREA
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
)


class PictureMaker:
    """Turns frames into uint8 [H,W,3], RGB, all of one size: `size` or that of the first."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        self._size = size
        self._reformatter = VideoReformatter()  # one for all: it keeps its scaling tables

    def __call__(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        # Not frame.side_data: the frame would keep it, and it the frame, until Python collects
        # garbage. Hundreds of large frames waited for that.
        side_data = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]
        matrix = _matrix(side_data) if isinstance(side_data, SideData) else None
        sideways = matrix is not None and _swaps_axes(matrix)
        if self._size is None:
            stored = (frame.height, frame.width)
            self._size = stored[::-1] if sideways else stored
        height, width = self._size[::-1] if sideways else self._size
        try:
            scaled = self._scale(frame, width, height, None)
        except av.error.FFmpegError:
            # Colours tagged as something that swscale does not know: shown as most video is coded.
            scaled = self._scale(frame, width, height, Colorspace.ITU601)
        picture: NDArray[np.uint8] = scaled.to_ndarray()  # type: ignore[assignment]
        return picture if matrix is None else upright(picture, matrix)

    def _scale(
        self, frame: av.VideoFrame, width: int, height: int, colours: Colorspace | None
    ) -> av.VideoFrame:
        return self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=colours,
            interpolation=_SCALING,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )


def _matrix(side_data: SideData) -> NDArray[np.int32]:
    return np.frombuffer(memoryview(side_data), np.int32)[:9]


def upright(picture: NDArray[np.uint8], matrix: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Turn and mirror a stored picture [H,W,3] as its display matrix (9 fixed-point numbers) says.

    The matrix maps a stored point (p,q) to (a*p + c*q, b*p + d*q), y pointing down
    (libavutil/display.h). Angles that are no multiple of 90 are rounded to the nearest.
    """
    a, b, _, c, d = (int(m) for m in matrix[:5])
    x_sign, y_sign = (a, d)
    if _swaps_axes(matrix):
        picture = picture.swapaxes(0, 1)
        x_sign, y_sign = c, b
    return np.ascontiguousarray(
        picture[:: -1 if y_sign < 0 else 1, :: -1 if x_sign < 0 else 1],
    )


def _swaps_axes(matrix: NDArray[np.int32]) -> bool:
    a, b, _, c, d = (int(m) for m in matrix[:5])
    return abs(b) + abs(c) > abs(a) + abs(d)
