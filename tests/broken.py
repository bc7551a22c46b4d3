"""Every kind of file that can not be read, or in part only, all under the name of a video."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from media import damage_bytes, make_sound, make_video, numbered_frame, truncate

PAGE = "<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>\n"

# What bitreel says of each. None: it can be read in part, and the damage is told.
SAID: dict[str, str | None] = {
    "empty.mp4": "is empty (0 bytes)",
    "junk.mp4": "can not be read as a video: its content is damaged or is no video",
    "cut.mp4": "without a usable index",
    "cut.avi": None,
    "damaged.mp4": None,
    "song.mp4": "holds no video beside its sound",
    "cover.mp4": "holds nothing but a cover picture",
    "bomb.mp4": "frames of more than 16777216 pixels, the limit",
    "page.mp4": "can not be read as a video",
    "text.mp4": "can not be read as a video",
    "pipe.mp4": "is a pipe, a socket or a device",
    "link.mp4": "not there, or not a file",  # of an index; a search says "does not exist"
}
READABLE = [name for name, said in SAID.items() if said is None]


def make_broken(folder: Path) -> dict[str, Path]:
    """Every kind in `folder`, by name, and a folder with the name of a video."""
    folder.mkdir(parents=True)
    healthy = folder.parent / "healthy"
    healthy.mkdir()
    for name in SAID:
        MAKERS[name](folder / name, healthy)
    (folder / "folder.mp4").mkdir()
    return {name: folder / name for name in SAID}


def _whole(healthy: Path, suffix: str) -> Path:
    if suffix == ".avi":
        return make_video(healthy / "whole.avi", 100, codec="mpeg4")
    faststart = {"movflags": "faststart"}
    return make_video(healthy / "whole.mp4", 100, keyframe_interval=10, container_options=faststart)


def _cut_mp4(path: Path, healthy: Path) -> None:
    truncate(make_video(healthy / "index_last.mp4", 60), path, 0.6)


def _cover(path: Path, healthy: Path) -> None:
    make_sound(healthy / "song.mp3", cover=numbered_frame(7)).rename(path)


def _bomb(path: Path, _: Path) -> None:
    Image.new("1", (8192, 8192)).save(path, format="PNG")  # black and white: quick to write


MAKERS: dict[str, Callable[[Path, Path], object]] = {
    "empty.mp4": lambda path, _: path.touch(),
    "junk.mp4": lambda path, _: path.write_bytes(np.random.default_rng(0).bytes(100_000)),
    "cut.mp4": _cut_mp4,
    "cut.avi": lambda path, healthy: truncate(_whole(healthy, ".avi"), path, 0.6),
    "damaged.mp4": lambda path, healthy: damage_bytes(_whole(healthy, ".mp4"), path, 0.4, 0.6),
    "song.mp4": lambda path, _: make_sound(path),
    "cover.mp4": _cover,
    "bomb.mp4": _bomb,
    "page.mp4": lambda path, _: path.write_text(PAGE * 40),
    "text.mp4": lambda path, _: path.write_text("Dear diary,\n" * 500),
    "pipe.mp4": lambda path, _: os.mkfifo(path),
    "link.mp4": lambda path, _: path.symlink_to(path.with_name("gone.mp4")),
}
