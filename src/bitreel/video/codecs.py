"""Which videos this installation can read."""

from __future__ import annotations

import av
import av.codec

COMMON = ("h264", "hevc", "mpeg4", "vp9", "av1", "mpeg2video", "vp8", "mjpeg", "gif", "wmv3")


def decoders() -> dict[str, bool]:
    """Common codecs, each with whether there is a decoder for it."""
    return {name: _has_decoder(name) for name in COMMON}


def versions() -> str:
    """The decoding library and the FFmpeg inside it."""
    codec = ".".join(map(str, av.library_versions.get("libavcodec", ())))
    return f"PyAV {av.__version__}, libavcodec {codec}"


def _has_decoder(name: str) -> bool:
    try:
        av.codec.Codec(name, "r")
    except av.codec.codec.UnknownCodecError:
        return False
    return True
