"""Explanations of hits, from a library alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bitreel.codes import hamming
from bitreel.errors import ConfigError, NotInLibrary, UnreadableVideo
from bitreel.insight import labelled_sample
from bitreel.insight.compared_bits import ComparedBits
from bitreel.insight.distance_calibration import SharedLabel, Unknown
from bitreel.insight.explanation import Explainer, explain
from bitreel.insight.frame_weights import FrameWeights, weigh_frames
from bitreel.library import Library, Video
from bitreel.model import Model
from command_line import Trained


@pytest.fixture(scope="module")
def library(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("explained") / "library"
    shutil.copytree(trained.library, folder)
    with Library.open(folder, runtime="torch") as library:
        yield library


def segment_of(library: Library, path: Path) -> int:
    _, videos = library.list_videos(limit=500)
    (video,) = [video for video in videos if video.path == path.resolve()]
    _, segments = library.video(video.id)
    return segments[0].id


def test_a_hit_of_a_file(library: Library, trained: Trained) -> None:
    hit = library.search(trained.query, k=5).hits[4]

    found = explain(library, trained.query, hit)

    assert found.distance_bits == hit.distance_bits
    clip = library.model.read(trained.query)
    relaxed = library.model.relaxed_bits([part[None] for part in library.model.features(clip)])[0]
    assert found.bits.relaxed is not None
    np.testing.assert_allclose(found.bits.relaxed, relaxed, atol=1e-6)
    np.testing.assert_array_equal(found.bits.query, relaxed >= 0.5)
    ids, codes = library.codes()
    stored = codes[ids == hit.segment_id]
    np.testing.assert_array_equal(found.bits.hit, stored.unpack()[0])
    assert (found.hit_segment_id, found.hit_label) == (hit.segment_id, hit.label)
    assert (found.hit.path, found.hit.end_seconds) == (hit.path, hit.end_seconds)
    assert found.query.path == trained.query
    assert isinstance(found.frames, FrameWeights)
    expected = weigh_frames(library.model, clip, stored)
    np.testing.assert_allclose(found.frames.weights_bits, expected.weights_bits, atol=1e-6)
    middles = clip.snippets[np.arange(4), clip.centres]
    np.testing.assert_allclose(found.frames.times_seconds, clip.times_seconds[middles])
    assert isinstance(found.shared_label, SharedLabel)
    assert found.shared_label.base_pairs == 48 * 47 // 2
    assert found.shared_label.base_share == pytest.approx(12 * 6 / (48 * 47 / 2))


def test_a_clip_and_a_range_are_explained_as_they_are_searched(
    library: Library, trained: Trained
) -> None:
    clip = library.model.read(trained.query, start_seconds=0.1, end_seconds=0.3)
    by_clip = explain(library, clip, library.search(clip, k=1).hits[0])
    hit = library.search(trained.query, k=1, start_seconds=0.1, end_seconds=0.3).hits[0]
    by_range = explain(library, trained.query, hit, start_seconds=0.1, end_seconds=0.3)
    assert by_clip.hit_segment_id == by_range.hit_segment_id
    np.testing.assert_array_equal(by_clip.bits.query, by_range.bits.query)
    assert by_range.query.start_seconds == pytest.approx(0.1)
    with pytest.raises(ConfigError, match="A clip is a range of a video already"):
        explain(library, clip, hit, start_seconds=0.1)


def test_a_stored_query_is_explained_from_its_file(library: Library) -> None:
    _, videos = library.list_videos(limit=1)
    query = segment_of(library, videos[0].path)
    hit = library.similar([query], k=3).hits[2]

    found = Explainer(library).explain_stored([query], hit)

    assert found.distance_bits == hit.distance_bits
    assert found.query.path == videos[0].path
    by_file = explain(library, videos[0].path, hit)
    assert found.bits.relaxed is not None
    assert by_file.bits.relaxed is not None
    np.testing.assert_allclose(found.bits.relaxed, by_file.bits.relaxed, atol=1e-6)
    assert isinstance(found.frames, FrameWeights)
    assert isinstance(by_file.frames, FrameWeights)
    np.testing.assert_allclose(found.frames.weights_bits, by_file.frames.weights_bits, atol=1e-6)


@pytest.mark.parametrize("how", ["gone", "another", "junk", "link"])
def test_without_its_file_a_stored_query_has_its_bits(
    library: Library, trained: Trained, tmp_path: Path, how: str
) -> None:
    path = Path(shutil.copy(trained.query, tmp_path / "mine.mp4"))
    library.add([path])
    query = segment_of(library, path)
    hit = library.similar([query], k=1).hits[0]
    state = path.stat()
    path.unlink()
    if how == "another":
        path.write_bytes(b"x")
    elif how == "junk":
        path.write_bytes(b"x" * state.st_size)
        os.utime(path, ns=(state.st_mtime_ns, state.st_mtime_ns))
    elif how == "link":
        path.symlink_to(trained.query)

    found = Explainer(library).explain_stored([query], hit)

    assert found.distance_bits == hit.distance_bits
    assert found.bits.relaxed is None
    assert isinstance(found.frames, Unknown)
    expected = "can not be read as a video" if how == "junk" else "is gone, or is another now"
    assert expected in str(found.frames)


def test_what_is_not_there(library: Library, trained: Trained, tmp_path: Path) -> None:
    explainer = Explainer(library)
    with pytest.raises(NotInLibrary, match="no segment 99999"):
        explainer.explain(trained.query, 99999)
    with pytest.raises(NotInLibrary, match="no segment 99999"):
        explainer.explain_stored([99999], 1)
    with pytest.raises(UnreadableVideo, match="does not exist"):
        explainer.explain(tmp_path / "gone.mp4", 1)


def test_of_several_segments_the_nearest_is_explained(library: Library) -> None:
    explainer = Explainer(library)
    ids, codes = library.codes()
    distances = hamming(codes, codes[[0]])[:, 0]
    asked = [int(np.argmax(distances)) + 1, int(np.argmin(distances[1:])) + 2]
    found = explainer.explain_stored([int(ids[at - 1]) for at in asked], int(ids[0]))
    assert found.distance_bits == distances[1:].min() < distances.max()
    with pytest.raises(ConfigError, match="at least one segment"):
        explainer.explain_stored([], 9)


# What the labels tell


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Something for each time that the labels were counted."""
    times: list[int] = []
    original = labelled_sample._calibrate

    def calibrate(*given: object) -> object:
        times.append(1)
        return original(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(labelled_sample, "_calibrate", calibrate)
    return times


def test_labels_are_counted_once_for_each_state_of_the_library(
    trained: Trained, tmp_path: Path, counted: list[int]
) -> None:
    shutil.copytree(trained.library, tmp_path / "library")
    with Library.open(tmp_path / "library", runtime="torch") as library:
        explainer = Explainer(library)
        first = explainer.explain_stored([1], 2)
        assert explainer.explain_stored([1], 2).shared_label is first.shared_label
        explainer.explain_stored([1], 3)
        assert len(counted) == 1
        library.add([trained.query])
        explainer.explain_stored([1], 2)
        assert len(counted) == 2
        library.add([Video(trained.query, "striped-disc-left")])  # the label alone is new
        third = explainer.explain_stored([1], 2)
        assert len(counted) == 3
        assert isinstance(third.shared_label, SharedLabel)
        assert third.shared_label.base_pairs == 49 * 48 // 2


def test_a_library_without_labels_says_so(trained: Trained, tmp_path: Path) -> None:
    with Library.create(tmp_path / "library", Model.load(trained.model)) as library:
        library.add([trained.query])
        found = Explainer(library).explain_stored([1], 1)
    assert found.shared_label == Unknown("the library's videos have no labels")
    assert found.distance_bits == 0


def test_only_so_many_segments_are_looked_at(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelled_sample, "SEGMENTS", 20)
    monkeypatch.setattr(labelled_sample, "LOOKS", 30)
    found = Explainer(library).explain_stored([1], 2).shared_label
    again = Explainer(library).explain_stored([1], 2).shared_label
    assert isinstance(found, SharedLabel)
    assert found.base_pairs == 20 * 19 // 2
    assert found == again, "the sample is drawn with a seed"


def test_bits_of_one_width() -> None:
    with pytest.raises(ValueError, match="bits \\[K\\] of one width"):
        ComparedBits(np.zeros(3, bool), np.zeros(4, bool), None)
