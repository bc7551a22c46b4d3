"""The packets of a video file: exact counts and times without decoding."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from bitreel.errors import UnreadableVideo
from bitreel.video.source import Source, shown

# The containers whose packets carry true presentation times. Everything else (AVI with packed
# B-frames, MPEG-PS, ASF, GIF, raw streams) is decoded whole, in output order.
_TRUSTED_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "flv"}
_PLACEHOLDER_BYTES = 19  # FFmpeg's MAX_NVOP_SIZE: an MPEG-4 packet that only stands for a B-frame
_PROGRESSIVE = (0, 1)  # AV_FIELD_UNKNOWN, AV_FIELD_PROGRESSIVE
_FALLBACK_RATE = Fraction(25)


@dataclass(frozen=True, eq=False)
class Scan:
    """The packets of the video stream, P in file order, and the N frames that are shown of them.

    Where `trusted`, frame k is the k-th in time, `times_seconds[k]` is exact, and packet
    `packet_of_frame[k]` with `packet_pts` holds it. Elsewhere count and times are a first guess.
    """

    path: Path
    container: str
    codec: str
    trusted: bool
    times_seconds: NDArray[np.float64]  # [N], the first is 0
    frame_seconds: float  # how long the last frame is shown
    packet_of_frame: NDArray[np.int64]  # [N]
    packet_pts: NDArray[np.int64]  # [P], in units of the stream; 0 where the file has none
    packet_is_key: NDArray[np.bool_]  # [P]
    can_skip: bool  # frames that nothing refers to are told by their headers
    missing_frames: int  # promised by the header beyond what the file holds; 0 within tolerance
    packet_errors: int  # marked as corrupt by the container, or not to be read at all

    @property
    def frame_count(self) -> int:
        return len(self.times_seconds)

    @property
    def duration_seconds(self) -> float:
        return float(self.times_seconds[-1]) + self.frame_seconds

    def opens_broken(self, frame: int) -> bool:
        """Whether a frame is shown before the first keyframe that comes before it in the file: it
        may refer to a group of pictures that was cut off."""
        keys = np.flatnonzero(self.packet_is_key)
        pts = self.packet_pts[self.packet_of_frame[frame]]
        return bool(len(keys) and pts < self.packet_pts[keys[0]])


def scan_packets(source: Source) -> Scan:
    """Read every packet once. Raises UnreadableVideo when there is none."""
    packets = _Packets(source)
    if not packets.shown:
        raise UnreadableVideo(
            f"{shown(source.path)} holds no frame. It was cut or never finished: copy it again."
        )
    trusted = packets.trusted(source)
    rate = nominal_rate(source.stream)
    order = packets.display_order() if trusted else packets.shown
    times, frame_seconds = packets.times(order, rate, by_pts=trusted)
    return Scan(
        path=source.path,
        container=source.container.format.name,
        codec=source.stream.codec_context.name,
        trusted=trusted,
        times_seconds=times,
        frame_seconds=frame_seconds,
        packet_of_frame=np.array(order, np.int64),
        packet_pts=np.array([pts or 0 for pts in packets.pts], np.int64),
        packet_is_key=np.array(packets.is_key, np.bool_),
        can_skip=packets.can_skip,
        missing_frames=_missing(source, packets, rate) + _missing_between(source, times),
        packet_errors=source.read_errors + packets.corrupt,
    )


class _Packets:
    """The columns of the scan, one row a packet."""

    def __init__(self, source: Source) -> None:
        self.pts: list[int | None] = []
        self.is_key: list[bool] = []
        self.shown: list[int] = []  # packet numbers
        self.durations: list[int] = []
        self.time_base = source.stream.time_base or Fraction(0)
        self.orderly = True  # decoding times never fall: no splice, no wrapped clock
        self.has_placeholders = False
        self.corrupt = 0
        self.headless = 0  # shown frames before the first keyframe
        context = source.stream.codec_context
        is_vp8, is_hevc = context.name == "vp8", context.name == "hevc"
        self.can_skip = context.name == "h264" or (is_hevc and _has_wide_lengths(context))
        last_dts: int | None = None
        for number, packet in enumerate(source.packets()):
            self.pts.append(packet.pts)
            self.is_key.append(packet.is_keyframe)
            self.durations.append(packet.duration or 0)
            self.corrupt += packet.is_corrupt
            self.has_placeholders |= packet.size <= _PLACEHOLDER_BYTES
            if packet.dts is not None:
                self.orderly &= last_dts is None or packet.dts >= last_dts
                last_dts = packet.dts
            # Bit 4 of a VP8 frame is show_frame (RFC 6386, 9.1): alternate references have none.
            hidden = packet.is_discard or (is_vp8 and not memoryview(packet)[0] & 0x10)
            if not hidden:
                self.shown.append(number)
            if is_hevc and self.can_skip:
                # nuh_temporal_id_plus1 (H.265, 7.3.1.2): HEVC marks the frames that no frame of
                # their own temporal layer refers to, so it can be relied on in the lowest only.
                self.can_skip = packet.size > 5 and memoryview(packet)[5] & 7 == 1

    def display_order(self) -> list[int]:
        """The shown packets by time. What comes before the first keyframe can not be decoded."""
        first_key = self.is_key.index(True) if any(self.is_key) else 0
        decodable = [n for n in self.shown if n >= first_key] or self.shown
        self.headless = len(self.shown) - len(decodable)
        return sorted(decodable, key=lambda n: self.pts[n] or 0)

    def trusted(self, source: Source) -> bool:
        name, context = source.container.format.name, source.stream.codec_context
        # In a transport stream each field of an interlaced picture may be a packet of its own.
        fields = name == "mpegts" and context.field_order not in _PROGRESSIVE
        packed = context.name == "mpeg4" and self.has_placeholders
        known = {pts for pts in self.pts if pts is not None}
        return (
            name in _TRUSTED_CONTAINERS
            and self.time_base > 0
            and len(known) == len(self.pts)
            and self.orderly
            and not fields
            and not packed
        )

    def times(
        self, order: list[int], rate: Fraction, *, by_pts: bool
    ) -> tuple[NDArray[np.float64], float]:
        if not by_pts:
            return np.arange(len(order)) / float(rate), float(1 / rate)
        times = seconds_from_pts([self.pts[n] or 0 for n in order], self.time_base)
        last = float(self.durations[order[-1]] * self.time_base)
        if last <= 0:
            last = float(np.median(np.diff(times))) if len(times) > 1 else float(1 / rate)
        return times, last


def _has_wide_lengths(context: av.VideoCodecContext) -> bool:
    """Whether a unit starts at byte 4 of a packet: a length of 4 bytes, or a long start code."""
    header = context.extradata or b""
    return not header.startswith(b"\x01") or (len(header) > 21 and header[21] & 3 == 3)


def seconds_from_pts(pts: list[int], time_base: Fraction) -> NDArray[np.float64]:
    """Seconds since the first, in whole numbers first: a damaged pts may be near ±2^63."""
    ticks = np.array([p - pts[0] for p in pts], np.float64)
    return ticks * time_base.numerator / time_base.denominator


def times_of_decoded(pts: list[int | None], source: Source) -> tuple[NDArray[np.float64], float]:
    """Times of frames in output order, and the length of the last: their own times where these
    rise, as in GIF; the constant rate where they do not, as in AVI with packed B-frames."""
    rate, base = nominal_rate(source.stream), source.stream.time_base or Fraction(0)
    known = [p for p in pts if p is not None]
    if base > 0 and len(known) == len(pts) and all(a < b for a, b in pairwise(known)):
        times = seconds_from_pts(known, base)
        return times, float(np.median(np.diff(times))) if len(times) > 1 else float(1 / rate)
    return np.arange(len(pts)) / float(rate), float(1 / rate)


def nominal_rate(stream: av.VideoStream) -> Fraction:
    """Frames a second, as the file states them; 25 where it does not."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= 1000:
            return rate
    return _FALLBACK_RATE


def _missing(source: Source, packets: _Packets, rate: Fraction) -> int:
    """Frames that the header promises and the file does not hold, when clearly more than the one
    or two by which healthy files miscount."""
    container, found = source.container, len(packets.pts)
    if container.format.name != "mpegts":  # a recording off the air starts anywhere
        found -= packets.headless
    if source.stream.frames > 0:
        lost = source.stream.frames - found - source.empty_packets
        return lost if lost > 2 or packets.headless else 0
    if container.format.name not in ("matroska,webm", "flv", "asf") or not container.duration:
        return 0
    lost = int((container.duration / 1e6 - source.end_seconds) * rate)
    return lost if lost > 3 + found // 50 else 0


def _missing_between(source: Source, times: NDArray[np.float64]) -> int:
    """Frames missing in the gaps of a steady stream, in containers that skip what is damaged
    without a word. (The index of an mp4 knows of every frame.)"""
    spacing = np.diff(times)
    if source.container.format.name not in ("matroska,webm", "mpegts", "flv") or len(spacing) < 8:
        return 0
    nominal = float(np.median(spacing))
    jitter = 0.1 * nominal + 0.0011  # Matroska and FLV round to milliseconds
    if nominal <= 0 or np.mean(np.abs(spacing - nominal) <= jitter) < 0.9:
        return 0
    gaps = spacing[spacing > 1.5 * nominal + 0.0011]
    return int(np.sum(np.rint(gaps / nominal) - 1))
