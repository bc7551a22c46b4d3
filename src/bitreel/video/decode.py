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
class Decoded:
    """What one pass gave. Frame numbers count shown frames from 0."""

    pictures: dict[int, NDArray[np.uint8]] = field(default_factory=dict)  # by frame number
    seen: list[int] = field(default_factory=list)  # frame numbers that came out, wanted or not
    pts: list[int | None] = field(default_factory=list)  # of every frame of a whole pass
    frames_decoded: int = 0
    packet_errors: int = 0
    first_error: Exception | None = None
    corrupt_frames: int = 0

    def take(self, number: int, frame: av.VideoFrame, make_picture: PictureMaker) -> None:
        try:
            self.pictures[number] = make_picture(frame)
        except DECODER_ERRORS as error:  # a frame of a format that can not be turned into RGB
            self.corrupt_frames += 1
            self.first_error = self.first_error or error


class _Decoder:
    """The decoder of a source, which counts its errors in place of raising them."""

    def __init__(self, source: Source, threads: int, result: Decoded) -> None:
        self.context = source.decoder(threads)
        self.result = result

    def feed(self, packet: av.Packet[av.VideoStream] | None) -> list[av.VideoFrame]:
        try:
            frames = self.context.decode(packet)
        except av.error.EOFError:  # a decoder that was drained twice; it has nothing more to give
            return []
        except DECODER_ERRORS as error:
            self.result.packet_errors += 1
            self.result.first_error = self.result.first_error or error
            return []
        self.result.frames_decoded += len(frames)
        return frames

    def drain(self) -> list[av.VideoFrame]:
        """The frames still held back; the decoder can then start anywhere."""
        frames = self.feed(None)
        self.context.flush_buffers()
        return frames


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
    """Decode the wanted frames of a trusted scan, feeding only the groups of pictures they are in.

    With `skip`, frames between the wanted ones that nothing refers to are not decoded at all; the
    wanted ones are bit-identical either way.
    """
    packets = {int(scan.packet_of_frame[k]): k for k in wanted}
    runs = plan_runs(scan.packet_is_key, scan.packet_pts, packets, lead=lead)
    frame_of_pts = {int(scan.packet_pts[p]): k for k, p in enumerate(scan.packet_of_frame)}
    result = Decoded()
    decoder = _Decoder(source, threads, result)
    may_skip = skip and scan.can_skip
    for run, frames in _feed_runs(source, decoder, runs, packets, may_skip=may_skip):
        opens_at = scan.packet_pts[run.first]
        for frame in frames:
            number = frame_of_pts.get(frame.pts) if frame.pts is not None else None
            if number not in wanted and (frame.pts is None or frame.pts < opens_at):
                continue  # shown before the keyframe the run starts at: its references were not fed
            result.corrupt_frames += frame.is_corrupt
            if number is None:
                continue
            result.seen.append(number)
            if number in wanted:
                result.take(number, frame, make_picture)
    return result


def _feed_runs(
    source: Source,
    decoder: _Decoder,
    runs: tuple[Run, ...],
    wanted_packets: Collection[int],
    *,
    may_skip: bool,
) -> Iterator[tuple[Run, list[av.VideoFrame]]]:
    upcoming = iter(runs)
    run = next(upcoming, None)
    for number, packet in enumerate(source.packets()):
        if run is None:
            return
        if number < run.first:
            continue
        if may_skip:
            decoder.context.skip_frame = "DEFAULT" if number in wanted_packets else "NONREF"
        yield run, decoder.feed(packet)
        if number == run.last:
            yield run, decoder.drain()
            run = next(upcoming, None)


def decode_whole(
    source: Source,
    wanted: Collection[int],
    *,
    make_picture: PictureMaker,
    threads: int = 1,
) -> Decoded:
    """Decode every frame in output order; frame k is the k-th that comes out."""
    result = Decoded()
    decoder = _Decoder(source, threads, result)
    for packet in source.packets():
        _collect(decoder.feed(packet), wanted, make_picture, result)
    _collect(decoder.drain(), wanted, make_picture, result)
    return result


def _collect(
    frames: list[av.VideoFrame],
    wanted: Collection[int],
    make_picture: PictureMaker,
    result: Decoded,
) -> None:
    for frame in frames:
        number = len(result.seen)
        result.seen.append(number)
        result.pts.append(frame.pts)
        result.corrupt_frames += frame.is_corrupt
        if number in wanted:
            result.take(number, frame, make_picture)
