"""Videos of several scenes, joined without coding them again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from bitreel.video import write_video


def scene(number: int, frames: int, *, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A moving pattern that depends on `number` alone, uint8 [T,H,W,3]."""
    random = np.random.default_rng(number)
    blocks = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    picture = blocks.repeat(height // 6, axis=0).repeat(width // 8, axis=1)
    way = int(random.choice([-1, 1]))
    return np.stack([np.roll(picture, way * t, axis=1) for t in range(frames)])


def join(parts: Sequence[Path], target: Path) -> list[float]:
    """One video of several that were coded alike. The time in seconds at which each begins."""
    starts: list[Fraction] = []
    with av.open(target, "w") as write:
        copy, offset = None, 0
        for part in parts:
            with av.open(part) as read:
                stream = read.streams.video[0]
                base = stream.time_base or Fraction(1)
                copy = copy or write.add_stream_from_template(stream)
                starts.append(offset * base)
                end = offset
                for packet in read.demux(stream):
                    if packet.size and packet.pts is not None and packet.dts is not None:
                        packet.stream = copy
                        packet.pts += offset
                        packet.dts += offset
                        end = max(end, packet.pts + (packet.duration or 0))
                        write.mux(packet)
                offset = end
    return [float(start) for start in starts]


def make_scenes(folder: Path, lengths: Sequence[int], *, first: int = 0) -> list[Path]:
    """One small video for each scene, of as many frames (25 a second)."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_video(
            folder / f"scene{first + k:04}.mp4",
            scene(first + k, frames),
            options={"preset": "ultrafast", "bf": "2"},
            keyframe_interval=50,
        )
        for k, frames in enumerate(lengths)
    ]
