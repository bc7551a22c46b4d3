"""How long work tells how far it is. The library reports, the caller shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """`done` of `total` units of a stage. note: what is worth a glance just now."""

    stage: str
    done: int
    total: int
    note: str = ""


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """Show nothing."""
