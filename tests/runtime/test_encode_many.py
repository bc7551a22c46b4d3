"""Many clips to codes: in order, error by error, whatever they share a batch with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from needs import make_clip, make_model

from bitreel.clip import Clip
from bitreel.errors import UnreadableVideo, VideoError
from bitreel.model import Encoded, Model
from media import make_video


@pytest.fixture(scope="module")
def model() -> Model:
    return make_model()


def read(seed: int) -> Clip:
    """Every fifth can not be read."""
    if seed % 5 == 3:
        raise UnreadableVideo(f"clip {seed} is broken")
    return make_clip(seed)


@pytest.mark.parametrize("batch", [None, 3, 8, 64])
@pytest.mark.parametrize("workers", [None, 1, 3])
def test_codes_order_and_errors(batch: int | None, workers: int | None) -> None:
    model = make_model().use_runtime("torch", pictures_at_once=batch)
    outcomes = list(model.encode_many(range(23), read=read, workers=workers))
    assert [seed for seed, _ in outcomes] == list(range(23))
    for seed, outcome in outcomes:
        if seed % 5 == 3:
            assert isinstance(outcome, UnreadableVideo)
            assert str(outcome) == f"clip {seed} is broken"
        else:
            assert isinstance(outcome, Encoded)
            assert outcome.clip.segment.path.name == f"noise{seed}.mp4"
            np.testing.assert_array_equal(outcome.code.packed, model.encode(make_clip(seed)).packed)


def test_nothing_but_errors_and_nothing_at_all(model: Model) -> None:
    outcomes = list(model.encode_many([3, 8], read=read))
    assert all(isinstance(outcome, VideoError) for _, outcome in outcomes)
    assert list(model.encode_many([], read=read)) == []


def test_another_error_is_raised(model: Model) -> None:
    def fail(seed: int) -> Clip:
        raise ZeroDivisionError(f"in clip {seed}")

    with pytest.raises(ZeroDivisionError, match="in clip 0"):
        list(model.encode_many(range(3), read=fail))


def test_few_clips_are_in_memory(model: Model) -> None:
    """Items are asked for as results are taken: a reader is never far ahead."""
    model = make_model().use_runtime("torch", pictures_at_once=8)  # two clips
    lock, taken, furthest = threading.Lock(), 0, 0

    def items() -> Iterator[int]:
        nonlocal furthest
        for seed in range(60):
            with lock:
                furthest = max(furthest, seed + 1 - taken)
            yield 0

    for _ in model.encode_many(items(), read=make_clip, workers=2):
        with lock:
            taken += 1
    assert taken == 60
    assert furthest <= 2 * (2 * 2 + 2)


def test_files_by_default(model: Model, media_folder: Path, tmp_path: Path) -> None:
    whole = make_video(media_folder / "encode_many.mp4", 12)
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"no video")
    (_, error), (path, encoded) = model.encode_many([junk, whole])
    assert isinstance(error, VideoError)
    assert isinstance(encoded, Encoded)
    assert path == whole
    np.testing.assert_array_equal(encoded.code.packed, model.encode(model.read(whole)).packed)
