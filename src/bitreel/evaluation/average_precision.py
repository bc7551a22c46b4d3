"""Average precision, its denominators and its rules for ties told apart by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import ConfigError
from bitreel.evaluation.measure import Measure, Ties, check_choice, check_cutoff
from bitreel.evaluation.ranking import Ranking, stored_places
from bitreel.evaluation.tied_sums import (
    expected_sum,
    expected_sum_over_hits,
    extreme_sum,
    stored_sum,
)

# What the sum of precisions is divided by. The literature uses each and calls all of them mAP@k.
Denominator = Literal["k", "hits", "min(k,R)", "R"]


@dataclass(frozen=True, repr=False)
class AveragePrecision(Measure):
    """AP@k = S / denominator, S = sum over the hits at places i <= k of the precision at i.

    Denominators: `k` places, also where the database holds fewer items; `hits` in the first k (the
    supervised line since 2017: a list of one hit at place 1 gets 1.0); `min(k,R)`; `R` relevant
    items in the database. With no cut-off the whole database is ranked and R divides. A query with
    nothing relevant has AP 0.

    Names: `mAP@10` (÷k) and `mAP` are expected over ties; `mAP@10/hits` is in stored order of ties,
    as the papers that use it print it; any other rule is part of the name, as in
    `mAP@10/hits,ties=expected`. Raises ConfigError for what has no name.
    """

    cutoff: int | None
    divide_by: Denominator = "k"
    ties: Ties = "expected"

    def __post_init__(self) -> None:
        check_choice("The denominator of AP", self.divide_by, Denominator)
        check_choice("The rule for ties", self.ties, Ties)
        if self.cutoff is not None:
            check_cutoff(self.cutoff)
        elif self.divide_by != "R":
            raise ConfigError("AP over the whole database is divided by R: give divide_by='R'.")
        if self.divide_by == "hits" and self.ties in ("best", "worst"):
            # Fewer hits divide by less: relevant items last may then be the better order.
            raise ConfigError("AP÷hits has no best or worst order of ties: use stored or expected.")

    @property
    def name(self) -> str:
        if self.cutoff is None:
            base = "mAP"
        elif self.divide_by == "k":
            base = f"mAP@{self.cutoff}"
        else:
            base = f"mAP@{self.cutoff}/{self.divide_by}"
        usual = "stored" if self.divide_by == "hits" else "expected"
        return base if self.ties == usual else f"{base},ties={self.ties}"

    def stored_depth(self, database: int) -> int:
        if self.ties != "stored":
            return 0
        return database if self.cutoff is None else min(self.cutoff, database)

    def per_query(self, ranking: Ranking) -> NDArray[np.float64]:
        cutoff = ranking.database if self.cutoff is None else self.cutoff
        if self.divide_by == "hits" and self.ties == "expected":
            return expected_sum_over_hits(ranking, cutoff)
        divisor = np.maximum(self._divisor(ranking, cutoff), 1)
        return np.asarray(self._sum(ranking, cutoff) / divisor)

    def _sum(self, ranking: Ranking, cutoff: int) -> NDArray[np.float64]:
        match self.ties:
            case "expected":
                return expected_sum(ranking, cutoff)
            case "stored":
                return stored_sum(ranking, cutoff)
            case _:
                return extreme_sum(ranking, cutoff, relevant_first=self.ties == "best")

    def _divisor(self, ranking: Ranking, cutoff: int) -> NDArray[np.int64]:
        match self.divide_by:
            case "k":
                return np.full(len(ranking), cutoff)
            case "hits":
                return np.asarray(stored_places(ranking, cutoff).sum(axis=1))
            case "min(k,R)":
                return np.minimum(cutoff, ranking.relevant_total)
            case "R":
                return ranking.relevant_total
