"""One pass gives every segment the clip that reading it by itself gives."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from scenes import join, make_scenes, scene
from shapes import NAMES, UNTRUSTED, shape

from bitreel.clip import Clip
from bitreel.errors import ConfigError, UnreadableVideo, VideoError
from bitreel.video import Segmenting, clip_maker, read_clip, read_segments, write_video
from bitreel.video.clock import GrowingClock
from bitreel.video.decode import Tally, planned_frames
from bitreel.video.held import HeldFrames
from bitreel.video.picture import PictureMaker
from bitreel.video.scan import nominal_rate, times_of_decoded
from bitreel.video.shots import ShotFinder
from bitreel.video.source import MAX_PIXELS, opened
from media import damage_bytes, decode_all, truncate

read = partial(read_segments, frames=4, snippet=3, size=(32, 48))
read_one = partial(read_clip, frames=4, snippet=3, size=(32, 48))
SMALL = [
    Segmenting(0.5, 0.25),
    Segmenting(0.5, 0.25, False),
    Segmenting(0.7, 0.3),
    Segmenting(1, 1),
]


def by_itself(clip: Clip) -> Clip:
    span = clip.segment
    return read_one(span.path, start_seconds=span.start_seconds, end_seconds=span.end_seconds)


def same(one: Clip, other: Clip) -> bool:
    parts = ("frames", "times_seconds", "snippets", "centres")
    return one.segment == other.segment and all(
        np.array_equal(getattr(one, part), getattr(other, part)) for part in parts
    )


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [(name, 0.0, None) for name in NAMES]
    + [(name, 0.31, 2.0) for name in NAMES if name != "one_frame"],  # which has no range
)
def test_the_clip_of_each_segment_is_that_of_its_range(
    name: str, start: float, end: float | None, media_folder: Path
) -> None:
    """Every container and codec, B-frames, uneven times; decoded frames held in plenty or few."""
    path = shape(name, media_folder)
    for segmenting in SMALL:
        for held_bytes in (1 << 20, 0):
            clips = list(
                read(path, segmenting, start_seconds=start, end_seconds=end, held_bytes=held_bytes)
            )
            assert clips[0].segment.start_seconds == start
            for clip in clips:
                assert same(clip, by_itself(clip)), (segmenting, clip)
                assert not clip.damage
            for one, following in pairwise(clips):
                assert following.segment.start_seconds <= one.segment.end_seconds
            assert len(clips) > 1 or clip.segment.duration_seconds < segmenting.cut_from_seconds


def test_a_short_video_gives_the_clip_of_the_whole(media_folder: Path) -> None:
    for name in ("h264_b_frames", "mpeg4_avi_b_frames"):
        path = shape(name, media_folder)
        (clip,) = read(path, Segmenting())
        assert same(clip, read_one(path))
        (clip,) = read(path, Segmenting(0))
        assert same(clip, read_one(path))


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    folder = tmp_path_factory.mktemp("joined")
    lengths = [60, 110, 200, 35, 80, 160]
    return folder / "joined.mp4", join(make_scenes(folder, lengths), folder / "joined.mp4")


@pytest.mark.parametrize("container", ["mp4", "avi"])
def test_segments_begin_at_shot_borders(
    joined: tuple[Path, list[float]], container: str, tmp_path: Path
) -> None:
    path, starts = joined
    if container == "avi":
        frames = [frame.to_ndarray(format="rgb24") for frame in decode_all(path)]
        path = write_video(tmp_path / "joined.avi", frames, codec="mpeg4")  # type: ignore[arg-type]
    clips = list(read(path, Segmenting()))
    assert all(same(clip, by_itself(clip)) for clip in clips)
    begins = {round(clip.segment.start_seconds, 3) for clip in clips}
    assert begins >= {round(start, 3) for start in starts}
    for clip in clips:
        span = clip.segment
        assert not [s for s in starts if span.start_seconds < s - 0.01 < span.end_seconds - 0.05]
    uncut = list(read(path, Segmenting(shots=False)))
    assert [clip.segment.start_seconds for clip in uncut] == list(range(0, 22, 2))


def borders(*parts: np.ndarray, folder: Path, codec: str = "libx264") -> list[int]:
    path = write_video(folder / "a.mp4", np.concatenate(parts), codec=codec)
    finder, found = ShotFinder(), []
    for number, frame in enumerate(decode_all(path)):
        found.append(finder.push(number, frame))
        assert (finder.settled or 0) <= number
    return [number for number in [*found, *finder.finish()] if number is not None]


def test_hard_cuts_are_found_on_their_frame_and_no_others(tmp_path: Path) -> None:
    assert borders(scene(1, 50), scene(2, 30), scene(3, 40), folder=tmp_path) == [50, 80]
    assert borders(scene(1, 50), scene(2, 6), folder=tmp_path) == [50], "near the end"
    assert borders(scene(1, 5), scene(2, 60), folder=tmp_path) == [5], "near the start"


def test_motion_noise_flashes_and_fades_are_no_cuts(tmp_path: Path) -> None:
    assert borders(scene(4, 90), folder=tmp_path) == []
    noise = np.random.default_rng(0).integers(0, 256, (60, 48, 64, 3), dtype=np.uint8)
    assert borders(noise, folder=tmp_path) == []
    for length in (1, 2):
        flash = scene(5, 80)
        flash[40 : 40 + length] = 255
        assert borders(flash, folder=tmp_path) == []
    share = np.linspace(0, 1, 30)[:, None, None, None]
    one, other = scene(6, 90), scene(7, 90)
    fade = ((1 - share) * one[30:60] + share * other[30:60]).astype(np.uint8)
    assert borders(one[:30], fade, other[60:], folder=tmp_path) == []


@pytest.mark.parametrize("name", ["h264_full_range", "gif", "h264_444_odd_size", "vp9_odd_size"])
def test_cuts_are_looked_for_in_every_layout_of_pixels(name: str, media_folder: Path) -> None:
    finder = ShotFinder()
    for number, frame in enumerate(decode_all(shape(name, media_folder))):
        finder.push(number, frame)
    assert finder.settled is not None


def test_ten_bits_are_read_as_eight() -> None:
    picture = scene(1, 1)[0]
    plain = av.VideoFrame.from_ndarray(picture, format="rgb24")
    deep = plain.reformat(format="yuv420p10le")
    finder = ShotFinder()
    finder.push(0, plain.reformat(format="yuv420p"))
    finder.push(1, deep)
    assert finder._recent[1].amount < 1.5


# Damage


def test_a_damaged_video_gives_what_is_there(media_folder: Path, tmp_path: Path) -> None:
    """Every shape, cut or overwritten. Where reading a range meets no damage, the clip is its."""
    compared = 0
    for name in sorted({*NAMES} - {"one_frame", "mjpeg_avi"}):
        whole = shape(name, media_folder)
        harmed = [
            truncate(whole, tmp_path / f"cut_{whole.name}", 0.6),
            damage_bytes(whole, tmp_path / f"noise_{whole.name}", 0.45, 0.55),
        ]
        for path in harmed:
            for segmenting in SMALL[:2]:
                try:
                    clips = list(read(path, segmenting))
                except VideoError:
                    with pytest.raises(VideoError):
                        read_one(path)
                    continue
                for clip in clips:
                    alone = by_itself(clip)
                    assert alone.segment == clip.segment
                    found = alone.damage
                    if not found.packet_errors + found.corrupt_frames + found.replaced_frames:
                        assert same(clip, alone), (path.name, clip)
                        compared += 1
                if read_one(path).damage:
                    assert any(clip.damage for clip in clips), path.name
    assert compared > 100


def test_damage_is_told_once_and_near_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    path = tmp_path / "joined.ts"
    join(make_scenes(folder, [500]), path)
    harmed = damage_bytes(path, tmp_path / "harmed.ts", 0.5, 0.52)
    clips = list(read(harmed, Segmenting()))
    assert clips[-1].segment.end_seconds == pytest.approx(20, abs=0.1)
    told = [k for k, clip in enumerate(clips) if clip.damage.packet_errors]
    assert told
    assert not any(clip.damage for clip in clips[:2])


def test_segments_without_a_frame_are_left_out_and_the_rest_kept(
    joined: tuple[Path, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the decoder gives up midway."""
    path, _ = joined
    whole = list(read(path, Segmenting()))
    original = planned_frames

    def half(*args: object, **options: object) -> Iterator[tuple[int, av.VideoFrame]]:
        return (pair for pair in original(*args, **options) if pair[0] < 300)  # type: ignore[arg-type]

    monkeypatch.setattr(clip_maker, "planned_frames", half)
    for segmenting in (Segmenting(), Segmenting(shots=False)):
        clips = list(read(path, segmenting))
        assert 3 <= len(clips) < len(whole)
        assert clips[-1].segment.start_seconds < 12
        assert clips[-1].damage.missing_frames > 200
        assert not any(clip.damage for clip in clips[:2])
    monkeypatch.setattr(clip_maker, "planned_frames", lambda *args, **options: iter(()))
    with pytest.raises(UnreadableVideo, match="Not one picture"):
        list(read(path, Segmenting()))


def test_what_can_not_be_read_and_options_out_of_range(tmp_path: Path, media_folder: Path) -> None:
    with pytest.raises(UnreadableVideo, match="does not exist"):
        next(read_segments(tmp_path / "gone.mp4", Segmenting(), frames=4))
    path = shape("h264_b_frames", media_folder)
    with pytest.raises(VideoError, match="starts at 9 s, but the video ends at"):
        next(read_segments(path, Segmenting(), frames=4, start_seconds=9))
    for options in ({"frames": 0}, {"snippet": 0}, {"max_pixels": 0}):
        with pytest.raises(ConfigError):
            read(path, Segmenting(), **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="start_seconds < end_seconds"):
        read_segments(path, Segmenting(), frames=1, start_seconds=2, end_seconds=1)


# Times that are learned on the way


@pytest.mark.parametrize("name", sorted(UNTRUSTED))
def test_times_grow_to_those_of_the_whole(name: str, media_folder: Path) -> None:
    pts = [frame.pts for frame in decode_all(shape(name, media_folder))]
    with opened(shape(name, media_folder), MAX_PIXELS) as source:
        expected, frame_seconds = times_of_decoded(pts, source)
        base = source.stream.time_base or Fraction(0)
        clock = GrowingClock(base, nominal_rate(source.stream))
    for one in pts:
        clock.add(one)
    assert clock.table.tolist() == expected.tolist()
    assert clock.duration_seconds == float(expected[-1]) + frame_seconds


def test_times_that_stop_rising(tmp_path: Path) -> None:
    early = GrowingClock(Fraction(1, 10), Fraction(20))
    assert [early.add(pts) for pts in (0, 2, 1, 3)] == [False, False, True, False]
    assert early.table.tolist() == [0, 0.05, 0.1, 0.15]
    late = GrowingClock(Fraction(1, 10), Fraction(20))
    late.add(0)
    late.add(2)
    late.hold()
    assert not late.add(1)
    late.add(None)
    assert late.table.tolist() == pytest.approx([0, 0.2, 0.25, 0.3])


# Memory


def test_decoded_frames_are_held_within_the_budget(media_folder: Path) -> None:
    frames = decode_all(shape("h264_b_frames", media_folder))
    held = HeldFrames(PictureMaker((32, 48)), Tally(), budget_bytes=5 * 160 * 120 * 3 // 2)
    for number, frame in enumerate(frames):
        held.add(number, frame)
    assert held._decoded_bytes <= held._budget_bytes
    assert (len(held), len(held._pictures)) == (60, 57)  # lines are stored in whole blocks
    make = PictureMaker((32, 48))
    for number in (0, 30, 59):
        np.testing.assert_array_equal(held.picture(number), make(frames[number]))
    held.release(58)
    assert (len(held), held.picture(57), held.nearest(0)) == (2, None, 58)
    held.release(99)
    assert (len(held), held.nearest(0), held._decoded_bytes) == (0, None, 0)


MEMORY = """
import resource, sys
from bitreel.video import Segmenting, read_segments
for clip in read_segments(sys.argv[1], Segmenting(), frames=8, size=(64, 64)):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_megabytes(path: Path) -> int:
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return int(done.stdout)


@pytest.mark.slow
def test_an_hour_takes_no_more_memory_than_minutes(tmp_path: Path) -> None:
    """Beside the table of its packets: a hundred bytes for each of 90,000."""
    parts = make_scenes(tmp_path / "scenes", [75 + 25 * (k % 5) for k in range(40)])
    join(parts, tmp_path / "minutes.mp4")
    join(parts * 18, tmp_path / "hour.mp4")
    minutes, hour = (peak_megabytes(tmp_path / name) for name in ("minutes.mp4", "hour.mp4"))
    assert hour < minutes + 60, (minutes, hour)
