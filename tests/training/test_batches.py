"""P classes × K clips, from nothing but the seed and the epoch."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitreel.errors import DataError
from bitreel.training.batches import ClassBatches


@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=8),
    classes=st.integers(2, 10),
    clips=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_every_batch_has_k_clips_of_each_of_p_classes(
    sizes: list[int], classes: int, clips: int, seed: int
) -> None:
    labels = [label for label, size in enumerate(sizes) for _ in range(size)]
    batches = ClassBatches(labels, classes_per_batch=classes, clips_per_class=clips, seed=seed)
    for rows in batches.epoch(3):
        drawn = Counter(labels[row] for row in rows)
        assert len(drawn) == min(classes, len(sizes))
        assert set(drawn.values()) == {clips}
        for label in drawn:
            own = [row for row in rows if labels[row] == label]
            # Clips come twice only in a class that has too few of them.
            assert len(set(own)) == len(own) or sizes[label] < clips


def test_an_epoch_is_the_same_whatever_went_before_it() -> None:
    labels = [0, 0, 0, 1, 1, 1, 2, 2, 2] * 4
    fresh = ClassBatches(labels, classes_per_batch=2, clips_per_class=2, seed=5)
    used = ClassBatches(labels, classes_per_batch=2, clips_per_class=2, seed=5)
    for epoch in range(3):
        list(used.epoch(epoch))
    assert list(fresh.epoch(3)) == list(used.epoch(3))
    assert list(fresh.epoch(3)) != list(fresh.epoch(4))
    assert list(fresh.epoch(3)) != list(fresh.epoch(3, rank=1))


def test_one_class_gives_no_triplet_and_is_refused() -> None:
    with pytest.raises(DataError, match="two classes or more"):
        ClassBatches([0, 0, 0], classes_per_batch=2, clips_per_class=2, seed=0)
