"""What became of a video, on its way from another machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.clip import Segment
from bitreel.errors import BitreelError, ConfigError, NoVideoStream, UnreadableVideo, VideoError
from bitreel.library.encoding import CodedVideo, Read
from bitreel.library.records import CodedSegment
from bitreel.library.urls import OutOfReach
from bitreel.library.wire import from_wire, refusal, to_wire
from bitreel.video.decoding_process import Killed

PATH = Path("/films/a.mp4")

seconds = st.floats(0, 1e6)
segments = st.builds(
    lambda start, length, code: CodedSegment(Segment(PATH, start, start + length), code),
    seconds,
    seconds,
    st.binary(min_size=1, max_size=64),
)
coded = st.builds(
    CodedVideo, st.lists(segments, min_size=1), st.none() | st.text(), is_whole=st.booleans()
)


@given(st.none() | st.binary(min_size=16, max_size=16), coded | st.none())
def test_all_of_it_comes_through(content: bytes | None, coded: CodedVideo | None) -> None:
    assert from_wire(PATH, to_wire(Read(content, coded))) == Read(content, coded)


@pytest.mark.parametrize("kind", [VideoError, UnreadableVideo, NoVideoStream, OutOfReach])
def test_an_error_keeps_its_kind_and_its_words(kind: type[VideoError]) -> None:
    error = from_wire(PATH, to_wire(Read(b"x" * 16, kind("a \udcff.mp4 is none")))).coded
    assert type(error) is kind
    assert str(error) == "a \udcff.mp4 is none"


def test_an_error_of_a_kind_of_its_own_is_a_video_error() -> None:
    assert type(from_wire(PATH, to_wire(Read(None, Killed("it was killed")))).coded) is VideoError


@pytest.mark.parametrize("kind", [BitreelError, ConfigError])
def test_a_machine_that_refuses_raises_where_it_is_asked(kind: type[BitreelError]) -> None:
    with pytest.raises(kind, match="no such runtime") as caught:
        from_wire(PATH, refusal(kind("no such runtime")))
    assert type(caught.value) is kind
