"""Write frames to a video file: deterministic bytes, for the synthetic data set and for tests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.codec.context import Flags as CodecFlags
from numpy.typing import NDArray

from bitreel.errors import VideoError

_BITEXACT = 0x400  # AVFMT_FLAG_BITEXACT; PyAV's own name for it is not typed as an int
_TIME_BASE = Fraction(1, 90_000)
# x264's macroblock tree reads memory that it has not written: with it, one clip in three came out
# with other bytes on another run, on one thread (measured with the x264 inside PyAV 18.1).
_REPEATABLE = {"libx264": {"x264-params": "mbtree=0"}}


def write_video(
    path: str | Path,
    frames: NDArray[np.uint8] | Iterable[NDArray[np.uint8]],
    *,
    frames_per_second: float | Fraction = 25,
    times_seconds: Iterable[float] | None = None,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    keyframe_interval: int | None = None,
    pixel_format: str = "yuv420p",
    rotation: int = 0,
    container_options: Mapping[str, str] | None = None,
) -> Path:
    """Encode frames uint8 [T,H,W,3] (RGB), or an iterable of [H,W,3], and return the path.

    The container follows the suffix of `path`; the file appears whole or not at all. The same
    frames and options give the same bytes with the same version of PyAV: one thread, and flags
    that keep dates and version strings out. `times_seconds` [T] replaces the constant rate (only
    in containers that keep a time for each frame), `keyframe_interval` is in frames, and `rotation`
    is stored as a display matrix: degrees counter-clockwise by which players turn the picture.

    Raises VideoError when the frames do not fit the codec or the file can not be written.
    """
    target = Path(path)
    partial = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
    rate = Fraction(frames_per_second).limit_denominator(1001)
    times = None if times_seconds is None else iter(times_seconds)
    try:
        with av.open(partial, "w", container_options=dict(container_options or {})) as container:
            container.flags |= _BITEXACT
            _encode(
                container,
                _checked(frames, target),
                rate=rate,
                times=times,
                codec=codec,
                options=_REPEATABLE.get(codec, {}) | dict(options or {}),
                keyframe_interval=keyframe_interval,
                pixel_format=pixel_format,
                rotation=rotation,
            )
        os.replace(partial, target)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{target} could not be written: {error}. Check that the folder exists and has room, "
            f"and that {codec} takes frames of this size in a {target.suffix or 'nameless'} file."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _checked(frames: Iterable[NDArray[np.uint8]], target: Path) -> Iterator[NDArray[np.uint8]]:
    shape = None
    for frame in frames:
        shape = shape or frame.shape
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape != shape or shape[2] != 3:
            raise VideoError(
                f"Expected frames uint8 [H,W,3] of one size for {target}, "
                f"got {frame.dtype} {list(frame.shape)}."
            )
        yield np.ascontiguousarray(frame)
    if shape is None:
        raise VideoError(f"There is no frame to write to {target}: give at least one.")


def _encode(
    container: av.container.OutputContainer,
    frames: Iterator[NDArray[np.uint8]],
    *,
    rate: Fraction,
    times: Iterator[float] | None,
    codec: str,
    options: dict[str, str],
    keyframe_interval: int | None,
    pixel_format: str,
    rotation: int,
) -> None:
    stream: av.VideoStream | None = None
    for number, picture in enumerate(frames):
        if stream is None:
            if av.Codec(codec, "w").type != "video":
                raise VideoError(f"{codec} is no video codec: try libx264 or mpeg4.")
            stream = cast(av.VideoStream, container.add_stream(codec, rate=rate, options=options))
            context = stream.codec_context
            stream.height, stream.width = picture.shape[:2]
            stream.pix_fmt = pixel_format
            context.thread_count = 1
            context.flags |= CodecFlags.bitexact
            if times is not None:
                context.time_base = _TIME_BASE
            if keyframe_interval is not None:
                stream.gop_size = keyframe_interval
            if rotation:
                stream.set_display_rotation(rotation)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.time_base = 1 / rate if times is None else _TIME_BASE
        frame.pts = number if times is None else round(next(times) / _TIME_BASE)
        container.mux(stream.encode(frame))
    if stream is not None:
        container.mux(stream.encode(None))
