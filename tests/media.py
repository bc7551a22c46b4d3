"""Make small videos in which every frame carries its own number, in any shape a test needs.

The number is a bar code of 2 x 8 black and white cells that fills the picture, so it survives
coding, resizing to 112 pixels, and any decoder: the right frame is read off the picture itself.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

from bitreel.video import write_video

ROWS, COLUMNS = 2, 8  # 16 cells: 12 bits of the number, 4 of a checksum
_DARK, _BRIGHT = 30, 225

# Encoders that print their settings on stderr are told not to.
os.environ.setdefault("SVT_LOG", "1")
QUIET_X265 = "log-level=none"


def _cells(number: int) -> NDArray[np.uint8]:
    check = (number ^ number >> 4 ^ number >> 8 ^ 0b1010) & 15
    bits = np.unpackbits(np.array([number << 4 | check], ">u2").view(np.uint8))
    return bits.astype(np.uint8)


def numbered_frame(number: int, height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    """The picture of frame `number`, uint8 [H,W,3]."""
    if not 0 <= number < 4096:
        raise ValueError(f"a bar code holds 0 to 4095, got {number}")
    code = _cells(number).reshape(ROWS, COLUMNS)
    rows = np.arange(height) * ROWS // height
    columns = np.arange(width) * COLUMNS // width
    shade = np.where(code[np.ix_(rows, columns)], _BRIGHT, _DARK).astype(np.float32)
    # A gentle drift, so that no two frames are equal and encoders have motion to code.
    ripple = 12 * np.sin((np.arange(width) + 3 * number) / 9)[None, :]
    picture = np.repeat((shade + ripple)[:, :, None], 3, axis=2)
    np.clip(picture, 0, 255, out=picture)
    return picture.astype(np.uint8)


def numbered_frames(
    numbers: int | Iterable[int], height: int = 120, width: int = 160
) -> Iterator[NDArray[np.uint8]]:
    for number in range(numbers) if isinstance(numbers, int) else numbers:
        yield numbered_frame(number, height, width)


def read_number(picture: NDArray[np.uint8]) -> int | None:
    """The number in a picture [H,W,3]; None where the bar code is not whole."""
    height, width = picture.shape[:2]
    grey = picture.astype(np.float32).mean(axis=2)
    bits = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            y, x = (row + 0.5) * height / ROWS, (column + 0.5) * width / COLUMNS
            dy, dx = height / ROWS / 5, width / COLUMNS / 5
            cell = grey[int(y - dy) : int(y + dy) + 1, int(x - dx) : int(x + dx) + 1].mean()
            if 100 < cell < 155:
                return None
            bits.append(cell > 127)
    value = int(np.packbits(np.array(bits)).view(">u2")[0])
    number = value >> 4
    return number if np.array_equal(_cells(number), np.array(bits)) else None


def read_numbers(pictures: NDArray[np.uint8]) -> list[int | None]:
    """The numbers of frames [T,H,W,3]."""
    return [read_number(picture) for picture in pictures]


def make_video(
    path: Path,
    frames: int | Iterable[int] = 60,
    *,
    height: int = 120,
    width: int = 160,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    **rest: object,
) -> Path:
    """A numbered video; `rest` goes to `write_video`. Options that keep the encoder quick."""
    quick = {
        "libx264": {"preset": "veryfast", "sc_threshold": "0"},
        "libx265": {"preset": "ultrafast", "x265-params": QUIET_X265},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
        "libvpx": {"deadline": "realtime", "cpu-used": "8"},
        "libsvtav1": {"preset": "8", "crf": "5"},
    }.get(codec, {})
    return write_video(
        path,
        numbered_frames(frames, height, width),
        codec=codec,
        options=quick | (options or {}),
        **rest,  # type: ignore[arg-type]
    )


def remux(
    source: Path,
    target: Path,
    *,
    keep: slice = slice(None),
    container_options: dict[str, str] | None = None,
    time_offset: int = 0,
) -> Path:
    """Copy the packets of a video to another container, without coding them again.

    `keep` takes a part of the packets in file order; `time_offset` (units of the stream) is added
    to their times: with a negative one, frames before 0 are hidden by an edit list in mp4.
    """
    with (
        av.open(source) as read,
        av.open(target, "w", container_options=container_options or {}) as write,
    ):
        stream = read.streams.video[0]
        copy = write.add_stream_from_template(stream)
        packets = [packet for packet in read.demux(stream) if packet.size]
        for packet in packets[keep]:
            packet.stream = copy
            if time_offset and packet.pts is not None and packet.dts is not None:
                packet.pts += time_offset
                packet.dts += time_offset
            write.mux(packet)
    return target


def remux_unseekable(source: Path, target: Path, format_name: str = "matroska") -> Path:
    """As a live stream would be saved: no index, no duration in the header."""

    class Pipe:
        def __init__(self, file: object) -> None:
            self._write = file.write  # type: ignore[attr-defined]

        def write(self, data: bytes) -> int:
            return int(self._write(data))

    with (
        av.open(source) as read,
        target.open("wb") as file,
        av.open(Pipe(file), "w", format=format_name) as write,
    ):
        stream = read.streams.video[0]
        copy = write.add_stream_from_template(stream)
        for packet in read.demux(stream):
            if packet.size:
                packet.stream = copy
                write.mux(packet)
    return target


def add_edit_list(video: Path, target: Path, *, start: Fraction, duration: Fraction) -> Path:
    """An mp4 whose edit list shows [start, start + duration) seconds of its track only.

    The `elst` box of a file written by FFmpeg is changed in place: its first entry holds the
    duration in movie units, and the time in media units at which the track starts.
    """
    data = bytearray(video.read_bytes())
    movie_scale = struct.unpack_from(">I", data, data.index(b"mvhd") + 4 + 12)[0]
    media_scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 4 + 12)[0]
    entry = data.index(b"elst") + 4 + 8  # behind version, flags and the number of entries
    media_time = struct.unpack_from(">i", data, entry + 4)[0]
    struct.pack_into(">I", data, entry, int(duration * movie_scale))
    struct.pack_into(">i", data, entry + 4, media_time + int(start * media_scale))
    target.write_bytes(data)
    return target


def damage_bytes(
    source: Path, target: Path, first: float, last: float, *, seed: int | None = 0
) -> Path:
    """Overwrite the bytes between two shares of the file: with noise, or zeros for seed None."""
    data = bytearray(source.read_bytes())
    start, stop = int(len(data) * first), int(len(data) * last)
    noise = bytes(stop - start)
    if seed is not None:
        noise = np.random.default_rng(seed).bytes(stop - start)
    data[start:stop] = noise
    target.write_bytes(data)
    return target


def truncate(source: Path, target: Path, share: float) -> Path:
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def make_sound(path: Path, *, seconds: float = 1.0, cover: NDArray[np.uint8] | None = None) -> Path:
    """A sound file, with a cover picture if given (mp3)."""
    codec = "libmp3lame" if path.suffix == ".mp3" else "aac"
    with av.open(path, "w") as container:
        sound = cast(av.AudioStream, container.add_stream(codec, rate=44100))
        picture = None
        if cover is not None:
            picture = container.add_stream("png", rate=1)
            picture.height, picture.width = cover.shape[:2]
            picture.pix_fmt = "rgb24"
            picture.disposition = av.stream.Disposition.attached_pic
            container.mux(picture.encode(av.VideoFrame.from_ndarray(cover)))
            container.mux(picture.encode(None))
        for frame in _silence(seconds):
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def _silence(seconds: float) -> Iterator[av.AudioFrame]:
    for start in range(0, int(seconds * 44100), 1024):
        frame = av.AudioFrame.from_ndarray(
            np.zeros((2, 1024), np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate = 44100
        frame.pts = start
        frame.time_base = Fraction(1, 44100)
        yield frame


def decode_all(path: Path) -> list[av.VideoFrame]:
    """The slow twin: every frame in output order, by PyAV alone."""
    with av.open(path) as container:
        container.streams.video[0].codec_context.thread_count = 1
        return list(container.decode(video=0))


def numbers_of(frames: Sequence[av.VideoFrame]) -> list[int | None]:
    return [read_number(frame.to_ndarray(format="rgb24").astype(np.uint8)) for frame in frames]
