"""The group and side of a video that nobody stated: read from its name, drawn by a hash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bitreel.dataset.example import Example
from bitreel.dataset.splits import hold_out_groups

QUERY_FRACTION = 0.25
UCF101_NAME = re.compile(r"v_(?P<action>\w+)_g(?P<group>\d+)_c\d+")  # v_Basketball_g07_c02


def group_of(path: Path, *, root: Path) -> str:
    """The recording that a video comes from, as far as its name tells.

    `Action/g07` for a name of UCF101, where one long recording is cut in clips; else the video's
    own path below `root` without its suffix, so that every video is its own group.
    """
    if match := UCF101_NAME.fullmatch(path.stem):
        return f"{match['action']}/g{match['group']}"
    below = path.relative_to(root) if path.is_relative_to(root) else path
    return below.with_suffix("").as_posix()


def draw_queries(examples: Sequence[Example]) -> tuple[Example, ...]:
    """Make about a quarter of every class queries, by whole groups and a stable hash.

    A class with a single group stays in the database. The choice is `hold_out_groups` with seed 0:
    it moves with the names of the groups and with nothing else.
    """
    _, query_rows = hold_out_groups(examples, fraction=QUERY_FRACTION)
    queries = set(query_rows)
    return tuple(
        replace(example, split="query" if row in queries else "database")
        for row, example in enumerate(examples)
    )
