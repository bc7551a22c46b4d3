"""The contact sheet: the query's frames above those of its hits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bitreel.clip import Clip, Segment
from bitreel.errors import BitreelError, UnreadableVideo
from bitreel.insight import contact_sheet
from bitreel.insight.contact_sheet import CELL, MARGIN, Row, draw_sheet, write_contact_sheet
from bitreel.library import Hit, SearchResults
from media import make_video, read_number

LEFT = MARGIN + contact_sheet.CAPTION_WIDTH


def hit(
    path: Path, *, rank: int = 1, start_seconds: float = 0.0, label: str | None = "jump"
) -> Hit:
    return Hit(rank, path, start_seconds, 2.0, 7, 0.5, label, rank, rank)


def results(query: Path, *hits: Hit) -> SearchResults:
    return SearchResults(query, 0.0, 2.0, hits, None, len(hits))


def cell(sheet: Image.Image, row: int, column: int) -> Image.Image:
    left, top = LEFT + column * (CELL[0] + 4), MARGIN + row * (CELL[1] + MARGIN)
    return sheet.crop((left, top, left + CELL[0], top + CELL[1]))


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two videos of 50 frames, 2 seconds, of the shape of a cell: numbers from 0 and from 100."""
    folder = tmp_path_factory.mktemp("sheet")
    shape = {"width": CELL[0], "height": CELL[1]}
    first = make_video(folder / "a.mp4", 50, **shape)  # type: ignore[arg-type]
    return [first, make_video(folder / "b.mp4", range(100, 150), **shape)]  # type: ignore[arg-type]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written on the sheet, in the order of writing."""
    written: list[str] = []
    original = ImageDraw.ImageDraw.text

    def text(self: ImageDraw.ImageDraw, xy: object, text: str, **options: object) -> None:
        written.append(text)
        original(self, xy, text, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    return written


def test_a_row_for_the_query_and_each_hit_with_its_own_frames(
    videos: list[Path], tmp_path: Path
) -> None:
    query, other = videos
    path = tmp_path / "sheet.png"
    write_contact_sheet(results(query, hit(other), hit(query, rank=2)), path, frames=5)
    with Image.open(path) as sheet:
        assert sheet.size == (LEFT + 5 * (CELL[0] + 4) + MARGIN, MARGIN + 3 * (CELL[1] + MARGIN))
        rows = [
            [read_number(np.asarray(cell(sheet, row, column))) for column in range(5)]
            for row in range(3)
        ]
    assert rows[0] == [5, 15, 25, 35, 45]
    assert rows[1] == [105, 115, 125, 135, 145]
    assert rows[2] == rows[0]


def test_a_hit_shows_its_own_range(videos: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    write_contact_sheet(results(videos[0], hit(videos[1], start_seconds=1.0)), path, frames=1)
    with Image.open(path) as sheet:
        number = read_number(np.asarray(cell(sheet, 1, 0)))
    assert number is not None
    assert 130 <= number <= 145


def test_the_captions(videos: list[Path], tmp_path: Path, texts: list[str]) -> None:
    query, other = videos
    hits = hit(other), hit(query, rank=2, label=None)
    write_contact_sheet(results(query, *hits), tmp_path / "sheet.png")
    assert texts == [
        *("query", "a.mp4"),
        *("7 bits", "jump", "b.mp4", "0.0 to 2.0 s"),
        *("7 bits", "no label", "a.mp4", "0.0 to 2.0 s"),
    ]


@pytest.mark.parametrize("spoil", ["gone", "junk"])
def test_a_hit_that_can_not_be_read_keeps_its_row_and_says_so(
    spoil: str, videos: list[Path], tmp_path: Path, texts: list[str]
) -> None:
    bad = tmp_path / "bad.mp4"
    if spoil == "junk":
        bad.write_bytes(b"junk" * 1000)
    path = tmp_path / "sheet.png"
    write_contact_sheet(results(videos[0], hit(bad), hit(videos[1], rank=2)), path, frames=2)
    assert texts.count("the video can not be read now") == 1
    with Image.open(path) as sheet:
        assert sheet.height == MARGIN + 3 * (CELL[1] + MARGIN)
        assert (np.asarray(cell(sheet, 1, 0)) == 255).all()
        assert read_number(np.asarray(cell(sheet, 2, 0))) == 112


def test_a_query_that_can_not_be_read_is_an_error(videos: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UnreadableVideo, match=r"gone\.mp4 does not exist"):
        write_contact_sheet(results(tmp_path / "gone.mp4"), tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize("name", ["sheet.nonsense", "sheet", "gone/sheet.png"])
def test_a_place_or_a_kind_that_can_not_be_written(
    name: str, videos: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(BitreelError, match=r"can not be written .*: name a \.png or \.jpg file"):
        write_contact_sheet(results(videos[0]), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "PNG"])
def test_the_suffix_names_the_format(suffix: str, videos: list[Path], tmp_path: Path) -> None:
    path = tmp_path / f"sheet.{suffix}"
    write_contact_sheet(results(videos[0]), path)
    with Image.open(path) as sheet:
        expected = {"jpg": "JPEG", "webp": "WEBP"}.get(suffix, "PNG")
        assert sheet.format == expected


@pytest.mark.parametrize(
    "name", ["long" * 50 + ".mp4", "\u6620\u50cf.mp4", "a\nb.mp4", "half\udcff.mp4", "שלום.mp4"]
)
def test_any_name_can_stand_beside_its_frames(
    name: str, videos: list[Path], tmp_path: Path
) -> None:
    bad = hit(tmp_path / name, label=name)
    path = tmp_path / "sheet.png"
    write_contact_sheet(results(videos[0], bad), path, frames=1)
    assert path.is_file()


def test_a_long_name_keeps_its_beginning_and_its_end(
    videos: list[Path], tmp_path: Path, texts: list[str]
) -> None:
    name = "a" * 40 + "_17.mp4"
    write_contact_sheet(results(videos[0], hit(tmp_path / name)), tmp_path / "sheet.png")
    (written,) = [text for text in texts if "aaa" in text]
    assert len(written) == 34
    assert written.startswith("aaaa")
    assert written.endswith("_17.mp4")


@pytest.mark.parametrize(("height", "width"), [(90, 16), (16, 90), (1, 1)])
def test_frames_of_any_shape_are_shown_whole(height: int, width: int) -> None:
    frames = np.full((1, height, width, 3), 200, np.uint8)
    clip = Clip(frames, np.zeros(1), Segment(Path("a.mp4"), 0.0, 1.0))
    picture = np.asarray(cell(draw_sheet([Row(clip, "query", ())], frames=1), 0, 0))
    shown = np.argwhere((picture == 200).all(axis=2))
    tall, wide = shown.max(axis=0) - shown.min(axis=0) + 1
    assert max(tall / CELL[1], wide / CELL[0]) == 1.0
    assert tall / wide == pytest.approx(height / width, rel=0.1)


def test_no_hits_give_the_query_alone(videos: list[Path], tmp_path: Path) -> None:
    write_contact_sheet(results(videos[0]), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height == MARGIN * 2 + CELL[1]
