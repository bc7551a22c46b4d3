"""What an exported file holds, whatever its format."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xxhash

from bitreel.errors import CodesError, ConfigError
from bitreel.library.columns import SegmentColumns, VideoColumns
from bitreel.version import __version__
from bitreel.video import Segmenting

FORMAT = "bitreel codes"
FORMAT_VERSION = 1
BIT_ORDER = "big"
_BIT_ORDER_IN_WORDS = (
    "big: the first bit is the highest of the first byte; where the width is no multiple of 8, "
    "the last byte ends in zero bits"
)


@dataclass(frozen=True, eq=False)
class Exported:
    """All indexed videos of a library, their segments and codes.

    fingerprint: of the model that made the codes. segmenting: how the videos were cut. bitreel: the
    version that wrote them. Raises ValueError where a segment is of none of the videos, or a video
    has no segment.
    """

    fingerprint: str
    segmenting: Segmenting
    videos: VideoColumns
    segments: SegmentColumns
    bitreel: str = __version__

    def __post_init__(self) -> None:
        if not self.fingerprint:
            raise ValueError("expected the fingerprint of the model")
        rows = self.videos.rows(self.segments.video_ids)
        without = int(np.count_nonzero(np.bincount(rows, minlength=len(self.videos)) == 0))
        if without:
            raise ValueError(f"expected segments of every video, got {without} videos without")

    @property
    def bits(self) -> int:
        return self.segments.codes.bits

    def about(self) -> str:
        """What stands in every file beside the columns, as JSON."""
        facts = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "bitreel": self.bitreel,
            "bits": self.bits,
            "bytes_a_code": (self.bits + 7) // 8,
            "bit_order": BIT_ORDER,
            "bit_order_in_words": _BIT_ORDER_IN_WORDS,
            "fingerprint": self.fingerprint,
            "segmenting": asdict(self.segmenting),
            "videos": len(self.videos),
            "segments": len(self.segments),
            "checksum": checksum(self.segments),
        }
        return json.dumps(facts)


@dataclass(frozen=True)
class About:
    """What a file says of itself, as `Exported.about` writes it."""

    bits: int
    fingerprint: str
    segmenting: Segmenting
    bitreel: str
    videos: int
    segments: int
    checksum: str

    @classmethod
    def parse(cls, text: str | bytes) -> About:
        """Raises CodesError, without the name of the file, where it is not ours or is newer."""
        try:
            facts = json.loads(text)
            if facts["format"] != FORMAT:
                raise CodesError(f"it is of another format ({facts['format']!r})")
            if facts["format_version"] != FORMAT_VERSION:
                raise CodesError(_other_version(facts))
            return cls._checked(facts)
        except (ValueError, KeyError, TypeError, RecursionError, ConfigError) as error:
            raise CodesError(f"what it says of itself makes no sense ({error!r})") from error

    @classmethod
    def _checked(cls, facts: dict[str, Any]) -> About:
        if facts["bit_order"] != BIT_ORDER:
            raise CodesError(f"its bit order is {facts['bit_order']!r}, and not {BIT_ORDER!r}")
        about = cls(
            int(facts["bits"]),
            str(facts["fingerprint"]),
            Segmenting(**facts["segmenting"]),
            str(facts["bitreel"]),
            int(facts["videos"]),
            int(facts["segments"]),
            str(facts["checksum"]),
        )
        if not 1 <= about.bits <= 1 << 20 or min(about.videos, about.segments) < 0:
            raise ValueError("counts out of range")
        return about

    def exported(self, videos: VideoColumns, segments: SegmentColumns) -> Exported:
        """With the columns, which must be those that it was written with. Raises CodesError."""
        if (len(videos), len(segments)) != (self.videos, self.segments):
            raise CodesError(
                f"it holds {len(videos)} videos and {len(segments)} segments in place of "
                f"{self.videos} and {self.segments}"
            )
        if checksum(segments) != self.checksum:
            raise CodesError("its codes are not those that were written")
        return Exported(self.fingerprint, self.segmenting, videos, segments, self.bitreel)


def checksum(segments: SegmentColumns) -> str:
    """XXH3 of ids and codes: a FAISS index and the file beside it belong together by it."""
    hashed = xxhash.xxh3_64(segments.ids.astype("<i8").tobytes())
    hashed.update(np.ascontiguousarray(segments.codes.packed).data)
    return f"xxh3:{hashed.hexdigest()}"


def _other_version(facts: dict[str, Any]) -> str:
    return (
        f"it was written by bitreel {facts.get('bitreel', 'unknown')} in version "
        f"{facts['format_version']!r} of the format, and this one ({__version__}) reads version "
        f"{FORMAT_VERSION}. Read it with that bitreel, or export again with this one"
    )
