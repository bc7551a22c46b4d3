"""Text that makes FFmpeg open other files or the network: it is not followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import UnreadableVideo
from bitreel.video import probe, read_clip, read_frames
from media import make_video

pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {other}\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
    ids=["m3u8", "ffconcat", "sdp"],
)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat", "sdp"])
def test_a_playlist_is_no_video(text: str, suffix: str, tmp_path: Path) -> None:
    make_video(tmp_path / "other.ts", 10)
    path = tmp_path / f"list.{suffix}"
    path.write_text(text.format(other="other.ts"))
    for read in (probe, lambda p: read_clip(p, frames=4), lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideo, match=r"list\..* can not be read as a video"):
            read(path)
