"""Rows of named figures as text: one row a run, such as one for each of 64/128/256/512 bits."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

Value = str | int | float | None
Row = Mapping[str, Value]


def table(rows: Sequence[Row]) -> str:
    """A Markdown table: figures to four digits, numbers to the right, an absent value left empty.

    Columns stand in the order in which the rows first name them.
    """
    names = _columns(rows)
    if not names:
        return ""
    numeric = {n: not any(isinstance(row.get(n), str) for row in rows) for n in names}
    lines = [[_escape(name) for name in names]]
    lines += [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(names))]
    rule = [
        "-" * (width - 1) + ":" if numeric[name] else "-" * width
        for name, width in zip(names, widths, strict=True)
    ]
    text = []
    for line in [lines[0], rule, *lines[1:]]:
        cells = (
            cell.rjust(width) if numeric[name] else cell.ljust(width)
            for cell, name, width in zip(line, names, widths, strict=True)
        )
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text) + "\n"


def to_csv(rows: Sequence[Row]) -> str:
    """Comma-separated, with a line of names first; figures in full."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _columns(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_json(rows: Sequence[Row]) -> str:
    """A JSON list of objects; figures in full. Raises ValueError for NaN, which JSON has not."""
    return json.dumps([dict(row) for row in rows], indent=2, allow_nan=False) + "\n"


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _cell(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else _escape(str(value))


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
