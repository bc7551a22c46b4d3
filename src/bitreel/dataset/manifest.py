"""A manifest: a CSV with a line for each video, `path,label,group,split`."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bitreel.dataset.example import SPLIT_NAMES, Dataset, Example
from bitreel.dataset.groups import draw_queries, group_of
from bitreel.errors import DataError

COLUMNS = ("path", "label", "group", "split")
NAMES_SHOWN = 3

Row = dict[str, str]  # cells by column


def open_manifest(path: Path) -> Dataset:
    """Open a CSV in UTF-8 with the columns path, label and, if wanted, group and split.

    A path is relative to the CSV's folder or absolute. split: database (or train), query (or test).
    Without a group (or with an empty one) it is read from a UCF101 name, and any other video is a
    group of its own. Without the split column about a quarter of every class becomes queries, by
    whole groups and a stable hash. Other columns are not read.

    Raises DataError that names the line and the column, LeakageError for a group on both sides.
    """
    columns, rows = _read(path)
    if not rows:
        raise DataError(f"{path} lists no videos: add a line for each below the header.")
    lines = [line for line, _ in rows]
    examples = [_example(row, root=path.parent, where=f"{path}, line {line}") for line, row in rows]
    _refuse_twice(path, lines, examples)
    _refuse_missing(path, lines, examples)
    name = path.absolute().parent.name if path.stem == "manifest" else path.stem
    return Dataset(name, tuple(examples) if "split" in columns else draw_queries(examples))


def write_manifest(
    path: Path, examples: Iterable[Example], *, extra: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write a manifest that `open_manifest` reads; the file appears whole or not at all.

    Paths below the manifest's folder are written relative to it, with /, others absolute. extra:
    further columns by name, with a value for each example.

    Raises DataError when a file name is no text that UTF-8 can hold.
    """
    listed = list(examples)
    more = dict(extra or {})
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    root = path.absolute().parent
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*COLUMNS, *more])
            for row, example in enumerate(listed):
                place = example.path.absolute()
                name = place.relative_to(root) if place.is_relative_to(root) else place
                values = [column[row] for column in more.values()]
                writer.writerow(
                    [name.as_posix(), example.label, example.group, example.split, *values]
                )
        partial.replace(path)
    except UnicodeEncodeError as error:
        raise DataError(
            f"{path} could not be written: {error.object!r} has bytes that are no text. "
            f"Rename that file."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _read(path: Path) -> tuple[list[str], list[tuple[int, Row]]]:
    """The names of the columns, and (line number, cells by column) for every line."""
    rows: list[tuple[int, Row]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = [name.strip().lower() for name in next(reader, [])]
            _check_columns(path, columns)
            line = reader.line_num + 1
            for cells in reader:
                if cells:  # an empty line gives none
                    rows.append((line, _by_column(cells, columns, where=f"{path}, line {line}")))
                line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 ({error.reason}): save it as UTF-8.") from error
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: this is no CSV ({error}). "
            f"Put a cell with a comma or a quote in double quotes."
        ) from error
    except OSError as error:
        raise DataError(f"{path} could not be read: {error.strerror}.") from error
    return columns, rows


def _check_columns(path: Path, columns: list[str]) -> None:
    for needed in COLUMNS[:2]:
        if needed not in columns:
            raise DataError(
                f"{path}, line 1: the column {needed} is missing (found: "
                f"{', '.join(columns) or 'nothing'}). A manifest begins with the line "
                f"path,label or path,label,group,split."
            )
    if twice := {name for name in columns if name in COLUMNS and columns.count(name) > 1}:
        raise DataError(f"{path}, line 1: the column {min(twice)} comes twice: keep one.")


def _by_column(cells: list[str], columns: list[str], *, where: str) -> Row:
    if len(cells) > len(columns):
        raise DataError(
            f"{where}: {len(cells)} cells under {len(columns)} columns. "
            f"Put a path or a label that has a comma in double quotes."
        )
    return dict(zip(columns, cells + [""] * (len(columns) - len(cells)), strict=True))


def _example(row: Row, *, root: Path, where: str) -> Example:
    for needed in COLUMNS[:2]:
        if not row[needed].strip():
            raise DataError(f"{where}: the column {needed} is empty: every video has both.")
    split = row.get("split", "database").strip()
    if split not in SPLIT_NAMES:
        raise DataError(
            f"{where}, column split: {split!r} is unknown. Write one of {', '.join(SPLIT_NAMES)}."
        )
    path = Path(os.path.normpath(root / row["path"]))
    group = row.get("group", "").strip() or group_of(path, root=root)
    return Example(path, row["label"].strip(), group, SPLIT_NAMES[split])


def _refuse_twice(manifest: Path, lines: list[int], examples: list[Example]) -> None:
    first_line: dict[Path, int] = {}
    for line, example in zip(lines, examples, strict=True):
        first = first_line.setdefault(example.path, line)
        if first != line:
            raise DataError(
                f"{manifest}, line {line}, column path: {example.path} stands already "
                f"in line {first}. Keep one of the two."
            )


def _refuse_missing(manifest: Path, lines: list[int], examples: list[Example]) -> None:
    missing = [
        f"line {line}: {example.path}"
        for line, example in zip(lines, examples, strict=True)
        if not example.path.is_file()
    ]
    if missing:
        more = len(missing) - NAMES_SHOWN
        raise DataError(
            f"{manifest}, column path: {len(missing)} of {len(examples)} files are not there "
            f"({'; '.join(missing[:NAMES_SHOWN])}{f' and {more} more' if more > 0 else ''}). "
            f"Paths are relative to the folder of the manifest."
        )
