"""What the figures of the reports share: one look, and files that are written whole."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from bitreel.errors import BitreelError, ConfigError

try:
    import matplotlib
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as error:
    raise ConfigError("The plots need Matplotlib: pip install 'bitreel[tune]'.") from error

__all__ = [
    "ACCENT",
    "COLOURS",
    "DIM",
    "INK",
    "Axes",
    "Figure",
    "as_png",
    "as_svg",
    "figure",
    "spread",
    "style",
    "write_whole",
]

INK, DIM, GRID, ACCENT = "#1b1f24", "#6b7280", "#e5e7eb", "#0072b2"
# Okabe & Ito's colours, which people who see few colours can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
LINES = ("-", "--", ":", "-.")
_LOOK: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": DIM,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": DIM,
    "ytick.color": DIM,
    "text.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "svg.hashsalt": "bitreel",  # the same figures give the same file
}


def figure(
    rows: int = 1, columns: int = 1, *, width: float = 7.5, height: float = 4.0
) -> tuple[Figure, list[Axes]]:
    """A figure of width x height inches, and its axes row by row."""
    with matplotlib.rc_context(_LOOK):
        made = Figure(figsize=(width, height), layout="constrained")
        axes = made.subplots(rows, columns, squeeze=False)
    return made, list(axes.flat)


def style(number: int) -> tuple[str, str]:
    """A colour and a line for the n-th of several, no two of the first 28 alike."""
    return COLOURS[number % len(COLOURS)], LINES[number // len(COLOURS) % len(LINES)]


def spread(count: int, room: float) -> list[float]:
    """Offsets, centred on 0 and `room` wide in all, that keep marks at one place apart."""
    step = room / (count - 1) if count > 1 else 0.0
    return [step * (place - (count - 1) / 2) for place in range(count)]


def as_svg(made: Figure) -> str:
    """The figure as an <svg> element."""
    text = io.StringIO()
    with matplotlib.rc_context(_LOOK):
        made.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def as_png(made: Figure) -> bytes:
    """The figure as the content of a PNG file."""
    content = io.BytesIO()
    with matplotlib.rc_context(_LOOK):
        made.savefig(content, format="png", dpi=150, metadata={"Software": None})
    return content.getvalue()


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in one rename, so that a reader finds all of it. Raises BitreelError."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(aside, path)
    except OSError as error:
        raise BitreelError(f"{path} can not be written: {error.strerror}.") from error
