"""Healthy videos of every shape met in the wild, each numbered from 0 in the order it is shown."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

from media import QUIET_X265, add_edit_list, make_video, remux, remux_unseekable

UNEVEN_TIMES = tuple(float(t) for t in np.cumsum(np.arange(60) % 7 * 0.01 + 0.01))
EDIT_FIRST, EDIT_FRAMES = 8, 37  # the numbers that the edit list of "edit_list" shows


def _base(folder: Path) -> Path:
    return make_video(
        folder / "base.mp4", 60, options={"bf": "3"}, keyframe_interval=12, frames_per_second=25
    )


def _vp8_hidden_references(folder: Path) -> Path:
    options = {"deadline": "good", "auto-alt-ref": "1", "lag-in-frames": "16"}
    return make_video(folder / "alt.webm", 60, codec="libvpx", options=options)


def _hevc(folder: Path, name: str, extra: str) -> Path:
    options = {"x265-params": f"{QUIET_X265}:{extra}"}
    return make_video(folder / name, 60, codec="libx265", options=options, keyframe_interval=12)


_MAKERS: dict[str, Callable[[Path], Path]] = {
    "h264_b_frames": _base,
    "h264_open_gop": lambda f: make_video(
        f / "open.mp4",
        60,
        options={"bf": "3", "x264-params": "open-gop=1"},
        keyframe_interval=12,
    ),
    "h264_long_gop": lambda f: make_video(f / "long.mp4", 300, keyframe_interval=250),
    "h264_intra_refresh": lambda f: make_video(
        f / "refresh.mp4", 60, options={"intra-refresh": "1"}, keyframe_interval=15
    ),
    "h264_444_odd_size": lambda f: make_video(
        f / "odd.mp4", 60, width=321, height=241, pixel_format="yuv444p"
    ),
    "h264_full_range": lambda f: make_video(f / "full.mp4", 60, pixel_format="yuvj420p"),
    "h264_interlaced_ts": lambda f: make_video(
        f / "fields.ts",
        60,
        options={"flags": "+ildct+ilme", "x264-params": "tff=1"},
        keyframe_interval=12,
    ),
    "h264_ts": lambda f: make_video(f / "a.ts", 60, options={"bf": "3"}, keyframe_interval=12),
    "h264_raw": lambda f: make_video(f / "raw.264", 60, options={"bf": "2"}),
    "h264_variable_rate_mp4": lambda f: make_video(
        f / "vfr.mp4", 60, times_seconds=UNEVEN_TIMES, options={"bf": "2"}
    ),
    "h264_variable_rate_mkv": lambda f: make_video(
        f / "vfr.mkv", 60, times_seconds=UNEVEN_TIMES, options={"bf": "2"}
    ),
    "h264_fragmented": lambda f: remux(
        _base(f), f / "frag.mp4", container_options={"movflags": "frag_keyframe+empty_moov"}
    ),
    "h264_mkv_no_index": lambda f: remux_unseekable(_base(f), f / "live.mkv"),
    "h264_flv_live": lambda f: remux_unseekable(_base(f), f / "live.flv", "flv"),
    "edit_list": lambda f: add_edit_list(
        _base(f), f / "edit.mp4", start=Fraction(3, 10), duration=Fraction(3, 2)
    ),
    "one_frame": lambda f: make_video(f / "one.mp4", 1),
    "rotated_90": lambda f: make_video(f / "r90.mp4", 60, rotation=90),
    "rotated_180": lambda f: make_video(f / "r180.mp4", 60, rotation=180),
    "rotated_270": lambda f: make_video(f / "r270.mp4", 60, rotation=270),
    "hevc": lambda f: _hevc(f, "hevc.mp4", "bframes=3"),
    "hevc_open_gop": lambda f: _hevc(f, "hevc_open.mp4", "bframes=3:open-gop=1"),
    "hevc_layers": lambda f: _hevc(f, "hevc_layers.mp4", "bframes=4:temporal-layers=3"),
    "vp9_odd_size": lambda f: make_video(
        f / "vp9.webm", 60, width=321, height=241, codec="libvpx-vp9", keyframe_interval=20
    ),
    "vp8": lambda f: make_video(f / "vp8.webm", 60, codec="libvpx", keyframe_interval=20),
    "vp8_hidden_references": _vp8_hidden_references,
    "av1": lambda f: make_video(f / "av1.mp4", 60, codec="libsvtav1", keyframe_interval=20),
    "mpeg4_mp4": lambda f: make_video(
        f / "m4.mp4", 60, codec="mpeg4", options={"bf": "2"}, keyframe_interval=12
    ),
    "mpeg4_avi": lambda f: make_video(f / "m.avi", 60, codec="mpeg4"),
    "mpeg4_avi_b_frames": lambda f: make_video(
        f / "mb.avi", 60, codec="mpeg4", options={"bf": "2"}
    ),
    "mjpeg_avi": lambda f: make_video(f / "mj.avi", 30, codec="mjpeg", pixel_format="yuvj420p"),
    "mpeg2_ts": lambda f: make_video(
        f / "m2.ts", 60, codec="mpeg2video", options={"bf": "2"}, keyframe_interval=12
    ),
    "mpeg2_ps": lambda f: make_video(
        f / "m2.mpg", 60, codec="mpeg2video", options={"bf": "2"}, keyframe_interval=12
    ),
    "wmv": lambda f: make_video(f / "a.wmv", 60, codec="wmv2"),
    "flv1": lambda f: make_video(f / "a.flv", 60, codec="flv"),
    "gif": lambda f: make_video(f / "a.gif", 60, codec="gif", pixel_format="rgb8"),
}

NAMES = tuple(_MAKERS)
UNTRUSTED = {
    "h264_interlaced_ts",
    "h264_raw",
    "mpeg4_avi",
    "mpeg4_avi_b_frames",
    "mjpeg_avi",
    "mpeg2_ps",
    "wmv",
    "gif",
}
TURNS = {"rotated_90": 1, "rotated_180": 2, "rotated_270": 3}  # quarters, counter-clockwise


@cache
def shape(name: str, folder: Path) -> Path:
    """The video of this shape, made once a session in a folder of its own."""
    place = folder / name
    place.mkdir()
    return _MAKERS[name](place)
