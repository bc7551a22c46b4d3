"""What a library in Milvus makes of changes by others, and of long questions."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from library_helpers import decodes_counted, make_video, make_videos, tiny_model

from bitreel.clip import Segment
from bitreel.errors import ConfigError, LibraryError, ModelChanged, NotInLibrary
from bitreel.library import Library, VideoFilter, VideosMissing
from bitreel.library.records import CodedSegment, FileState, VideoRecord
from bitreel.library.store import milvus_facts
from bitreel.library.store.address import parse_address, without_password
from bitreel.library.store.milvus_client import MilvusClient
from bitreel.library.store.milvus_facts import MilvusFacts
from bitreel.library.store.milvus_rows import segment_rows
from bitreel.library.store.verifying import made_videos
from bitreel.progress import Step
from bitreel.video import Segmenting

BITS = 64


@pytest.fixture
def place(tmp_path: Path) -> str:
    return f"milvus:{tmp_path / 'library.db'}"


def test_the_way_back_waits_for_what_is_under_way(place: str, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 2)
    old, new = tiny_model(bits=BITS), tiny_model(bits=BITS, seed=1)
    with Library.create(place, old) as library:
        library.add(videos)
        library.migrate(new)
        content = videos[0].read_bytes()
        videos[0].unlink()
        with pytest.raises(VideosMissing):
            library.migrate(tiny_model(bits=128, seed=2))
        way = library.status().migration
        assert way is not None
        assert (way.bits, way.done, way.total) == (128, 1, 2)
        with pytest.raises(LibraryError, match="on its way to the model"):
            library.roll_back()
        assert library.abandon_migration()
        videos[0].write_bytes(content)
        assert library.roll_back(forget_missing=True).model_fingerprint == old.fingerprint
        again = library.roll_back()
        assert (again.changed, again.model_fingerprint) == (False, old.fingerprint)
        assert library.migrate(new).model_fingerprint == new.fingerprint


def test_a_change_of_model_after_the_last_video_is_noticed(place: str, tmp_path: Path) -> None:
    """Whoever changed it may have looked for new videos before the last one was seen."""
    video = make_video(tmp_path / "a.mp4", 1)
    new = tiny_model(bits=BITS, seed=1)
    Library.create(place, tiny_model(bits=BITS)).close()
    with Library.open(place) as library, Library.open(place) as other:

        def change(step: Step) -> None:
            other.migrate(new)

        with pytest.raises(ModelChanged, match="Do the same again"):
            library.add([video], progress=change)
        assert library.add([video]).unchanged == 1
        assert library.fingerprint == new.fingerprint


def test_a_long_question_is_few_requests(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = [make_video(tmp_path / f"{number}.mp4", number, frames=400) for number in range(3)]
    model, segmenting = tiny_model(bits=BITS), Segmenting.of(2.0, 1.0, False)
    answers = []
    for where in (place, str(tmp_path / "folder")):
        with Library.create(where, model, segmenting=segmenting) as library:
            library.add(videos)
            number = next(e.video_id for e in library.ledger() if e.path == videos[0])
            assert number is not None
            ids = [segment.id for segment in library.video(number)[1]]
            assert len(ids) > 8
            with monkeypatch.context() as patch:
                asked = requests_counted(patch)
                found = library.similar(ids, k=5)
            answers.append([(hit.path, hit.distance_bits, hit.start_seconds) for hit in found.hits])
            if where == place:
                assert asked["search"] == 1
                assert asked["query"] < 8
            with pytest.raises(NotInLibrary, match="no segment 999999 "):
                library.similar([*ids, 999999])
    assert sorted(answers[0], key=str) == sorted(answers[1], key=str)


def test_many_videos_are_few_requests(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model(bits=BITS)
    with Library.create(tmp_path / "folder", model) as library:
        library._catalogue.put_all(
            [
                replace(video, label=str(n % 3))
                for n, video in enumerate(made_videos(2000, BITS, seed=0))
            ]
        )
        library.export(tmp_path / "codes.npz")
    with Library.create(place, model) as library:
        with monkeypatch.context() as patch:
            asked = requests_counted(patch)
            assert library.import_codes(tmp_path / "codes.npz").added == 500
        assert asked["query"] < 10
        assert library.status().labels == {"0": 167, "1": 167, "2": 166}
        with monkeypatch.context() as patch:
            asked = requests_counted(patch)
            assert library.import_codes(tmp_path / "codes.npz").unchanged == 500
            known = library._catalogue.paths()
            library._catalogue.relabel(dict.fromkeys(known, "all"))
        assert asked["query"] < 20
        assert library.status().labels == {"all": 500}
        assert library._catalogue.stored.count('label == "all"') == 2000


def requests_counted(patch: pytest.MonkeyPatch) -> Counter[str]:
    asked = Counter[str]()

    def counted(name: str, real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            asked[name] += 1
            return real(*args, **options)

        return call

    for name in ("query", "search"):
        patch.setattr(MilvusClient, name, counted(name, getattr(MilvusClient, name)))
    return asked


def test_segments_are_told_as_they_are_asked_for(place: str, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 4)
    for where in (place, str(tmp_path / "folder")):
        with Library.create(where, tiny_model(bits=BITS)) as library:
            library.add(videos)
            ids = np.random.default_rng(0).permutation(library.codes()[0]).tolist()
            found = library._catalogue.segments_of_ids([*ids, ids[0]])
            assert [segment.id for segment in found] == [*ids, ids[0]]
            assert library._catalogue.segments_of_ids([]) == []


@pytest.mark.parametrize(("text", "count"), [("NDER", 1), ("Ünder", 1), ("ünder", 0), ("", 2)])
def test_letters_have_the_cases_that_a_folder_knows(
    place: str, tmp_path: Path, text: str, count: int
) -> None:
    videos = [make_video(tmp_path / name, n) for n, name in enumerate(("Ünder.mp4", "b.mp4"))]
    for where in (place, str(tmp_path / "folder")):
        with Library.create(where, tiny_model(bits=BITS)) as library:
            library.add(videos)
            assert library.list_videos(VideoFilter(text=text))[0] == count
            assert library.ledger_count(text=text) == count
            found = library.search(videos[1], wanted=VideoFilter(text=text))
            assert len(found.hits) == count


def test_what_a_killed_writer_mixed_up_is_not_taken_over(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment of another state of the file is there, and the line in the ledger is the old one:
    where the file moves, it is read again."""
    (video,) = make_videos(tmp_path / "videos", 1)
    with Library.create(place, tiny_model(bits=BITS)) as library:
        library.add([video])
        catalogue = library._catalogue
        (code,) = catalogue.segments_of(video)
        stray = CodedSegment(Segment(video, 5.0, 6.0), bytes(BITS // 8))
        record = VideoRecord(video, FileState(1, 1), None, 6.0, [stray])
        catalogue.stored.write(segment_rows(record))
        assert catalogue.segments_of(video) == []
        moved = video.rename(tmp_path / "moved.mp4")
        with decodes_counted(monkeypatch) as read:
            library.add([moved])
        assert read == [moved]
        (again,) = catalogue.segments_of(moved)
        assert (again.code, again.segment.path) == (code.code, moved)


def test_ids_of_an_array_are_asked_with(place: str, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 3)
    for where in (place, tmp_path / "folder"):
        with Library.create(where, tiny_model(bits=BITS)) as library:
            library.add(videos)
            found = library.similar(library.codes()[0][:1].tolist()).hits
            assert library.similar(list(library.codes()[0][:1])).hits == found


def test_a_path_that_comes_twice_is_as_one_after_the_other(place: str, tmp_path: Path) -> None:
    first, second = (
        replace(video, path=Path("/a.mp4"), segments=video.segments[:2], state=FileState(n, n))
        for n, video in enumerate(made_videos(8, BITS, seed=0))
    )
    batches = [
        [replace(first, label="x"), replace(first, label=None)],
        [replace(first, label="y"), replace(second, label=None)],
        [replace(second, label="z"), replace(first, label="line\nbreak")],
        [replace(first, label="line\nbreak")],
    ]
    said = []
    for where in (place, tmp_path / "folder"):
        with Library.create(where, tiny_model(bits=BITS)) as library:
            for batch in batches:
                catalogue = library._catalogue
                outcomes = catalogue.put_all(batch)
                entry = catalogue.entry(Path("/a.mp4"))
                label = entry.label.replace("\n", " ")
                wanted = VideoFilter(label=entry.label)
                count = len(library.list_videos(wanted)[1])
                said.append((outcomes, label, entry.state, count, catalogue.segments()))
    assert said[: len(batches)] == said[len(batches) :]


def test_facts_by_a_later_version_of_the_same_schema_are_read(place: str) -> None:
    Library.create(place, tiny_model(bits=BITS)).close()
    with closing(MilvusClient(parse_address(place))) as client:
        facts = MilvusFacts(client)
        known = facts.read()
        value = {"schema_version": 1, "bitreel": "9", "later": [1]} | asdict(known)
        client.upsert(facts.collection, [milvus_facts._row("facts", json.dumps(value))])
        assert facts.read() == known


def test_what_is_shown_has_no_password() -> None:
    assert without_password("http://me:p@ss@host:1/clips?x=1") == "http://host:1/clips?x=1"
    assert without_password("http://host/clips") == "http://host/clips"
    for text in ("http://me:p/ss@host:1/clips", "http://me:se?cret@host/clips"):
        assert without_password(text) in ("http://host:1/clips", "http://host/clips")
        with pytest.raises(ConfigError, match=r"written %2F or %3F") as raised:
            parse_address(text)
        assert "ss@" not in str(raised.value)
        assert "cret" not in str(raised.value)
    assert parse_address("http://me:p%2Fss@host:1/clips").token == "me:p/ss"
    assert without_password("folder/a@b") == "folder/a@b"
