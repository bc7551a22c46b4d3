"""A picture of an answer: the query's frames above the frames of its hits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from bitreel.clip import Clip
from bitreel.errors import BitreelError, VideoError
from bitreel.library import Hit, SearchResults
from bitreel.video import read_clip

CELL = (160, 120)  # width and height of a frame
MARGIN = 12
CAPTION_WIDTH = 260
INK, DIM, PAPER, ACCENT = "#1b1f24", "#6b7280", "#ffffff", "#2563eb"


@dataclass(frozen=True)
class Row:
    """One line of the sheet: frames (none where the video can not be read) and its caption."""

    clip: Clip | None
    heading: str
    lines: tuple[str, ...]
    is_query: bool = False


def write_contact_sheet(results: SearchResults, path: Path, *, frames: int = 6) -> None:
    """Write the query and every hit as a row of `frames` frames, the suffix naming the format.

    A hit whose video is gone or unreadable keeps its row and says so. Raises VideoError for the
    query, BitreelError where the picture can not be written.
    """
    rows = [_query_row(results, frames), *(_hit_row(hit, frames) for hit in results.hits)]
    sheet = draw_sheet(rows, frames=frames)
    try:
        sheet.save(path)
    except (OSError, ValueError) as error:
        raise BitreelError(
            f"The contact sheet {path} can not be written ({error}): name a .png or .jpg file in a "
            f"folder that is there."
        ) from error


def draw_sheet(rows: list[Row], *, frames: int) -> Image.Image:
    """The rows below one another, a rule under the query."""
    width = MARGIN * 2 + CAPTION_WIDTH + frames * (CELL[0] + 4)
    height = MARGIN + len(rows) * (CELL[1] + MARGIN)
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        top = MARGIN + number * (CELL[1] + MARGIN)
        _draw_caption(draw, row, top)
        _draw_frames(sheet, row, top)
        if row.is_query:
            under = top + CELL[1] + MARGIN // 2
            draw.line([(MARGIN, under), (width - MARGIN, under)], fill=ACCENT, width=2)
    return sheet


def _query_row(results: SearchResults, frames: int) -> Row:
    clip = read_clip(
        results.query,
        frames=frames,
        start_seconds=results.start_seconds,
        end_seconds=results.end_seconds,
    )
    return Row(clip, "query", (_shorten(results.query.name),), is_query=True)


def _hit_row(hit: Hit, frames: int) -> Row:
    heading = f"{hit.distance_bits} bits"
    span = f"{hit.start_seconds:.1f} to {hit.end_seconds:.1f} s"
    lines = (hit.label or "no label", _shorten(hit.path.name), span)
    try:
        clip = read_clip(
            hit.path,
            frames=frames,
            start_seconds=hit.start_seconds,
            end_seconds=hit.end_seconds,
        )
    except VideoError:
        return Row(None, heading, (*lines, "the video can not be read now"))
    return Row(clip, heading, lines)


def _draw_caption(draw: ImageDraw.ImageDraw, row: Row, top: int) -> None:
    large, small = ImageFont.load_default(22), ImageFont.load_default(14)
    ink = ACCENT if row.is_query else INK
    draw.text((MARGIN, top + 6), row.heading, fill=ink, font=large)
    for number, line in enumerate(row.lines):
        draw.text((MARGIN, top + 40 + 20 * number), line, fill=DIM, font=small)


def _draw_frames(sheet: Image.Image, row: Row, top: int) -> None:
    if row.clip is None:
        return
    for column, frame in enumerate(row.clip.frames):
        picture = ImageOps.pad(Image.fromarray(frame), CELL, color=INK)
        sheet.paste(picture, (MARGIN + CAPTION_WIDTH + column * (CELL[0] + 4), top))


def _shorten(name: str, limit: int = 34) -> str:
    return name if len(name) <= limit else f"{name[: limit - 14]}...{name[-11:]}"
