"""Glob patterns: what a person means by them, and a slow twin made of one regular expression."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.library import Filter


def fits(path: str, pattern: str) -> bool:
    wanted = Filter(only=[pattern]).refusal(Path(path)) is None
    left_out = Filter(exclude=[pattern]).refusal(Path(path)) is not None
    assert wanted == left_out
    return wanted


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a/CLIP.MP4", "*.mp4", True),
        ("a/clip.mp4", "CLIP*", True),
        ("Trailers/x.mp4", "trailers", True),
        ("2024/a.mp4", "2024/*", True),
        ("2024/may/a.mp4", "2024/*", False),
        ("2024/may/a.mp4", "2024/*/*.MP4", True),
        ("2024/may/a.mp4", "2024/**", True),
        ("2024/a.mp4", "2024/**/a.mp4", True),
        ("2024/may/one/a.mp4", "2024/**/a.mp4", True),
        ("2024/may/one/b.mp4", "2024/**/a.mp4", False),
        ("2024/may/a.mp4", "**/a.mp4", True),
        ("a.mp4", "**/a.mp4", True),
        ("2024/may/a.mp4", "may/*", False),
        ("2024/may/a.mp4", "/2024/**", True),
        ("2024/may/a.mp4", "2024/", True),
        ("20245/a.mp4", "2024/", False),
        ("2024/may/a.mp4", "2024/m?y/[ab].mp4", True),
        ("2024/ma/y/a.mp4", "2024/ma?y/a.mp4", False),
    ],
)
def test_what_a_person_means(path: str, pattern: str, expected: bool) -> None:
    assert fits(path, pattern) == expected


PARTS = st.lists(st.sampled_from(["a", "b", "ab", "A"]), min_size=1, max_size=5)
PATTERNS = st.lists(st.sampled_from(["a", "*", "?", "**", "a*", "B"]), min_size=2, max_size=6)


@given(parts=PARTS, patterns=PATTERNS)
def test_folders_are_matched_as_by_one_regular_expression(
    parts: list[str], patterns: list[str]
) -> None:
    said = {"*": "[^/]*", "?": "[^/]", "a*": "a[^/]*"}
    expression = "".join("(?:[^/]+/)*" if p == "**" else said.get(p, p) + "/" for p in patterns)
    expected = re.fullmatch(expression, "/".join(parts) + "/", re.IGNORECASE) is not None
    assert fits("/".join(parts), "/".join(patterns)) == expected
