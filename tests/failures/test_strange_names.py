"""Healthy files whose names look like something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitreel.errors import UnreadableVideo
from bitreel.video import read_clip
from media import make_video, read_numbers

pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.mark.parametrize(
    "name",
    [
        "http:example.mp4",
        "concat:a|b.mp4",
        "-i.mp4",
        "frame%03d.mp4",
        "no_suffix",
        "wrong.jpg",
        "a b\nc.mp4",
        "\u6620\u50cf.mp4",
        "\udcff\udcfe.mp4",
    ],
)
def test_the_name_does_not_matter(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "plain.mp4", 5).rename(name)
    assert read_numbers(read_clip(name, frames=5).frames) == [0, 1, 2, 3, 4]


def test_a_message_about_a_name_that_is_no_text_can_be_printed(tmp_path: Path) -> None:
    path = tmp_path / "\udcff.mp4"
    path.write_bytes(b"junk" * 1000)
    with pytest.raises(UnreadableVideo) as caught:
        read_clip(path, frames=1)
    str(caught.value).encode("utf-8")
