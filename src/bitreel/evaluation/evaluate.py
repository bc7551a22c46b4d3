"""From the codes and labels of queries and database to named figures."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, check_same_width, hamming
from bitreel.errors import DataError
from bitreel.evaluation.average_precision import AveragePrecision
from bitreel.evaluation.measure import Measure, check_cutoff
from bitreel.evaluation.parse import parse_measure
from bitreel.evaluation.ranking import Ranking, rank
from bitreel.evaluation.recall import Recall

Labels = NDArray[Any] | Sequence[Hashable]

# Queries are ranked in blocks of about this many distances: some 40 bytes each at the peak.
_BLOCK_DISTANCES = 1 << 21


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Figures by the name of their measure: the mean over queries, and each query's own.

    values: {name: mean}. per_query: {name: float64 [Q]}, in the order of the queries. bits: width
    of the codes. queries, database: how many there were.
    """

    values: dict[str, float]
    per_query: dict[str, NDArray[np.float64]]
    bits: int
    queries: int
    database: int

    def to_json(self) -> dict[str, float | int]:
        """The figures and the three sizes in one flat dict, ready for `json.dumps`."""
        sizes = {"bits": self.bits, "queries": self.queries, "database": self.database}
        return {**self.values, **sizes}

    def __repr__(self) -> str:
        figures = ", ".join(f"{name}={value:.4f}" for name, value in self.values.items())
        return f"Evaluation({figures}, {self.bits} bits, {self.queries} in {self.database})"


def default_measures(at: Iterable[int] = (10,)) -> tuple[Measure, ...]:
    """mAP@k and mAP@k/hits for 10 and each k in `at`, recall@1, recall@k, mAP.

    Raises ConfigError for a k under 1.
    """
    at = tuple(at)
    for k in at:
        check_cutoff(k)
    cutoffs = sorted({10, *at})
    precisions: list[Measure] = []
    for k in cutoffs:
        precisions += [AveragePrecision(k), AveragePrecision(k, "hits", "stored")]
    recalls = [Recall(k) for k in sorted({1, *cutoffs})]
    return (*precisions, *recalls, AveragePrecision(None, "R"))


def evaluate_codes(
    query: BinaryCodes,
    query_labels: Labels,
    database: BinaryCodes,
    database_labels: Labels,
    *,
    at: Iterable[int] = (10,),
    extra: Iterable[Measure | str] = (),
) -> Evaluation:
    """Rank the database for each query by Hamming distance: same label, relevant.

    query_labels: [Q], database_labels: [N], any hashable values (None and NaN stand for "not
    known" and match nothing). A query whose label the database does not hold counts, with 0 in
    every measure. The query must not be in its own database: nothing here removes it.
    at: cut-offs k that add mAP@k, mAP@k/hits and recall@k. extra: further measures or their names.
    Raises CodesError for unequal widths, DataError for labels that do not fit the codes or are of
    another type in the database, and where either side is empty, ConfigError for a bad cut-off or
    name.
    """
    asked = [parse_measure(name) if isinstance(name, str) else name for name in extra]
    measures = tuple(dict.fromkeys((*default_measures(at), *asked)))
    check_same_width(query, database)
    if not len(query) or not len(database):
        raise DataError(
            f"An evaluation needs at least one query and one database code, "
            f"got {len(query)} and {len(database)}: look at the split column of the dataset."
        )
    query_numbers, database_numbers = _number_labels(
        _label_list(query_labels, len(query), "query"),
        _label_list(database_labels, len(database), "database"),
    )
    depth = max(measure.stored_depth(len(database)) for measure in measures)
    blocks = [
        [measure.per_query(ranking) for measure in measures]
        for ranking in _rankings(query, query_numbers, database, database_numbers, depth)
    ]
    columns = (np.concatenate(column) for column in zip(*blocks, strict=True))
    per_query = {measure.name: column for measure, column in zip(measures, columns, strict=True)}
    values = {name: float(column.mean()) for name, column in per_query.items()}
    return Evaluation(values, per_query, query.bits, len(query), len(database))


def _rankings(
    query: BinaryCodes,
    query_numbers: NDArray[np.int64],
    database: BinaryCodes,
    database_numbers: NDArray[np.int64],
    depth: int,
) -> Iterator[Ranking]:
    rows = max(1, _BLOCK_DISTANCES // len(database))
    for top in range(0, len(query), rows):
        block = slice(top, top + rows)
        relevant = query_numbers[block, None] == database_numbers
        yield rank(hamming(query[block], database), relevant, depth=depth)


def _label_list(labels: Labels, codes: int, side: str) -> list[Hashable]:
    """Labels as Python values, in which the text "1" and the number 1 stay apart."""
    if isinstance(labels, np.ndarray):
        if labels.ndim != 1:
            raise DataError(f"Expected {side} labels [N], got {list(labels.shape)}.")
        labels = labels.tolist()
    if len(labels) != codes:
        raise DataError(f"Expected a label for each of {codes} {side} codes, got {len(labels)}.")
    return [label.item() if isinstance(label, np.generic) else label for label in labels]


def _number_labels(
    query: list[Hashable], database: list[Hashable]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Equal labels get equal numbers. A label that is not known gets -1, or -2 in the database."""
    kinds = {type(label) for label in query}, {type(label) for label in database}
    if not kinds[0] & kinds[1]:
        names = (" and ".join(sorted(kind.__name__ for kind in side)) for side in kinds)
        raise DataError(
            "No query can match: query labels are {} and database labels are {}. "
            "Give both as one type.".format(*names)
        )
    numbers: dict[Hashable, int] = {}

    def number(labels: list[Hashable], unknown: int) -> NDArray[np.int64]:
        return np.array(
            [
                unknown
                if label is None or label != label
                else numbers.setdefault(label, len(numbers))
                for label in labels
            ],
            np.int64,
        )

    return number(query, -1), number(database, -2)
