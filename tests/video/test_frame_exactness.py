"""The right frame, read off the picture itself, for every shape of video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shapes import EDIT_FIRST, EDIT_FRAMES, NAMES, TURNS, UNEVEN_TIMES, UNTRUSTED, shape

from bitreel.video import probe, read_clip, read_frames, uniform_indices
from media import decode_all, numbers_of, read_numbers


def _unturn(name: str, frames: np.ndarray) -> np.ndarray:
    """Pictures as they were numbered: turned back by what the file tells players to turn them."""
    return np.rot90(frames, -TURNS.get(name, 0), axes=(1, 2))


def _truth(name: str) -> list[int]:
    if name == "edit_list":
        return list(range(EDIT_FIRST, EDIT_FIRST + EDIT_FRAMES))
    return list(range({"one_frame": 1, "h264_long_gop": 300, "mjpeg_avi": 30}.get(name, 60)))


@pytest.mark.parametrize("name", NAMES)
def test_the_test_video_itself_is_readable(name: str, media_folder: Path) -> None:
    assert numbers_of(decode_all(shape(name, media_folder))) == _truth(name)


@pytest.mark.parametrize("name", NAMES)
def test_uniform_picks_are_the_right_frames(name: str, media_folder: Path) -> None:
    truth = _truth(name)
    clip = read_clip(shape(name, media_folder), frames=8, size=(112, 112))
    expected = [truth[k] for k in uniform_indices(len(truth), 8)]
    assert read_numbers(_unturn(name, clip.frames)) == expected
    assert not clip.damage, clip.damage


@pytest.mark.parametrize("name", NAMES)
def test_arbitrary_picks_are_the_right_frames(name: str, media_folder: Path) -> None:
    path, truth = shape(name, media_folder), _truth(name)
    rng = np.random.default_rng(len(name))
    picks = [np.array([0]), np.array([len(truth) - 1]), np.arange(len(truth))]
    picks += [np.sort(rng.integers(0, len(truth), count)) for count in (1, 2, 3, 5, 20)]
    for indices in picks:
        clip = read_frames(path, indices, size=(112, 112))
        assert read_numbers(_unturn(name, clip.frames)) == [truth[k] for k in indices]
        assert not clip.damage, clip.damage


@pytest.mark.parametrize("name", NAMES)
def test_times_are_true(name: str, media_folder: Path) -> None:
    path, count = shape(name, media_folder), len(_truth(name))
    clip = read_frames(path, range(count), size=(16, 16))
    expected = np.arange(count) / 25
    if "variable_rate" in name:
        expected = np.array(UNEVEN_TIMES) - UNEVEN_TIMES[0]
    # Milliseconds in Matroska, FLV and ASF; centiseconds in GIF.
    assert np.abs(clip.times_seconds - expected).max() <= (0.0051 if name == "gif" else 0.00051)


@pytest.mark.parametrize("name", NAMES)
def test_the_scan_counts_and_trusts_rightly(name: str, media_folder: Path) -> None:
    info = probe(shape(name, media_folder))
    assert info.frame_count == len(_truth(name))
    assert info.trusted == (name not in UNTRUSTED)


@pytest.mark.parametrize("name", ["h264_b_frames", "hevc", "vp9_odd_size", "av1", "mpeg4_avi"])
def test_more_threads_give_the_same_bytes(name: str, media_folder: Path) -> None:
    path = shape(name, media_folder)
    one, two = (read_clip(path, frames=8, threads=threads) for threads in (1, 2))
    assert np.array_equal(one.frames, two.frames)
    assert np.array_equal(one.times_seconds, two.times_seconds)


def test_few_frames_repeat(media_folder: Path) -> None:
    clip = read_clip(shape("one_frame", media_folder), frames=4)
    assert read_numbers(clip.frames) == [0, 0, 0, 0]
    assert clip.times_seconds.tolist() == [0, 0, 0, 0]
