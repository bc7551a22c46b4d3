"""The plan decodes less than everything, and what it gives is bit for bit what everything gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapes import NAMES, UNTRUSTED, shape

from bitreel.video import read_frames
from bitreel.video.decode import Decoded, decode_planned, decode_whole
from bitreel.video.picture import PictureMaker
from bitreel.video.scan import scan_packets
from bitreel.video.source import MAX_PIXELS, opened
from media import make_video, read_numbers, remux

# Streams of intra refresh have "keyframes" that do not restore the picture at once; the reader
# falls back on them, which test_frame_exactness covers.
PLANNED = [name for name in NAMES if name not in {*UNTRUSTED, "h264_intra_refresh", "edit_list"}]


def _planned(path: Path, wanted: set[int], *, skip: bool = True) -> Decoded:
    with opened(path, MAX_PIXELS) as source:
        scan = scan_packets(source)
        return decode_planned(
            source, scan, wanted, make_picture=PictureMaker((112, 112)), skip=skip
        )


def _whole(path: Path) -> Decoded:
    with opened(path, MAX_PIXELS) as source:
        scan = scan_packets(source)
        everything = range(scan.frame_count)
        return decode_whole(source, everything, make_picture=PictureMaker((112, 112)))


@pytest.mark.parametrize("name", PLANNED)
def test_planned_is_bit_identical_with_everything_decoded(name: str, media_folder: Path) -> None:
    path = shape(name, media_folder)
    whole = _whole(path)
    rng = np.random.default_rng(7)
    for count in (1, 2, 4, 8):
        wanted = set(rng.integers(0, len(whole.pictures), count).tolist())
        planned = _planned(path, wanted)
        assert planned.pictures.keys() == wanted
        assert all(np.array_equal(planned.pictures[k], whole.pictures[k]) for k in wanted)
        assert planned.packet_errors == planned.corrupt_frames == 0


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    wanted=st.sets(st.integers(0, 59), min_size=1, max_size=6),
    name=st.sampled_from(["h264_open_gop", "hevc_open_gop", "mpeg2_ts"]),
)
def test_any_picks_of_open_groups(wanted: set[int], name: str, media_folder: Path) -> None:
    path = shape(name, media_folder)
    planned, plain = _planned(path, wanted), _planned(path, wanted, skip=False)
    assert planned.pictures.keys() == plain.pictures.keys() == wanted
    assert all(np.array_equal(planned.pictures[k], plain.pictures[k]) for k in wanted)


def test_only_the_groups_of_the_picks_are_decoded(media_folder: Path) -> None:
    path = shape("h264_b_frames", media_folder)  # groups of 12 frames
    assert _planned(path, {30}, skip=False).frames_decoded <= 12
    assert _planned(path, {1, 30}, skip=False).frames_decoded <= 24
    assert _planned(path, {0}, skip=False).frames_decoded == 1
    assert _whole(path).frames_decoded == 60


@pytest.mark.parametrize("name", ["h264_long_gop", "hevc"])
def test_frames_nothing_refers_to_are_skipped(name: str, media_folder: Path) -> None:
    path = shape(name, media_folder)
    last = {59}
    assert _planned(path, last).frames_decoded < _planned(path, last, skip=False).frames_decoded


def test_hevc_with_temporal_layers_is_not_skipped(media_folder: Path) -> None:
    with opened(shape("hevc_layers", media_folder), MAX_PIXELS) as source:
        assert not scan_packets(source).can_skip


def test_large_files_are_read_twice_with_the_same_result(
    media_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shape("h264_ts", media_folder)
    kept = _planned(path, {7, 33})
    monkeypatch.setattr("bitreel.video.source._KEPT_BYTES", 1000)
    again = _planned(path, {7, 33})
    assert all(np.array_equal(kept.pictures[k], again.pictures[k]) for k in (7, 33))


def test_a_stream_cut_before_its_first_keyframe(media_folder: Path, tmp_path: Path) -> None:
    """As a recording that starts anywhere: frame 0 is the first that can be decoded."""
    source = make_video(tmp_path / "a.ts", 60, keyframe_interval=12, options={"bf": "3"})
    cut = remux(source, tmp_path / "cut.ts", keep=slice(5, None))
    planned = _planned(cut, {0, 20})
    assert read_numbers(np.stack([planned.pictures[0], planned.pictures[20]])) == [12, 32]


def test_a_splice_with_a_clock_that_jumps_back_keeps_its_order(tmp_path: Path) -> None:
    """Two transport streams joined, the later one first: shown in the order of the file."""
    late = make_video(tmp_path / "late.ts", 30, times_seconds=[30 + k / 25 for k in range(30)])
    early = make_video(tmp_path / "early.ts", range(30, 60), keyframe_interval=10)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(late.read_bytes() + early.read_bytes())
    clip = read_frames(joined, range(60), size=(112, 112))
    assert read_numbers(clip.frames) == list(range(60))
    assert (np.diff(clip.times_seconds) > 0).all()
