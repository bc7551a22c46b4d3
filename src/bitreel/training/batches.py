"""Batches of P classes × K clips: every clip finds a partner of its class and one of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bitreel.errors import DataError


class ClassBatches:
    """Draws batches of rows, an epoch at a time, from nothing but the seed and the epoch's number.

    No generator's state goes from epoch to epoch, so that a resumed run draws what the
    uninterrupted one would have drawn.
    """

    def __init__(
        self, labels: Sequence[int], *, classes_per_batch: int, clips_per_class: int, seed: int
    ) -> None:
        numbers = np.asarray(labels)
        self._rows = [np.flatnonzero(numbers == label) for label in np.unique(numbers)]
        if len(self._rows) < 2:
            raise DataError(
                "Training needs clips of two classes or more: a triplet takes one of another class."
            )
        self._classes = min(classes_per_batch, len(self._rows))
        self._clips = clips_per_class
        self._seed = seed
        # An epoch shows about as many clips as there are.
        self.steps = max(1, round(len(numbers) / (self._classes * self._clips)))

    def epoch(self, number: int, *, rank: int = 0) -> Iterator[list[int]]:
        """The batches of one epoch: rows of the data, P·K a batch. rank: of this process."""
        generator = np.random.default_rng([self._seed, number, rank])
        for _ in range(self.steps):
            classes = generator.choice(len(self._rows), self._classes, replace=False)
            yield [row for chosen in classes for row in self._draw(generator, self._rows[chosen])]

    def _draw(self, generator: np.random.Generator, rows: np.ndarray) -> list[int]:
        # A class with too few clips repeats some: the batch keeps its shape.
        drawn = generator.choice(rows, self._clips, replace=len(rows) < self._clips)
        return [int(row) for row in drawn]
