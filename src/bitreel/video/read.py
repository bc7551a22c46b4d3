"""Read the frames of a clip from a video file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitreel.clip import Clip, Damage, Segment
from bitreel.errors import ConfigError, VideoError
from bitreel.video.clip_options import (
    DEFAULT_SPACING_SECONDS,
    ClipOptions,
    check_decoding,
    check_range,
)
from bitreel.video.decode import Decoded, decode_planned, decode_whole
from bitreel.video.picture import PictureMaker
from bitreel.video.sampling import Picks
from bitreel.video.scan import Scan, scan_packets, times_of_decoded
from bitreel.video.source import MAX_PIXELS, Source, opened, shown

# From the times of all frames and the duration to the frames to pick.
_Choose = Callable[[NDArray[np.float64], float], Picks]


def read_clip(
    path: str | Path,
    *,
    frames: int,
    snippet: int = 1,
    spacing_seconds: float = DEFAULT_SPACING_SECONDS,
    size: tuple[int, int] | None = None,
    start_seconds: float = 0.0,
    end_seconds: float | None = None,
    threads: int = 1,
    max_pixels: int = MAX_PIXELS,
) -> Clip:
    """The `frames` frames at the middles of as many equal parts of a segment of a video.

    For what looks at motion, each comes with its neighbours in time: a snippet of `snippet` frames,
    `spacing_seconds` apart but never the same frame twice while the segment has others, and never
    outside of it. `frames` of the clip then holds each frame once (see `Clip.snippet_frames`).

    The segment is [start_seconds, end_seconds) on the clock whose 0 is the first shown frame; to
    the end by default. One that holds fewer frames than asked for gives some more than once. The
    frames are uint8 [T,H,W,3], RGB, upright, scaled to `size` = (height, width) without keeping the
    aspect ratio, or as stored; `times_seconds` are the true times of the frames given. The result
    does not depend on `threads`.

    What could be read of a damaged file comes with a truthy `damage`. Raises UnreadableVideo,
    NoVideoStream, VideoTooLarge, VideoError (the segment starts beyond the end) and ConfigError.
    """
    options = ClipOptions(frames, snippet, spacing_seconds, size)
    check_decoding(threads=threads, max_pixels=max_pixels)
    check_range(start_seconds, end_seconds)
    with opened(path, max_pixels) as source:
        scan = scan_packets(source)
        return read_range(source, scan, options, start_seconds, end_seconds, threads=threads)


def read_range(
    source: Source,
    scan: Scan,
    options: ClipOptions,
    start_seconds: float,
    end_seconds: float | None,
    *,
    threads: int = 1,
) -> Clip:
    """The clip of one range of an open and scanned video. Raises as `read_clip`."""

    def choose(times: NDArray[np.float64], duration_seconds: float) -> Picks:
        try:
            return options.picks(
                times,
                duration_seconds=duration_seconds,
                start_seconds=start_seconds,
                end_seconds=end_seconds,
            )
        except VideoError as error:
            raise VideoError(f"{shown(source.path)}: {error}") from None

    picked = _pick(source, scan, choose, options.size, threads)
    end = picked.duration_seconds
    if end_seconds is not None and end_seconds < end:
        end = end_seconds
    return picked.clip(source.path, min(start_seconds, end), end)


def read_frames(
    path: str | Path,
    indices: Sequence[int] | NDArray[np.integer],
    *,
    size: tuple[int, int] | None = None,
    threads: int = 1,
    max_pixels: int = MAX_PIXELS,
) -> Clip:
    """Exactly the frames with these numbers, counted from 0 in the order they are shown.

    The indices must not fall (`times_seconds` never decreases); repeats are allowed. Otherwise as
    `read_clip`. Raises also VideoError when the video has no frame of that number.
    """
    wanted = np.asarray(indices, np.int64)
    check_decoding(frames=wanted.size, size=size, threads=threads, max_pixels=max_pixels)
    if wanted.ndim != 1 or wanted[0] < 0 or np.any(np.diff(wanted) < 0):
        raise ConfigError(f"Frame numbers start at 0 and must not fall, got {list(indices)}.")

    def choose(times: NDArray[np.float64], duration_seconds: float) -> Picks:
        if wanted[-1] >= len(times):
            raise VideoError(
                f"{shown(path)} has {len(times)} frames, so there is no frame {wanted[-1]}. "
                f"The last one is number {len(times) - 1}."
            )
        return Picks(wanted, np.arange(wanted.size)[:, None], np.zeros(wanted.size, np.int64))

    with opened(path, max_pixels) as source:
        picked = _pick(source, scan_packets(source), choose, size, threads)
    return picked.clip(Path(path), float(picked.times_seconds[0]), picked.duration_seconds)


@dataclass(frozen=True, eq=False)
class _Picked:
    frames: NDArray[np.uint8]
    times_seconds: NDArray[np.float64]
    duration_seconds: float
    damage: Damage
    picks: Picks

    def clip(self, path: Path, start_seconds: float, end_seconds: float) -> Clip:
        return Clip(
            self.frames,
            self.times_seconds,
            Segment(path, start_seconds, end_seconds),
            self.damage,
            self.picks.snippets,
            self.picks.centres,
        )


def _pick(
    source: Source, scan: Scan, choose: _Choose, size: tuple[int, int] | None, threads: int
) -> _Picked:
    picked = _pick_planned(source, scan, choose, size, threads) if scan.trusted else None
    if picked is None:
        picked = _pick_whole(source, scan, choose, size, threads)
    if picked.damage and threads > 1:
        # Decoders conceal errors differently with more threads: one thread says what damage is.
        return _pick(source, scan, choose, size, 1)
    return picked


def _pick_planned(
    source: Source, scan: Scan, choose: _Choose, size: tuple[int, int] | None, threads: int
) -> _Picked | None:
    """None when frames are lost though the decoder saw no error: then the scan was not to be
    trusted, as with streams whose keyframes are none, or with packets that show no picture."""
    duration = scan.duration_seconds
    picks = choose(scan.times_seconds, duration)
    wanted = set(picks.indices.tolist())
    make_picture = PictureMaker(size)
    for lead in (0, 1):
        got = decode_planned(
            source, scan, wanted, make_picture=make_picture, threads=threads, lead=lead
        )
        lost = wanted - got.pictures.keys()
        if not lost:
            return _assemble(scan, got, picks, scan.times_seconds, duration)
        errors = got.packet_errors or got.corrupt_frames or scan.packet_errors
        if errors or all(map(scan.opens_broken, lost)):
            return _pick_nearest(source, scan, picks, got, make_picture)
    return None


def _pick_nearest(
    source: Source, scan: Scan, picks: Picks, got: Decoded, make: PictureMaker
) -> _Picked | None:
    """The nearest frame that came out stands in for each that is lost. None when nothing did."""
    wanted = set(picks.indices.tolist())
    stand_ins = {_nearest(k, got.seen) for k in wanted - got.pictures.keys() if got.seen}
    if stand_ins - got.pictures.keys():
        again = decode_planned(source, scan, wanted | stand_ins, make_picture=make, skip=False)
        got.pictures.update(again.pictures)
    if not got.pictures:
        return None
    return _assemble(scan, got, picks, scan.times_seconds, scan.duration_seconds)


def _nearest(number: int, available: Iterable[int]) -> int:
    return min(available, key=lambda other: (abs(other - number), other))


def _pick_whole(
    source: Source, scan: Scan, choose: _Choose, size: tuple[int, int] | None, threads: int
) -> _Picked:
    """Decode all, guessing the picks from the scan; again where the count was guessed wrong."""
    make_picture = PictureMaker(size)
    try:
        guess = choose(scan.times_seconds, scan.duration_seconds)
        wanted = set(guess.indices.tolist())
    except VideoError:
        wanted = set()  # beyond the end, by the guess: the count will tell
    got = decode_whole(source, wanted, make_picture=make_picture, threads=threads)
    if not got.seen:
        raise source.no_picture(got.first_error)
    times, frame_seconds = times_of_decoded(got.pts, source)
    duration = float(times[-1]) + frame_seconds
    picks = choose(times, duration)
    wanted = set(picks.indices.tolist())
    if not got.pictures.keys() >= wanted:
        got = decode_whole(source, wanted, make_picture=make_picture, threads=threads)
    if not got.pictures:
        raise source.no_picture(got.first_error)
    return _assemble(scan, got, picks, times, duration)


def _assemble(
    scan: Scan,
    got: Decoded,
    picks: Picks,
    times: NDArray[np.float64],
    duration_seconds: float,
) -> _Picked:
    """The picked frames and their damage; the nearest stands in for one that did not come out."""
    indices = picks.indices.tolist()
    shown_frames = [k if k in got.pictures else _nearest(k, got.pictures) for k in indices]
    damage = Damage(
        packet_errors=got.packet_errors + scan.packet_errors,
        corrupt_frames=got.corrupt_frames,
        replaced_frames=sum(k not in got.pictures for k in indices),
        missing_frames=scan.missing_frames,
    )
    frames = np.stack([got.pictures[k] for k in shown_frames])
    return _Picked(frames, times[shown_frames], duration_seconds, damage, picks)
