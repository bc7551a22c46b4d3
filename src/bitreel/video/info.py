"""A video at a glance."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from bitreel.video.scan import scan_packets
from bitreel.video.source import DECODER_ERRORS, MAX_PIXELS, Source, opened


@dataclass(frozen=True, eq=False)
class VideoInfo:
    """A video at a glance. Sizes are as shown, after `rotation` (degrees counter-clockwise)."""

    path: Path
    container: str
    codec: str
    width: int
    height: int
    rotation: int
    frame_count: int  # exact where `trusted`; otherwise what the packets say without decoding
    duration_seconds: float
    keyframe_count: int
    trusted: bool
    times_seconds: NDArray[np.float64] = field(repr=False)  # [frame_count], the first is 0

    @property
    def frames_per_second(self) -> float:
        return self.frame_count / self.duration_seconds if self.duration_seconds else 0.0


def probe(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> VideoInfo:
    """Look at a video: one pass over its packets, and its first picture decoded.

    Raises UnreadableVideo, NoVideoStream, VideoTooLarge.
    """
    with opened(path, max_pixels) as source:
        scan = scan_packets(source)
        first = _first_frame(source)
    rotation = first.rotation % 360
    width, height = first.width, first.height
    if rotation in (90, 270):
        width, height = height, width
    return VideoInfo(
        path=scan.path,
        container=scan.container,
        codec=scan.codec,
        width=width,
        height=height,
        rotation=rotation,
        frame_count=scan.frame_count,
        duration_seconds=scan.duration_seconds,
        keyframe_count=int(scan.packet_is_key.sum()),
        trusted=scan.trusted,
        times_seconds=scan.times_seconds,
    )


def _first_frame(source: Source) -> av.VideoFrame:
    decoder = source.decoder(threads=1)
    first_error: Exception | None = None
    for packet in chain(source.packets(), [None]):
        try:
            frames = decoder.decode(packet)
        except DECODER_ERRORS as error:
            first_error = first_error or error
            continue
        if frames:
            return frames[0]
    raise source.no_picture(first_error)
