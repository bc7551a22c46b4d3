"""When the index of a library is written, planned anew, and found out to be of no use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bitreel.clip import Segment
from bitreel.codes import BinaryCodes
from bitreel.library import searched_codes
from bitreel.library.catalogue import Catalogue
from bitreel.library.listing import VideoFilter
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.library.searched_codes import SearchedCodes
from bitreel.progress import silent
from bitreel.search import ExactIndex, MultiIndex, Wish, planner

BITS = 64


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Multi-index hashing wins for three codes, and forty are worth an index."""
    monkeypatch.setattr(searched_codes, "PLANNED_FROM", 40)
    monkeypatch.setattr(planner, "MEASURED_FROM", 3)
    monkeypatch.setattr(planner, "WORTH", 0.0)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    made = Catalogue(tmp_path / "catalogue.sqlite", create=True)
    made.lay_out(bits=BITS, fingerprint="f", segmenting="{}")
    fill(made, 0, 40)
    yield made
    made.close()


def fill(catalogue: Catalogue, first: int, last: int) -> None:
    for number in range(first, last):
        path = Path(f"/nowhere/{number}.mp4")
        code = np.random.default_rng(number).bytes(BITS // 8)
        segments = (CodedSegment(Segment(path, 0.0, 1.0), code),)
        record = VideoRecord(path, FileState(1, 1), None, duration_seconds=1.0, segments=segments)
        assert catalogue.put(record) == "added"


def searched(catalogue: Catalogue) -> SearchedCodes:
    """As another process has it."""
    return SearchedCodes(catalogue.path.parent, catalogue, bits=BITS, fingerprint="f")


def check(catalogue: Catalogue, codes: SearchedCodes) -> None:
    """The index holds what the catalogue does."""
    ids, stored = catalogue.codes(bits=BITS)
    found = codes.index().search(stored, 1)
    np.testing.assert_array_equal(found.ids[:, 0], ids)
    np.testing.assert_array_equal(codes.index().ids, ids)


def revision_on_disk(codes: SearchedCodes) -> int:
    facts = codes.planned()
    assert facts is not None
    return int(facts["revision"])


def test_another_plan_is_for_the_same_wish(catalogue: Catalogue) -> None:
    searched(catalogue).plan(Wish(0.9, k=5), silent)
    fill(catalogue, 40, 80)
    later = searched(catalogue)
    assert later.is_plan_due()
    assert later.replan(silent).wish == Wish(0.9, k=5)
    assert not later.is_plan_due()


def test_the_first_plan_is_for_exact_answers(catalogue: Catalogue) -> None:
    codes = searched(catalogue)
    assert codes.is_plan_due()
    assert codes.replan(silent).wish == Wish()


def test_whether_a_plan_is_due_is_asked_of_no_code(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(catalogue).plan(Wish(), silent)
    for path in (catalogue.path.parent / "index").glob("*.npy"):
        path.write_bytes(b"")
    assert not searched(catalogue).is_plan_due()


def test_what_was_taken_from_the_catalogue_is_written_once_it_is_a_tenth(
    catalogue: Catalogue,
) -> None:
    searched(catalogue).plan(Wish(), silent)
    planned = revision_on_disk(searched(catalogue))
    fill(catalogue, 40, 44)
    check(catalogue, searched(catalogue))
    assert revision_on_disk(searched(catalogue)) == planned
    fill(catalogue, 44, 45)
    check(catalogue, searched(catalogue))
    assert revision_on_disk(searched(catalogue)) == catalogue.revision()
    opened = searched(catalogue)
    check(catalogue, opened)
    assert isinstance(opened.index(), MultiIndex)
    assert opened._unwritten == 0
    facts = opened.planned()
    assert facts is not None
    assert (facts["plan"]["kind"], facts["plan"]["codes"]) == ("mih", 40)
    # The one that planned follows and writes as well.
    fill(catalogue, 45, 55)
    check(catalogue, opened)
    assert revision_on_disk(opened) == catalogue.revision()


@pytest.mark.parametrize("harm", ["damaged", "junk", "gone"])
def test_in_place_of_an_index_that_can_not_be_used_an_exact_one_is_written(
    catalogue: Catalogue, harm: str
) -> None:
    """No other search reads the whole catalogue, and another index is planned for the old wish."""
    searched(catalogue).plan(Wish(0.9, k=5), silent)
    folder = catalogue.path.parent / "index"
    match harm:
        case "damaged":
            next(folder.glob("*words.npy")).write_bytes(b"")
        case "junk":
            (folder / "manifest.json").write_text("{")
        case "gone":
            (folder / "manifest.json").unlink()
    check(catalogue, searched(catalogue))
    opened = searched(catalogue)
    check(catalogue, opened)
    assert opened._unwritten == 0
    assert isinstance(opened.index(), ExactIndex)
    assert opened.is_plan_due()
    wish = Wish(0.9, k=5) if harm == "damaged" else Wish()
    assert opened.replan(silent).wish == wish


def test_a_disk_that_takes_no_index_costs_no_search(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(searched_codes, "save_index", full)
    codes = searched(catalogue)
    check(catalogue, codes)
    assert codes.planned() is None


def test_an_index_that_others_planned_meanwhile_stays(catalogue: Catalogue) -> None:
    searched(catalogue).plan(Wish(), silent)
    earlier = searched(catalogue)
    check(catalogue, earlier)
    fill(catalogue, 40, 60)
    searched(catalogue).plan(Wish(0.9), silent)
    check(catalogue, earlier)
    facts = searched(catalogue).planned()
    assert facts is not None
    assert facts["plan"]["wish"]["recall"] == 0.9


def test_few_codes_are_read_from_the_catalogue(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searched_codes, "PLANNED_FROM", 41)
        check(catalogue, searched(catalogue))
    assert not (tmp_path / "index").exists()


def test_relaxed_bits_find_what_their_code_does(catalogue: Catalogue) -> None:
    codes = searched(catalogue)
    codes.plan(Wish(0.9), silent)
    relaxed = np.random.default_rng(1).random((1, BITS)).astype(np.float32)
    true = codes.index(1.0).search(BinaryCodes.from_relaxed(relaxed), 5)
    (near,) = codes.nearest(relaxed, 5, recall=0.9, rerank=False)
    assert [one.segment_id for one in near] == true.ids[0].tolist()


def test_a_filter_that_is_remembered_follows_every_change(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    """By this process or another, of labels, places and segments."""
    codes, other = searched(catalogue), Catalogue(tmp_path / "catalogue.sqlite")
    path = [Path(f"/nowhere/{number}.mp4") for number in range(40)]
    run, below = VideoFilter(label="run"), VideoFilter(folder=Path("/nowhere"))
    content = b"0" * 16

    def same() -> tuple[int, int]:
        for wanted in (run, below):
            fitting = codes.allowed(wanted, set())
            np.testing.assert_array_equal(fitting, catalogue.segment_ids_of(wanted))
            assert codes.allowed(wanted, set()) is fitting, "it is remembered"
            own = {*fitting[::3].tolist(), 10**9, -1}
            kept = [one for one in fitting.tolist() if one not in own]
            assert codes.allowed(wanted, own).tolist() == kept
        return len(codes.allowed(run, set())), len(codes.allowed(below, set()))

    assert same() == (0, 40)
    catalogue.relabel(dict.fromkeys(path[:5], "run"))
    assert same() == (5, 40)
    other.relabel({path[0]: "jump", path[7]: "run", path[8]: "run"})
    assert same() == (6, 40)
    other.remove(path[30:])
    assert same() == (6, 30)
    segments = (CodedSegment(Segment(path[1], 0.0, 1.0), bytes(BITS // 8)),)
    record = VideoRecord(path[1], FileState(2, 2), None, 1.0, segments, content=content)
    assert other.put(record) == "replaced"
    assert same()[1] == 30
    assert other.move(path[1], Path("/elsewhere/1.mp4"), FileState(2, 2), "walk", content)
    assert same()[1] == 29
    fill(catalogue, 50, 52)
    assert same()[1] == 31
    for number in range(10):  # more than are remembered
        codes.allowed(VideoFilter(text=str(number)), set())
    assert same()[1] == 31
    other.close()
