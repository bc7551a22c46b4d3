"""Open one local video file and hand out its packets. Whatever goes wrong ends in VideoError."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer

from bitreel.errors import NoVideoStream, UnreadableVideo, VideoTooLarge

MAX_PIXELS = 4096 * 4096  # a frame: 4K, square or wide, and no more

# What a damaged file makes PyAV raise. UnicodeDecodeError is a ValueError.
DECODER_ERRORS = (av.error.FFmpegError, OSError, ValueError, OverflowError, ZeroDivisionError)

# Playlists, stream descriptions and text formats are left out: they open other files or sockets.
_VIDEO_FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vvc,av1,obu,ivf,flv,live_flv,asf,"
    "gif,ogg,nut,mxf,rm,dv,wtv,vc1,h261,h263,mjpeg,mjpeg_2000,cavsvideo,dirac,swf,amv,nsv,nuv,gxf,"
    "lxf,roq,smjpeg,yuv4mpegpipe,apng,png_pipe,jpeg_pipe,bmp_pipe,webp,webp_pipe,tiff_pipe"
)
_AUDIO_FORMATS = "mp3,wav,w64,flac,aac,ac3,eac3,aiff,amr,caf,dts,ape,wv,tta,au"  # to say so by name
_KEPT_BYTES = 32 << 20  # packets of a small file stay in memory, so that it is read only once
_STALLED_SECONDS = 60.0  # of waiting for one packet, after which the disk is taken for dead


def shown(path: str | Path) -> str:
    """The path as text that any terminal can print, whatever bytes its name is made of."""
    return os.fsencode(path).decode("utf-8", "replace")


class Source:
    """An open file and its first video stream that is not a cover picture.

    `packets()` gives the stream's packets in file order, as often as it is called: a small file's
    are kept, a large file is opened again (rewinding is not exact in every container).
    """

    def __init__(self, path: Path, max_pixels: int) -> None:
        self.path = path
        self.max_pixels = max_pixels
        self.container = _open(path, max_pixels)
        try:
            self.stream = _video_stream(self.container, path)
            self._check_size()
        except BaseException:
            self.container.close()
            raise
        self.read_errors = 0  # times that the container could not be read further
        self.empty_packets = 0
        self.end_seconds = 0.0  # of the last packet of any stream that was read
        self._kept: list[av.Packet[av.VideoStream]] | None = None
        self._is_small = True  # as far as it is known
        self._read = False

    def packets(self) -> Iterator[av.Packet[av.VideoStream]]:
        """Packets of the video stream, none empty. Ends, and counts it, where reading fails."""
        if self._kept is not None:
            yield from self._kept
            return
        if self._read:
            self._reopen()
        self._read = True
        self.read_errors = self.empty_packets = 0
        kept: list[av.Packet[av.VideoStream]] = []
        kept_bytes = 0
        for packet in self._demux():
            kept_bytes += packet.size
            self._is_small &= kept_bytes <= _KEPT_BYTES
            if self._is_small:
                kept.append(packet)
            else:
                kept.clear()
            yield packet
        if self._is_small:
            self._kept = kept

    def decoder(self, threads: int) -> av.VideoCodecContext:
        """A new decoder for the stream. (Flushing a used one would not do: decoders keep what they
        have learned, and a second pass over a damaged file would give other frames.)"""
        if self.stream.codec_context.is_open:
            self._reopen()
        context = self.stream.codec_context
        context.thread_count = threads
        context.thread_type = "AUTO"
        context.options = _decoder_options(self.max_pixels)
        return context

    def no_picture(self, first_error: Exception | None) -> UnreadableVideo | VideoTooLarge:
        """What to raise when not one picture came out of the decoder."""
        context = self.stream.codec_context
        if not context.width and getattr(first_error, "errno", None) == errno.EINVAL:
            # The decoder met the size first, and refused it without telling it.
            return VideoTooLarge(
                f"{shown(self.path)} has frames of more than {self.max_pixels} pixels, the limit. "
                f"Scale the video down, or raise max_pixels if the machine has the memory."
            )
        return UnreadableVideo(
            f"Not one picture of {shown(self.path)} can be decoded. Copy or download it again."
        )

    def close(self) -> None:
        self._kept = None
        self.container.close()

    def _demux(self) -> Iterator[av.Packet[av.VideoStream]]:
        # Where the header gives no number of frames, the end of the other streams tells whether
        # the file was cut.
        streams = (self.stream,) if self.stream.frames else ()
        try:
            for packet in self.container.demux(*streams):
                if not packet.size:  # the flush packet, or an AVI's repeated frame: it would drain
                    self.empty_packets += 1
                    continue
                if packet.pts is not None and packet.time_base:
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    self.end_seconds = max(self.end_seconds, end)
                if packet.stream_index == self.stream.index:
                    yield cast("av.Packet[av.VideoStream]", packet)
        except IndexError:
            # PyAV 18 stumbles at the end of a file over a stream that appeared while reading, as in
            # TS. Every packet has been given by then.
            pass
        except DECODER_ERRORS:
            self.read_errors += 1

    def _reopen(self) -> None:
        self.container.close()
        self.container = _open(self.path, self.max_pixels)
        self.stream = _video_stream(self.container, self.path)
        self._read = False

    def _check_size(self) -> None:
        context = self.stream.codec_context
        if context.width * context.height > self.max_pixels:
            raise VideoTooLarge(
                f"{shown(self.path)} has frames of {context.width} x {context.height} pixels, more "
                f"than the limit of {self.max_pixels} pixels a frame. Scale the video down, or "
                f"raise max_pixels if the machine has the memory."
            )


@contextmanager
def opened(path: str | Path, max_pixels: int) -> Iterator[Source]:
    """Open a local regular file. Raises UnreadableVideo, NoVideoStream, VideoTooLarge."""
    path = Path(path)
    _check_file(path)
    source = Source(path, max_pixels)
    try:
        yield source
    finally:
        source.close()


def _check_file(path: Path) -> None:
    name = shown(path)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise UnreadableVideo(f"{name} does not exist. Check the path.") from None
    except (OSError, ValueError) as error:
        raise UnreadableVideo(f"{name} can not be opened: {error}. Check the path.") from None
    if stat.S_ISDIR(status.st_mode):
        raise UnreadableVideo(f"{name} is a folder, not a video. Give the files in it.")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableVideo(
            f"{name} is a pipe, a socket or a device, and only regular files are read. "
            f"Save the video to a file first."
        )
    if status.st_size == 0:
        raise UnreadableVideo(f"{name} is empty (0 bytes). Copy or download it again.")
    try:
        path.open("rb").close()
    except OSError as error:
        raise UnreadableVideo(
            f"{name} may not be read: {error.strerror}. Check the permissions of the file."
        ) from None


def _open(path: Path, max_pixels: int) -> InputContainer:
    try:
        # "file:" keeps a name such as "http:x.mp4" from being taken for an address.
        return av.open(
            f"file:{path.absolute()}",
            metadata_errors="replace",
            options=_decoder_options(max_pixels),
            container_options={
                "format_whitelist": f"{_VIDEO_FORMATS},{_AUDIO_FORMATS}",
                "protocol_whitelist": "file",
            },
            timeout=(_STALLED_SECONDS, _STALLED_SECONDS),
        )
    except DECODER_ERRORS as error:
        raise UnreadableVideo(
            f"{shown(path)} can not be read as a video: {_cause(path, error)}. "
            f"If it should be one, copy or download it again."
        ) from error


def _decoder_options(max_pixels: int) -> dict[str, str]:
    # Decoders count the padding to whole blocks as well, and must not refuse it.
    return {"max_pixels": str(max_pixels + max_pixels // 4 + 65_536)}


def _cause(path: Path, error: Exception) -> str:
    if getattr(error, "errno", None) == errno.EINVAL:
        return "it is a kind of file that is not read as video"
    with path.open("rb") as file:
        if file.read(8)[4:] == b"ftyp":
            return "it is an mp4 or mov file without a usable index (it was cut or never finished)"
    return "its content is damaged or is no video"


def _video_stream(container: InputContainer, path: Path) -> av.VideoStream:
    videos = container.streams.video
    pictures = [s for s in videos if s.disposition & av.stream.Disposition.attached_pic]
    for stream in videos:
        if stream in pictures:
            continue
        if stream.codec_context is None:
            raise UnreadableVideo(
                f"{shown(path)} is coded in a way that no decoder here knows. Convert it to H.264."
            )
        return stream
    held = "nothing but a cover picture" if pictures else "no video"
    sound = " beside its sound" if container.streams.audio else ""
    raise NoVideoStream(f"{shown(path)} holds {held}{sound}. Leave it out of the collection.")
