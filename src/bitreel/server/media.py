"""Pictures and short films of places in videos, made when they are first asked for, and kept."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from bitreel.clip import Clip
from bitreel.library.records import FileState
from bitreel.server.picture_cache import PictureCache
from bitreel.video import WHOLE_VIDEOS, probe, write_video
from bitreel.video.guarded import GuardedReader

WIDTH = 320
FRAMES_A_SECOND = 12
LONGEST_SECONDS = 12.0


class Media:
    """Thumbnails (JPEG) and previews (MP4, H.264, which every browser plays whatever the video is).

    Kept by what they show: the same file at the same time has the same name.
    """

    def __init__(self, cache: PictureCache, reader: GuardedReader) -> None:
        self._cache, self._reader = cache, reader

    def thumbnail(self, path: Path, start_seconds: float, end_seconds: float) -> BinaryIO:
        """A picture from the middle of a range. Raises VideoError."""
        middle = (start_seconds + end_seconds) / 2

        def make(target: Path) -> None:
            clip = self._clip(path, start_seconds, end_seconds, frames=3)
            content = io.BytesIO()
            Image.fromarray(clip.frames[1]).save(content, "JPEG", quality=82)
            target.write_bytes(content.getvalue())

        return self._kept(path, f"thumbnail {middle:.3f}", ".jpg", make)

    def preview(self, path: Path, start_seconds: float, end_seconds: float) -> BinaryIO:
        """A range as a small film without sound, its first seconds where it is long. Raises
        VideoError."""
        end = min(end_seconds, start_seconds + LONGEST_SECONDS)

        def make(target: Path) -> None:
            frames = max(2, round((end - start_seconds) * FRAMES_A_SECOND))
            clip = self._clip(path, start_seconds, end, frames=frames)
            write_video(
                target,
                clip.frames,
                frames_per_second=FRAMES_A_SECOND,
                options={"preset": "veryfast", "crf": "26"},
                container_options={"movflags": "faststart"},
            )

        return self._kept(path, f"preview {start_seconds:.3f} {end:.3f}", ".mp4", make)

    def _clip(self, path: Path, start: float, end: float, *, frames: int) -> Clip:
        info = probe(path)
        height = max(2, round(WIDTH * info.height / info.width / 2) * 2)
        clips = self._reader.read_segments(
            path,
            WHOLE_VIDEOS,
            frames=frames,
            size=(height, WIDTH),
            start_seconds=start,
            end_seconds=max(end, start + 1e-3),
        )
        return next(iter(list(clips)))

    def _kept(self, path: Path, what: str, suffix: str, make: Callable[[Path], None]) -> BinaryIO:
        state = FileState.of(path)
        name = hashlib.sha256(f"{what} {state} {os.fsencode(path)!r}".encode()).hexdigest()
        return self._cache.get(name + suffix, make)
