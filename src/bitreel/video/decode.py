"""Decode the wanted frames of a video: by plan where times can be trusted, else all in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import av
import numpy as np
from numpy.typing import NDArray

from bitreel.video.picture import PictureMaker
from bitreel.video.plan import Run, plan_runs
from bitreel.video.scan import Scan
from bitreel.video.source import DECODER_ERRORS, Source


@dataclass
class Tally:
    """What the decoder met with in one pass."""

    frames_decoded: int = 0
    packet_errors: int = 0
    first_error: Exception | None = None
    corrupt_frames: int = 0

    def picture(self, frame: av.VideoFrame, make_picture: PictureMaker) -> NDArray[np.uint8] | None:
        """The picture of a frame; None, and counted, where its format can not become RGB."""
        try:
            return make_picture(frame)
        except DECODER_ERRORS as error:
            self.corrupt_frames += 1
            self.first_error = self.first_error or error
            return None


@dataclass
class Decoded(Tally):
    """What one pass gave. Frame numbers count shown frames from 0."""

    pictures: dict[int, NDArray[np.uint8]] = field(default_factory=dict)  # by frame number
    seen: list[int] = field(default_factory=list)  # frame numbers that came out, wanted or not
    pts: list[int | None] = field(default_factory=list)  # of every frame of a whole pass

    def take(self, number: int, frame: av.VideoFrame, make_picture: PictureMaker) -> None:
        picture = self.picture(frame, make_picture)
        if picture is not None:
            self.pictures[number] = picture


class _Decoder:
    """The decoder of a source, which counts its errors in place of raising them."""

    def __init__(self, source: Source, threads: int, tally: Tally) -> None:
        self.context = source.decoder(threads)
        self.tally = tally

    def feed(self, packet: av.Packet[av.VideoStream] | None) -> list[av.VideoFrame]:
        try:
            frames = self.context.decode(packet)
        except av.error.EOFError:  # a decoder that was drained twice; it has nothing more to give
            return []
        except DECODER_ERRORS as error:
            self.tally.packet_errors += 1
            self.tally.first_error = self.tally.first_error or error
            return []
        self.tally.frames_decoded += len(frames)
        return frames

    def drain(self) -> list[av.VideoFrame]:
        """The frames still held back; the decoder can then start anywhere."""
        frames = self.feed(None)
        self.context.flush_buffers()
        return frames


def planned_frames(
    source: Source,
    scan: Scan,
    wanted: NDArray[np.bool_],
    tally: Tally,
    *,
    threads: int = 1,
    lead: int = 0,
    skip: bool = True,
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Frames of a trusted scan with their numbers, as they come out of the decoder.

    wanted: bool [N], of each shown frame. Only the groups of pictures that the wanted ones are in
    are fed. With `skip`, frames between the wanted ones that nothing refers to are not decoded at
    all; the wanted ones are bit-identical either way.
    """
    wanted_packet = np.zeros(len(scan.packet_pts), np.bool_)
    wanted_packet[scan.packet_of_frame[wanted]] = True
    packets = np.flatnonzero(wanted_packet)
    runs = plan_runs(scan.packet_is_key, scan.packet_pts, packets.tolist(), lead=lead)
    shown_pts = scan.packet_pts[scan.packet_of_frame]  # rising: frames are numbered by time
    decoder = _Decoder(source, threads, tally)
    skippable = ~wanted_packet if skip and scan.can_skip else None
    for run, frames in _feed_runs(source, decoder, runs, skippable):
        opens_at = scan.packet_pts[run.first]
        for frame in frames:
            number = _number_of(frame, shown_pts)
            if (number is None or not wanted[number]) and (
                frame.pts is None or frame.pts < opens_at
            ):
                continue  # shown before the keyframe the run starts at: its references were not fed
            tally.corrupt_frames += frame.is_corrupt
            if number is not None:
                yield number, frame


def decode_planned(
    source: Source,
    scan: Scan,
    wanted: Collection[int],
    *,
    make_picture: PictureMaker,
    threads: int = 1,
    lead: int = 0,
    skip: bool = True,
) -> Decoded:
    """Decode the frames with these numbers, as `planned_frames` does, and keep their pictures."""
    mask = np.zeros(scan.frame_count, np.bool_)
    mask[list(wanted)] = True
    result = Decoded()
    frames = planned_frames(source, scan, mask, result, threads=threads, lead=lead, skip=skip)
    for number, frame in frames:
        result.seen.append(number)
        if mask[number]:
            result.take(number, frame, make_picture)
    return result


def _number_of(frame: av.VideoFrame, shown_pts: NDArray[np.int64]) -> int | None:
    if frame.pts is None:
        return None
    number = int(np.searchsorted(shown_pts, frame.pts))
    return number if number < len(shown_pts) and shown_pts[number] == frame.pts else None


def _feed_runs(
    source: Source,
    decoder: _Decoder,
    runs: tuple[Run, ...],
    skippable: NDArray[np.bool_] | None,
) -> Iterator[tuple[Run, list[av.VideoFrame]]]:
    upcoming = iter(runs)
    run = next(upcoming, None)
    for number, packet in enumerate(source.packets()):
        if run is None:
            return
        if number < run.first:
            continue
        if skippable is not None:
            decoder.context.skip_frame = "NONREF" if skippable[number] else "DEFAULT"
        yield run, decoder.feed(packet)
        if number == run.last:
            yield run, decoder.drain()
            run = next(upcoming, None)


def all_frames(source: Source, tally: Tally, *, threads: int = 1) -> Iterator[av.VideoFrame]:
    """Every frame in output order: the k-th that comes out is frame k."""
    decoder = _Decoder(source, threads, tally)
    for packet in source.packets():
        yield from _counted(decoder.feed(packet), tally)
    yield from _counted(decoder.drain(), tally)


def _counted(frames: list[av.VideoFrame], tally: Tally) -> Iterator[av.VideoFrame]:
    for frame in frames:
        tally.corrupt_frames += frame.is_corrupt
        yield frame


def decode_whole(
    source: Source,
    wanted: Collection[int],
    *,
    make_picture: PictureMaker,
    threads: int = 1,
) -> Decoded:
    """Decode every frame, and keep the pictures of those with these numbers."""
    result = Decoded()
    for number, frame in enumerate(all_frames(source, result, threads=threads)):
        result.seen.append(number)
        result.pts.append(frame.pts)
        if number in wanted:
            result.take(number, frame, make_picture)
    return result
