"""What is cached comes back bit for bit, and a second run decodes nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from bitreel.clip import Clip
from bitreel.dataset import Example, open_dataset
from bitreel.errors import BitreelError, DataError
from bitreel.model import Features, Model
from bitreel.training import CachedFeatures, FeatureCache, content_digest, labelled_features
from bitreel.video import write_video
from tiny import tiny_model


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny_model()


@pytest.fixture(scope="module")
def examples(actions: Path) -> Sequence[Example]:
    return open_dataset(actions).examples[:8]


def refuse_to_decode(*_: object, **__: object) -> Never:
    raise AssertionError("decoded a video whose features are cached")


def test_features_come_back_bit_for_bit(tmp_path: Path) -> None:
    features = np.random.default_rng(0).standard_normal((5, 7)).astype(np.float32)
    with FeatureCache(tmp_path, "f" * 64) as cache:
        assert cache.get("content") is None
        cache.put("content", CachedFeatures(features, "2 frames corrupt"))
    with FeatureCache(tmp_path, "f" * 64) as cache:
        found = cache.get("content")
    assert found is not None
    np.testing.assert_array_equal(found.features, features)
    assert found.damage == "2 frames corrupt"
    with FeatureCache(tmp_path, "f" * 64, device="cuda") as other:
        assert other.get("content") is None
    with FeatureCache(tmp_path, "e" * 64) as other:  # another backbone, say
        assert other.get("content") is None


def test_a_second_run_decodes_nothing(
    model: Model, examples: Sequence[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = labelled_features(model, examples, cache=tmp_path)
    monkeypatch.setattr(model, "read", refuse_to_decode)
    second = labelled_features(model, examples, cache=tmp_path)
    np.testing.assert_array_equal(first.streams[0], second.streams[0])
    assert first.examples == second.examples == tuple(examples)


def test_cached_features_are_those_of_the_encoder(
    model: Model, examples: Sequence[Example], tmp_path: Path
) -> None:
    data = labelled_features(model, examples, cache=tmp_path)
    codes = model.encode_features(data.streams)
    for row, example in enumerate(examples):
        one = model.encode(model.read(example.path))
        np.testing.assert_array_equal(codes.packed[row], one.packed[0])


def test_a_further_stream_takes_what_is_there_and_adds_its_own(
    examples: Sequence[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, both = (tiny_model(modality=m) for m in ("rgb", "difference", "difference,rgb"))
    both.network.backbones[0].load_state_dict(other.network.backbones[0].state_dict())
    both.network.backbones[1].load_state_dict(one.network.backbones[0].state_dict())
    rgb = labelled_features(one, examples[:3], cache=tmp_path).streams[0]
    asked: list[int] = []
    compute = both.stream_features

    def counted(clip: Clip, stream: int, *, mirrored: bool = False) -> Features:
        asked.append(stream)
        return compute(clip, stream, mirrored=mirrored)

    monkeypatch.setattr(both, "stream_features", counted)
    found = labelled_features(both, examples[:3], cache=tmp_path)
    assert asked == [0, 0, 0]  # the differences; the rgb features were there
    np.testing.assert_array_equal(found.streams[1], rgb)
    alone = labelled_features(other, examples[:3], cache=tmp_path / "anew").streams[0]
    np.testing.assert_array_equal(found.streams[0], alone)


def test_a_moved_file_is_found_and_a_changed_one_is_not(
    model: Model, examples: Sequence[Example], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    labelled_features(model, examples[:2], cache=cache)
    moved = tmp_path / "moved.mp4"
    shutil.copy(examples[0].path, moved)
    with FeatureCache(cache, model.features_fingerprints[0]) as store:
        assert store.get(content_digest(moved)) is not None
        moved.write_bytes(moved.read_bytes() + b"\0")
        assert store.get(content_digest(moved)) is None


def test_another_sampling_does_not_take_these_features(
    model: Model, examples: Sequence[Example], tmp_path: Path
) -> None:
    labelled_features(model, examples[:1], cache=tmp_path)
    labelled_features(tiny_model(seed=1), examples[:1], cache=tmp_path)  # other weights
    assert len(list(tmp_path.glob("*.sqlite"))) == 2


def test_unreadable_videos_are_left_out_and_named(
    model: Model, examples: Sequence[Example], tmp_path: Path
) -> None:
    junk, gone = tmp_path / "junk.mp4", tmp_path / "gone.mp4"
    junk.write_bytes(b"no video" * 99)
    bad = [Example(junk, "jump", "j", "database"), Example(gone, "jump", "g", "database")]
    data = labelled_features(model, [bad[0], *examples[:2], bad[1]], cache=tmp_path / "cache")
    assert data.examples == tuple(examples[:2])
    assert set(data.failures) == {junk, gone}
    with pytest.raises(DataError, match="None of the 2 videos can be read"):
        labelled_features(model, bad, cache=tmp_path / "cache")


def test_a_cache_that_is_no_cache_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / f"{'f' * 32}-cpu.sqlite").write_bytes(b"something else" * 100)
    with pytest.raises(BitreelError, match="delete it"):
        FeatureCache(tmp_path, "f" * 64)


def test_a_pipe_among_the_videos_is_named_and_not_waited_for(
    model: Model, examples: Sequence[Example], tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    rows = [*examples[:1], Example(pipe, "jump", "p", "database")]
    data = labelled_features(model, rows, cache=tmp_path / "cache")
    assert set(data.failures) == {pipe}


def test_damage_is_reported_again_from_the_cache(
    model: Model, examples: Sequence[Example], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.avi"
    write_video(damaged, np.zeros((60, 64, 64, 3), np.uint8), codec="mpeg4")
    damaged.write_bytes(damaged.read_bytes()[:-1500])
    rows = [Example(damaged, "jump", "d", "database"), *examples[:1]]
    first = labelled_features(model, rows, cache=tmp_path / "cache")
    second = labelled_features(model, rows, cache=tmp_path / "cache")
    assert set(first.damaged) == {damaged}
    assert second.damaged == first.damaged


def test_a_cache_damaged_while_in_use_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, "f" * 64) as cache:
        cache.put("content", CachedFeatures(np.zeros((2, 3), np.float32)))
    with closing(sqlite3.connect(cache.path)) as connection, connection:
        connection.execute("UPDATE features SET data = x'00'")
    with FeatureCache(tmp_path, "f" * 64) as cache, pytest.raises(BitreelError, match="delete it"):
        cache.get("content")
