"""The planned index of a library: it follows the catalogue, and is made anew where it can not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from library_helpers import BITS, make_video, put_code, rows, tiny_model

from bitreel.codes import BinaryCodes
from bitreel.errors import ConfigError, LibraryError
from bitreel.library import Library, searched_codes
from bitreel.search import ExactIndex, LSHIndex, MultiIndex, array_folder, planner

QUERY = np.random.default_rng(7).random((1, BITS)).astype(np.float32)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "library", tiny_model()) as made:
        fill(made, 60)
        yield made


@pytest.fixture
def mih_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few the codes, and whatever the clock says."""
    monkeypatch.setattr(planner, "MEASURED_FROM", 1)
    monkeypatch.setattr(planner, "WORTH", 0.0)


def fill(library: Library, count: int, *, first: int = 0) -> None:
    random = np.random.default_rng(first)
    for number in range(first, first + count):
        packed = BinaryCodes.from_bits(random.random((1, BITS)) < 0.5).packed[0]
        put_code(library, f"{number}.mp4", packed.tobytes())


def found(library: Library) -> list[tuple[int, int]]:
    near = library._searched.nearest(QUERY, 10, recall=1.0, rerank=False)[0]
    return [(one.distance_bits, one.segment_id) for one in near]


def twin(library: Library) -> list[tuple[int, int]]:
    """By comparing bit after bit, in what the catalogue holds now."""
    code = int.from_bytes(BinaryCodes.from_relaxed(QUERY).packed[0].tobytes())
    stored = rows(library.folder, "SELECT id, code FROM segments")
    answers = []
    for segment_id, other in stored:
        assert isinstance(segment_id, int)
        assert isinstance(other, bytes)
        answers.append(((code ^ int.from_bytes(other)).bit_count(), segment_id))
    return sorted(answers)[:10]


def remove_segment(library: Library, segment_id: int) -> None:
    catalogue = library._catalogue
    with catalogue.transaction(write=True):
        catalogue._execute("DELETE FROM segments WHERE id = ?", segment_id)
        catalogue._execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")


@pytest.mark.usefixtures("mih_wins")
def test_a_planned_index_is_what_the_next_process_searches(library: Library) -> None:
    plan = library.plan_index()
    assert plan.kind == "mih"
    with Library.open(library.folder) as other:
        assert isinstance(other._searched.index(), MultiIndex)
        assert found(other) == found(library) == twin(library)


@pytest.mark.usefixtures("mih_wins")
def test_the_saved_index_takes_what_the_catalogue_has_new_and_forgets_what_is_gone(
    library: Library,
) -> None:
    library.plan_index()
    fill(library, 25, first=100)
    nearest = found(library)[0][1]
    remove_segment(library, nearest)
    remove_segment(library, 85)  # the last one that was given out
    fill(library, 1, first=200)
    for one in (library, Library.open(library.folder)):
        assert isinstance(one._searched.index(), MultiIndex)
        assert found(one) == twin(library)
        assert len(one._searched.index()) == 84


@pytest.mark.parametrize("harm", ["gone", "flip", "junk", "version"])
@pytest.mark.usefixtures("mih_wins")
def test_an_index_that_can_not_be_used_is_made_anew(library: Library, harm: str) -> None:
    library.plan_index()
    folder = library.folder / "index"
    match harm:
        case "gone":
            shutil.rmtree(folder)
        case "flip":
            words = next(folder.glob("*words.npy"))
            words.write_bytes(words.read_bytes()[:-1] + b"\xff")
        case "junk":
            (folder / "manifest.json").write_text("{")
        case "version":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(array_folder, "FORMAT_VERSION", 2)
                library.plan_index()
    with Library.open(library.folder) as other:
        assert isinstance(other._searched.index(), ExactIndex)
        assert found(other) == twin(library)


@pytest.mark.usefixtures("mih_wins")
def test_an_index_of_another_library_or_of_a_later_state_is_not_taken(
    library: Library, tmp_path: Path
) -> None:
    library.plan_index()
    with Library.create(tmp_path / "other", tiny_model(seed=1)) as other:
        shutil.copytree(library.folder / "index", other.folder / "index")
        assert found(other) == []
    with Library.create(tmp_path / "same", tiny_model()) as same:
        shutil.copytree(library.folder / "index", same.folder / "index")
        assert found(same) == []


@pytest.mark.usefixtures("mih_wins")
def test_a_catalogue_that_was_put_back_and_went_on_is_told_from_the_one_that_was_indexed(
    library: Library, tmp_path: Path
) -> None:
    """It gives out the same ids for other codes."""
    folder = tmp_path / "restored"
    shutil.copytree(library.folder, folder)
    fill(library, 10, first=100)
    library.plan_index()
    shutil.copytree(library.folder / "index", folder / "index")
    with Library.open(folder) as restored:
        fill(restored, 12, first=500)
        assert found(restored) == twin(restored)


def test_an_exact_wish_is_never_answered_by_an_index_that_may_miss(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "MEASURED_FROM", 1)
    monkeypatch.setattr(planner, "WORTH", 0.0)
    assert library.plan_index(recall=0.5).kind == "lsh"
    with Library.open(library.folder) as other:
        assert isinstance(other._searched.index(0.5), LSHIndex)
        assert isinstance(other._searched.index(1.0), ExactIndex)
        assert found(other) == twin(library)
        assert isinstance(other._searched.index(0.5), LSHIndex)
        fill(library, 5, first=100)
        assert found(other) == twin(library)


def test_a_plan_is_due_when_there_are_many_and_again_when_they_doubled(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(searched_codes, "PLANNED_FROM", 61)
    index = library.folder / "index"
    library.add([])
    assert not index.exists()
    library.add([make_video(tmp_path / "videos" / "one.mp4", 1)])
    assert index.is_dir()
    before = library._searched.planned()
    fill(library, 60, first=100)
    library.add([])
    assert library._searched.planned() == before
    fill(library, 1, first=200)
    library.add([])
    assert library._searched.planned() != before


def test_a_full_disk_costs_the_index_and_no_video(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(searched_codes, "save_index", full)
    monkeypatch.setattr(searched_codes, "PLANNED_FROM", 1)
    assert library.add([make_video(tmp_path / "videos" / "one.mp4", 1)]).added == 1
    with pytest.raises(LibraryError, match="No space left on device"):
        library.plan_index()
    assert found(library) == twin(library)


@pytest.mark.parametrize("recall", [0.0, 1.5, float("nan")])
def test_a_recall_that_makes_no_sense(library: Library, recall: float, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="recall"):
        library.plan_index(recall=recall)
    with pytest.raises(ConfigError, match="recall"):
        library.search(make_video(tmp_path / "q.mp4", 2), recall=recall)
