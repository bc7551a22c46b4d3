"""The heap that every kernel keeps its answers in, against sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitreel.search.best import Best
from bitreel.search.top_k import push, sort

PAIRS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(-(2**63), 2**63 - 2)),
    max_size=60,
    unique_by=lambda pair: pair[1],
)


def kept(pairs: list[tuple[int, int]], k: int) -> list[tuple[int, int, int]]:
    """(distance, key, position) of what is held after all pairs were pushed, sorted."""
    best, held = Best.room(1, k), 0
    rows = best.distances[0], best.keys[0], best.positions[0]
    for position, (distance, key) in enumerate(pairs):
        held = push(*rows, held, distance, key, position)
        if held:
            worst = sorted((*pair, at) for at, pair in enumerate(pairs[: position + 1]))[held - 1]
            assert tuple(row[0] for row in rows) == worst
    sort(*rows, held)
    return list(zip(*(row[:held].tolist() for row in rows), strict=True))


@given(pairs=PAIRS, k=st.integers(0, 20))
@settings(deadline=None)
def test_it_keeps_the_k_least_and_its_root_is_the_worst(
    pairs: list[tuple[int, int]], k: int
) -> None:
    everything = sorted((*pair, position) for position, pair in enumerate(pairs))
    assert kept(pairs, k) == everything[:k]


@pytest.mark.parametrize("k", [1, 7, 40])
def test_merged_lists_are_the_best_of_all(k: int) -> None:
    rng = np.random.default_rng(1)
    parts = []
    for part in range(3):
        distances = np.sort(rng.integers(0, 9, (5, 8)), axis=1).astype(np.int32)
        keys = np.arange(40).reshape(5, 8) * 3 + part
        parts.append(Best(distances, keys, keys + 100))
    best = Best.merged(parts, k)
    for row in range(5):
        everything = sorted(
            pair
            for part in parts
            for pair in zip(part.distances[row].tolist(), part.keys[row].tolist(), strict=True)
        )
        pairs = zip(best.distances[row].tolist(), best.keys[row].tolist(), strict=True)
        assert list(pairs) == everything[:k]
    np.testing.assert_array_equal(best.positions, best.keys + 100)
