"""Others who use a library while it is given another model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from library_helpers import (
    indexed_codes,
    make_video,
    make_videos,
    tiny_model,
)
from migrating_helpers import COUNT, WIDTHS, Stop, new_model, stop_at

from bitreel.errors import ModelChanged, ModelMismatch
from bitreel.library import (
    Library,
    query,
    searched_codes,
)
from bitreel.library.re_encoding import ReEncoding
from bitreel.model import Model
from bitreel.progress import Step

pytest_plugins = ["migrating_fixtures"]


def test_whoever_has_it_open_goes_on_with_the_new_model(
    folder: Path, videos: list[Path], tmp_path: Path
) -> None:
    video = make_video(tmp_path / "a.mp4", 60)
    with (
        Library.open(folder) as mover,
        Library.open(folder) as reader,
        Library.open(folder) as writer,
        Library.open(folder) as looker,
    ):
        assert reader.search(videos[0]).hits[0].similarity == 1
        mover.migrate(new_model(44))
        assert reader.search(videos[0]).hits[0].similarity == 1
        assert reader.bits == 44
        assert reader.model.fingerprint == new_model(44).fingerprint
        assert writer.add([video]).added == 1
        assert looker.codes()[1].bits == 44
        assert looker.status().bits == 44
        assert looker.export(tmp_path / "codes.npz").bits == 44
        mover.roll_back()
        assert reader.search(video).hits[0].path == video
        assert len(looker.codes()[0]) == COUNT + 1


def test_there_and_back_between_two_calls(folder: Path, videos: list[Path]) -> None:
    with Library.open(folder) as mover, Library.open(folder) as reader:
        with Library.open(folder, model=tiny_model()) as other:
            assert other.search(videos[1]).hits[0].path == videos[1]
            mover.migrate(new_model())
            mover.roll_back()
            assert other.search(videos[1]).hits[0].path == videos[1]
        assert reader.search(videos[1]).hits[0].path == videos[1]


def test_a_model_in_memory_is_not_changed_behind_ones_back(
    folder: Path, videos: list[Path]
) -> None:
    with Library.open(folder, model=tiny_model()) as opened, Library.open(folder) as mover:
        mover.migrate(new_model())
        for ask in (
            lambda: opened.search(videos[0]),
            lambda: opened.add(videos),
            opened.codes,
            opened.status,
        ):
            with pytest.raises(ModelMismatch, match="open it again") as caught:
                ask()
            assert str(caught.value).count(". ") == 0
    with Library.open(folder, model=new_model()) as opened:
        assert opened.search(videos[0]).hits[0].similarity == 1
        opened.roll_back()
        assert opened.search(videos[0]).hits[0].similarity == 1, "one's own doing is no surprise"
        assert opened.fingerprint == tiny_model().fingerprint


def test_a_query_that_was_encoded_before_the_swap_is_encoded_anew(
    folder: Path, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    original, models = query.query_of, []
    with Library.open(folder) as reader, Library.open(folder) as mover:

        def query_of(model: Model, *rest: Any) -> Any:
            asked = original(model, *rest)
            models.append(model.fingerprint)
            mover.migrate(new_model())  # the second time there is nothing to do
            return asked

        monkeypatch.setattr("bitreel.library.library.query_of", query_of)
        hit = reader.search(videos[2]).hits[0]
    assert models == [tiny_model().fingerprint, new_model().fingerprint]
    assert (hit.path, hit.distance_bits) == (videos[2], 0)


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_writer_with_the_old_model_puts_no_code_among_the_new(
    folder: Path, tmp_path: Path, expected: dict[str, dict[str, bytes]], bits: int
) -> None:
    more = make_videos(tmp_path / "more", 6, first=50)

    def swap(step: Step) -> None:
        if step.done == 2:
            with Library.open(folder) as mover:
                mover.migrate(new_model(bits))

    with Library.open(folder) as writer:
        with pytest.raises(ModelChanged, match=r"what was done before is kept\. Do the same again"):
            writer.add(more, progress=swap)
        assert {p.name for p in more[:2]} == indexed_codes(folder).keys() - expected[
            new_model().fingerprint
        ].keys(), "what was committed is there, by the new model"
        report = writer.add(more)
        assert (report.unchanged, report.added) == (2, 4)
    with Library.create(tmp_path / "anew", new_model(bits)) as anew:
        anew.add(more)
    codes = expected[new_model(bits).fingerprint] | indexed_codes(anew.folder)
    assert indexed_codes(folder) == codes


def test_a_thread_that_adds_while_another_moves_one_library_object(
    folder: Path, tmp_path: Path
) -> None:
    more = make_videos(tmp_path / "more", 4, first=50)
    with Library.open(folder) as library:

        def swap(step: Step) -> None:
            if step.done == 1:
                library.migrate(new_model())

        with pytest.raises(ModelChanged):
            library.add(more, progress=swap)
        assert library.add(more).added == 3
        assert library.search(more[3]).hits[0].path == more[3]


def test_videos_that_are_added_meanwhile_are_encoded_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = make_videos(tmp_path / "more", 2, first=50)
    original = ReEncoding.encode_missing
    rounds: list[int] = []

    def encode_missing(self: ReEncoding) -> None:
        original(self)
        rounds.append(1)
        if len(rounds) == 1:  # right before the last look
            with Library.open(folder, model=tiny_model()) as other:
                other.add([late])

    def add_early(step: Step) -> None:
        if step.done == 3:
            with Library.open(folder, model=tiny_model()) as other:
                other.add([early])

    monkeypatch.setattr(ReEncoding, "encode_missing", encode_missing)
    with Library.open(folder) as library:
        assert library.migrate(new_model(), progress=add_early).videos == COUNT + 2
        for video in (early, late):
            hit = library.search(video).hits[0]
            assert (hit.path, hit.distance_bits) == (video, 0)
    assert len(rounds) == 2


def test_a_file_that_changed_or_was_taken_out_meanwhile(folder: Path, tmp_path: Path) -> None:
    changing, leaving = make_videos(tmp_path / "more", 2, first=50)
    with Library.open(folder) as library, Library.open(folder) as other:
        library.add([changing, leaving])
        with pytest.raises(Stop):
            library.migrate(new_model(44), progress=stop_at(COUNT + 2))
        make_video(changing, 70)
        assert other.add([changing]).replaced == 1
        other._catalogue.remove([leaving])
        assert library.migrate(new_model(44)).videos == COUNT + 1
        hit = library.search(make_video(tmp_path / "same.mp4", 70)).hits[0]
        assert (hit.path, hit.distance_bits) == (changing, 0)


def test_an_index_that_was_planned_is_planned_for_the_new_codes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searched_codes, "PLANNED_FROM", 0)
    with Library.open(folder) as library:
        library.plan_index(recall=0.9, k=3)
        library.migrate(new_model(44))
        planned = library._searched.planned()
        assert planned is not None
        assert (planned["fingerprint"], planned["plan"]["wish"]) == (
            new_model(44).fingerprint,
            {"recall": 0.9, "k": 3},
        )
    with Library.open(folder) as library:
        assert library._searched.index(0.9).bits == 44
