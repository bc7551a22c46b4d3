"""A measure is a value: its text is its one name, and equality follows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import ConfigError
from bitreel.evaluation.ranking import Ranking

# What the order of items at one distance is taken to be: the mean over all orders (closed form),
# the database order, or the order with the relevant items first or last.
Ties = Literal["expected", "stored", "best", "worst"]


class Measure(ABC):
    """One figure for each query. `str` and `repr` give the name, `parse_measure` is the inverse."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The one name of this measure, with all that changes its value."""

    @abstractmethod
    def per_query(self, ranking: Ranking) -> NDArray[np.float64]:
        """The figure of each query in [0,1], float64 [Q]."""

    @abstractmethod
    def stored_depth(self, database: int) -> int:
        """How many places in stored order of ties `per_query` reads, of `database` items."""

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name


def check_cutoff(cutoff: int) -> None:
    """Raises ConfigError where a cut-off is not a whole number of 1 or more."""
    if isinstance(cutoff, bool) or not isinstance(cutoff, int) or cutoff < 1:
        raise ConfigError(f"A cut-off is a whole number of 1 or more, got {cutoff!r}.")


def check_choice(what: str, given: str, choices: object) -> None:
    """Raises ConfigError where `given` is not one of a Literal's `choices`."""
    if given not in get_args(choices):
        raise ConfigError(f"{what} must be one of {', '.join(get_args(choices))}, got {given!r}.")
