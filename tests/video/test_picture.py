"""Pixels: upright, in the right colours, scaled as asked."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from shapes import shape

from bitreel.video import probe, read_clip, write_video
from bitreel.video.picture import upright


@pytest.fixture(scope="module")
def scene() -> NDArray[np.uint8]:
    """A smooth picture in which every direction looks different. uint8 [48,64,3]."""
    y, x = np.mgrid[0:48, 0:64]
    return np.stack([x * 4, y * 5, np.full_like(x, 60)], axis=2).astype(np.uint8)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_pictures_come_upright(
    rotation: int, mirrored: bool, scene: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "turned.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.height, stream.width = scene.shape[:2]
        stream.pix_fmt = "yuv444p"
        stream.set_display_rotation(rotation, hflip=mirrored)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(scene)))
        container.mux(stream.encode(None))
    turned = np.rot90(scene, rotation // 90)
    expected = turned[:, ::-1] if mirrored else turned  # libavutil mirrors what was turned
    (frame,) = read_clip(path, frames=1).frames
    assert frame.shape == expected.shape
    assert np.abs(frame.astype(int) - expected).max() <= 8
    info = probe(path)
    assert (info.height, info.width) == expected.shape[:2]
    if not mirrored:
        assert info.rotation == rotation


def test_the_matrix_of_no_turn_changes_nothing(scene: NDArray[np.uint8]) -> None:
    one = 1 << 16
    unit = np.array([one, 0, 0, 0, one, 0, 0, 0, 1 << 30], np.int32)
    assert np.array_equal(upright(scene, unit), scene)
    flat = np.zeros(9, np.int32)
    assert np.array_equal(upright(scene, flat), scene)


@pytest.mark.parametrize("full_range", [False, True])
def test_black_white_and_grey_have_their_values(full_range: bool, tmp_path: Path) -> None:
    path = tmp_path / "levels.mkv"
    levels = {0: 0, 128: 128, 255: 255} if full_range else {16: 0, 126: 128, 235: 255}
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.color_range = 2 if full_range else 1
        for luma in levels:
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.color_range = 2 if full_range else 1
            for plane, value in zip(frame.planes, (luma, 128, 128), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for size in (None, (20, 30)):
        frames = read_clip(path, frames=3, size=size).frames
        for picture, value in zip(frames, levels.values(), strict=True):
            assert np.abs(picture.astype(int) - value).max() <= 1


def test_shrinking_averages_the_area(tmp_path: Path) -> None:
    """The slow twin: numpy means of 8 x 8 blocks."""
    noise = np.random.default_rng(0).integers(0, 256, (1, 96, 128, 1), np.uint8)
    grey = np.repeat(noise, 3, axis=3)
    path = write_video(tmp_path / "noise.mkv", grey, codec="ffv1", pixel_format="yuv444p")
    blocks = grey[0].reshape(12, 8, 16, 8, 3).mean(axis=(1, 3))
    frame = read_clip(path, frames=1, size=(12, 16)).frames[0]
    assert np.abs(frame - blocks).max() <= 4


def test_size_is_height_and_width(media_folder: Path) -> None:
    path = shape("rotated_90", media_folder)
    assert read_clip(path, frames=2, size=(30, 50)).frames.shape == (2, 30, 50, 3)
    assert read_clip(path, frames=2).frames.shape == (2, 160, 120, 3)
    info = probe(path)
    assert (info.height, info.width, info.rotation) == (160, 120, 90)
    assert not info.times_seconds[0]
    assert info.frames_per_second == pytest.approx(25)


def test_frames_own_their_memory(media_folder: Path) -> None:
    frames = read_clip(shape("h264_b_frames", media_folder), frames=2).frames
    assert frames.flags.c_contiguous
    assert frames.flags.owndata
    frames[:] = 0
