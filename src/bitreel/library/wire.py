"""What became of a video as bytes, on the way from the machine that read it: JSON, no pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from bitreel import errors
from bitreel.clip import Segment
from bitreel.errors import BitreelError, VideoError
from bitreel.library.encoding import CodedVideo, Read
from bitreel.library.records import CodedSegment
from bitreel.library.urls import OutOfReach

_Error = TypeVar("_Error", bound=BitreelError)


def to_wire(read: Read) -> bytes:
    """The inverse of `from_wire`, where an error of a kind of its own becomes a VideoError."""
    facts: dict[str, Any] = {"content": None if read.content is None else read.content.hex()}
    if isinstance(read.coded, VideoError):
        facts["error"] = [type(read.coded).__name__, str(read.coded)]
    elif read.coded is not None:
        facts["segments"] = [
            [coded.segment.start_seconds, coded.segment.end_seconds, coded.code.hex()]
            for coded in read.coded.segments
        ]
        facts |= {"damage": read.coded.damage, "is_whole": read.coded.is_whole}
    return json.dumps(facts).encode()


def refusal(error: BitreelError) -> bytes:
    """Why a machine can encode nothing, in place of what became of a video."""
    return json.dumps({"refused": [type(error).__name__, str(error)]}).encode()


def from_wire(path: Path, data: bytes) -> Read:
    """What became of the video at `path`. Raises the error of a `refusal`."""
    facts = json.loads(data)
    if "refused" in facts:
        name, message = facts["refused"]
        raise _kind(name, BitreelError)(message)
    content = None if facts["content"] is None else bytes.fromhex(facts["content"])
    if "error" in facts:
        name, message = facts["error"]
        return Read(content, _kind(name, VideoError)(message))
    if "segments" not in facts:
        return Read(content, None)
    segments = [
        CodedSegment(Segment(path, start, end), bytes.fromhex(code))
        for start, end, code in facts["segments"]
    ]
    return Read(content, CodedVideo(segments, facts["damage"], facts["is_whole"]))


def _kind(name: str, base: type[_Error]) -> type[_Error]:
    """Of the tree, or else its branch."""
    found = OutOfReach if name == OutOfReach.__name__ else getattr(errors, name, base)
    return found if isinstance(found, type) and issubclass(found, base) else base
