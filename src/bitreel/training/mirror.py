"""Whether clips may be shown with left and right exchanged: not where that makes another action."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bitreel.errors import ConfigError

_SIDES = [
    ("left", "right"),
    ("cw", "ccw"),
    ("clockwise", "counterclockwise"),
    ("clockwise", "anticlockwise"),
]
_JOINED = re.compile(r"(counter|anti)[-_ ]+(clockwise)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def check_mirror(labels: Sequence[str]) -> None:
    """Raises ConfigError where the mirror image of one class is another, by their names."""
    names = {_plain(label): label for label in labels}
    for label in names:
        for one, other in _SIDES:
            twin = _exchanged(label, one, other)
            if twin != label and twin in names:
                raise ConfigError(
                    f"Mirrored clips of {names[label]!r} show {names[twin]!r}, which is another "
                    f"class: train without mirror."
                )


def _plain(label: str) -> str:
    """turnLeft as turn_left, anti-clockwise as anticlockwise, in small letters."""
    return _JOINED.sub(r"\1\2", _HUMP.sub("_", label).lower())


def _exchanged(label: str, one: str, other: str) -> str:
    """The label with these words exchanged, where a word begins with them."""
    swap = {one: other, other: one}
    words = rf"(?<![a-z])({one}|{other})"
    return re.sub(words, lambda found: swap[found[0]], label)
