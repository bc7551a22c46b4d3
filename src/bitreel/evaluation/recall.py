"""recall@k as the video retrieval papers mean it: is there a hit among the first k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitreel.evaluation.measure import Measure, Ties, check_choice, check_cutoff
from bitreel.evaluation.ranking import Ranking, stored_places
from bitreel.evaluation.tied_sums import hypergeometric


@dataclass(frozen=True, repr=False)
class Recall(Measure):
    """recall@k (also hit@k): 1 where at least one of the first k is relevant, else 0.

    Expected over ties it is the chance of that. Any other rule for ties is part of the name, as in
    `recall@10,ties=stored`. Raises ConfigError for a cut-off under 1 and for an unknown rule.
    """

    cutoff: int
    ties: Ties = "expected"

    def __post_init__(self) -> None:
        check_cutoff(self.cutoff)
        check_choice("The rule for ties", self.ties, Ties)

    @property
    def name(self) -> str:
        base = f"recall@{self.cutoff}"
        return base if self.ties == "expected" else f"{base},ties={self.ties}"

    def stored_depth(self, database: int) -> int:
        return min(self.cutoff, database) if self.ties == "stored" else 0

    def per_query(self, ranking: Ranking) -> NDArray[np.float64]:
        if self.ties == "stored":
            return np.asarray(stored_places(ranking, self.cutoff).any(axis=1), np.float64)
        if self.ties == "expected":
            return 1.0 - self._chance_of_none(ranking)
        first = ranking.items_before
        if self.ties == "worst":
            first = first + ranking.group_items - ranking.group_relevant
        found = (ranking.group_relevant > 0) & (first < self.cutoff)
        return np.asarray(found.any(axis=1), np.float64)

    def _chance_of_none(self, ranking: Ranking) -> NDArray[np.float64]:
        """The product, over groups, of the chance that their places up to k hold no hit."""
        items, before = ranking.group_items, ranking.items_before
        none = hypergeometric(
            np.zeros_like(items),
            items=items,
            relevant=ranking.group_relevant,
            places=np.clip(self.cutoff - before, 0, items),
        )
        return np.asarray(none.prod(axis=1))
