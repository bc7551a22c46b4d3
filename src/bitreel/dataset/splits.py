"""Splits by whole groups: the guard against leakage, and the hold-out for validation.

Clips of one group (one recording, one film) look alike whatever happens in them. A group on both
sides of a split lets a model that only knows the recording look good, so no side shares a group.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from bitreel.errors import ConfigError, LeakageError

if TYPE_CHECKING:
    from bitreel.dataset.example import Example

NAMES_SHOWN = 5


def check_leakage(examples: Iterable[Example], *, name: str = "The data set") -> None:
    """Raise LeakageError when a group stands on both sides of the split, naming a few of them."""
    sides: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        sides[example.group].add(example.split)
    leaking = [group for group, splits in sides.items() if len(splits) > 1]
    if leaking:
        shown = ", ".join(leaking[:NAMES_SHOWN])
        more = len(leaking) - NAMES_SHOWN
        raise LeakageError(
            f"{name}: {len(leaking)} groups stand on both sides of the split: {shown}"
            f"{f' and {more} more' if more > 0 else ''}. Clips of one recording look alike, so the "
            f"figures would be too good: put all clips of a group in `database` or all in `query`."
        )


def hold_out_groups(
    examples: Sequence[Example], *, fraction: float = 0.2, seed: int = 0
) -> tuple[list[int], list[int]]:
    """Hold out whole groups: ascending rows of (training, validation).

    About `fraction` of the clips of every class go to validation. Every class keeps at least one
    group in training, so a class with one group has none in validation; a class with more has at
    least one there, even when its groups are too large for the fraction (unless each of them is
    the last that some other class has left in training).

    The answer depends on the seed, the groups and their sizes, not on the order of the examples or
    on any generator's state. Where no group crosses classes, a class is split without a look at the
    others.

    Raises ConfigError unless 0 <= fraction < 1.
    """
    if not 0 <= fraction < 1:
        raise ConfigError(f"Expected a fraction of 0 or more and below 1, got {fraction}.")
    if not fraction:
        return list(range(len(examples))), []
    choice = _Choice(examples, seed)
    # Classes with few groups have the least choice, so they choose first.
    for label in sorted(choice.clips, key=lambda label: (len(choice.clips[label]), label)):
        choice.serve(label, fraction)
    training = [row for row, example in enumerate(examples) if example.group not in choice.held]
    validation = [row for row, example in enumerate(examples) if example.group in choice.held]
    return training, validation


class _Choice:
    """The groups held out so far, and what every class still has in training."""

    def __init__(self, examples: Iterable[Example], seed: int) -> None:
        self.seed = seed
        self.held: set[str] = set()
        self.clips: dict[str, Counter[str]] = defaultdict(Counter)  # label -> group -> clips
        self.labels_of: dict[str, set[str]] = defaultdict(set)
        for example in examples:
            self.clips[example.label][example.group] += 1
            self.labels_of[example.group].add(example.label)
        self.left = {label: len(groups) for label, groups in self.clips.items()}

    def serve(self, label: str, fraction: float) -> None:
        """Hold out groups of one class, those that fit first, until none brings it nearer."""
        sizes = self.clips[label]
        order = sorted(sizes, key=lambda group: (_stable_hash(group, self.seed), group))
        wanted = fraction * sizes.total()
        have = sum(sizes[group] for group in order if group in self.held)
        for group in order:
            if have + sizes[group] <= wanted and self._is_free(group):
                self._hold(group)
                have += sizes[group]
        free = [group for group in order if self._is_free(group)]
        last = min(free, key=lambda group: abs(have + sizes[group] - wanted), default=None)
        if last is not None and (not have or abs(have + sizes[last] - wanted) < abs(have - wanted)):
            self._hold(last)

    def _is_free(self, group: str) -> bool:
        """Not held yet, and the last group in training of no class."""
        return group not in self.held and all(
            self.left[label] > 1 for label in self.labels_of[group]
        )

    def _hold(self, group: str) -> None:
        self.held.add(group)
        for label in self.labels_of[group]:
            self.left[label] -= 1


def _stable_hash(group: str, seed: int) -> bytes:
    # Python's own hash of a string changes from run to run.
    return blake2b(f"{seed}\0{group}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
