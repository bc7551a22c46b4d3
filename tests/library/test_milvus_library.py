"""A library in Milvus does what the same library in a folder does; what a server may do to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from library_helpers import decodes_counted, make_video, make_videos, tiny_model

from bitreel.errors import ConfigError, LibraryError, ModelMismatch
from bitreel.library import Fate, Library, Video, VideoFilter, VideosMissing, collect
from bitreel.library.store import milvus_facts
from bitreel.library.store.address import Address, parse_address
from bitreel.library.store.milvus_client import MilvusClient
from bitreel.library.store.milvus_errors import sentence
from bitreel.library.store.milvus_facts import MilvusFacts
from bitreel.library.store.milvus_rows import segment_rows
from bitreel.library.store.milvus_store import MilvusStore, scratch_store
from bitreel.library.store.verifying import made_videos
from bitreel.video import WHOLE_VIDEOS, Segmenting
from milvus_server import MilvusServer

BITS = 64
on_a_server = pytest.mark.milvus


@pytest.fixture(params=["lite", pytest.param("server", marks=on_a_server)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return address_of(request, tmp_path)


@pytest.fixture(params=["lite", pytest.param("server", marks=[on_a_server, pytest.mark.slow])])
def lite_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a server takes its time to say what Lite says."""
    return address_of(request, tmp_path)


def address_of(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "lite":
        return f"milvus:{tmp_path / 'library.db'}"
    running: MilvusServer = request.getfixturevalue("milvus_server")
    return running.address(f"library_{os.urandom(4).hex()}")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Models that come from a server are kept here."""
    monkeypatch.setattr(milvus_facts, "models_folder", lambda: tmp_path / "models")
    return tmp_path / "models"


def answers(library: Library, videos: list[Path]) -> list[Any]:
    """All that does not depend on the ids of an engine, equal distances by path."""
    found: list[Any] = []
    for video in videos:
        for options in ({}, {"exclude_self": True}, {"wanted": VideoFilter(label="even")}):
            results = library.search(video, k=50, **options)
            hits = [
                (hit.distance_bits, str(hit.path), hit.start_seconds, hit.end_seconds, hit.label)
                for hit in results.hits
            ]
            assert [hit[0] for hit in hits] == sorted(hit[0] for hit in hits)
            found.append((results.segments, sorted(hits, key=str)))
    return found


def test_it_answers_as_a_library_in_a_folder(address: str, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 6)
    given = [Video(path, "even" if n % 2 == 0 else "odd") for n, path in enumerate(videos)]
    bad = tmp_path / "videos" / "bad.mp4"
    bad.write_bytes(b"junk")
    told = []
    for place in (address, str(tmp_path / "folder")):
        with Library.create(place, tiny_model(bits=BITS)) as library:
            report = library.add([*given, bad])
            assert (report.added, report.failed) == (6, 1)
            status = library.status()
            listed = library.list_videos(VideoFilter(text="CLIP_"), offset=1, limit=3)
            page = library.ledger(Fate.QUARANTINED)
            told.append(
                (
                    answers(library, videos),
                    (status.videos, status.segments, status.quarantined, status.labels),
                    (listed[0], [video.path for video in listed[1]]),
                    [(entry.path, entry.reason) for entry in page],
                    library.ledger_count(text="junk"),
                )
            )
            assert library.add(given).unchanged == 6
    assert told[0] == told[1]


def test_what_is_synced_follows_the_folder(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "videos"
    for name in ("a", "b"):
        make_videos(folder / name, 3, first=10 * ord(name))
    with Library.create(address, tiny_model(bits=BITS)) as library:
        assert library.sync(collect([folder], labels=True)).added == 6
        before = {e.path.name: library.video(e.video_id) for e in library.ledger() if e.video_id}
        (folder / "a" / "clip_970.mp4").rename(folder / "b" / "moved.mp4")
        (folder / "a" / "clip_971.mp4").unlink()
        make_video(folder / "b" / "clip_980.mp4", 500)
        with decodes_counted(monkeypatch) as read:
            report = library.sync(collect([folder], labels=True))
        assert (report.moved, report.removed, report.replaced) == (1, 1, 1)
        assert [path.name for path in read] == ["clip_980.mp4"]
        moved = next(e for e in library.ledger() if e.path.name == "moved.mp4")
        assert moved.label == "b"
        assert len(library.codes()[0]) == 5
        assert len(library.ledger()) == 5
        assert before["clip_970.mp4"][1][0].end_seconds == moved_end(library, moved.video_id)


def moved_end(library: Library, video_id: int | None) -> float:
    assert video_id is not None
    return library.video(video_id)[1][0].end_seconds


def test_long_videos_have_segments_that_join_in_places(lite_address: str, tmp_path: Path) -> None:
    video = make_video(tmp_path / "long.mp4", 3, frames=400)
    cut = Segmenting.of(4.0, 2.0, False)
    hits = []
    for place in (lite_address, tmp_path / "folder"):
        with Library.create(place, tiny_model(bits=BITS), segmenting=cut) as library:
            library.add([video])
            assert library.status().segments > 4
            results = library.search(video, start_seconds=4, end_seconds=8)
            hits.append([(h.start_seconds, h.end_seconds, h.distance_bits) for h in results.hits])
    assert hits[0] == hits[1]


def test_it_brings_its_model_along(address: str, tmp_path: Path, own_cache: Path) -> None:
    videos = make_videos(tmp_path / "videos", 2)
    model = tiny_model(bits=BITS)
    with Library.create(address, model, segmenting=WHOLE_VIDEOS) as library:
        library.add(videos)
    assert not own_cache.exists()
    with Library.open(address) as library:
        assert library.model.fingerprint == model.fingerprint
        assert library.search(videos[1], k=1).hits[0].path == videos[1]
        assert library.segmenting == WHOLE_VIDEOS
    assert (own_cache / model.fingerprint / "model.json").is_file()


def test_codes_are_exported_and_imported(lite_address: str, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 5)
    model = tiny_model(bits=BITS)
    with Library.create(lite_address, model) as library:
        library.add(videos)
        library.export(tmp_path / "codes.npz")
        found = answers(library, videos)
    with Library.create(tmp_path / "folder", model) as library:
        assert library.import_codes(tmp_path / "codes.npz").added == 5
        assert answers(library, videos) == found
        library.export(tmp_path / "back.npz")
    with scratch_library(lite_address, model) as library:
        assert library.import_codes(tmp_path / "back.npz").added == 5
        assert library.import_codes(tmp_path / "back.npz").unchanged == 5
        assert answers(library, videos) == found


def scratch_library(address: str, model: Any) -> Library:
    """Another one in the same place."""
    asked = parse_address(address)
    return Library.create(replace(asked, name=f"{asked.name}_other"), model)


def test_it_is_given_another_model_and_goes_back(address: str, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 4)
    bad = tmp_path / "videos" / "bad.mp4"
    bad.write_bytes(b"junk")
    old, new = tiny_model(bits=BITS), tiny_model(bits=128, seed=1)
    with Library.create(address, old) as library, Library.open(address) as other:
        library.add([Video(videos[0], "first"), *videos, bad])
        before = library.codes()[1].packed.tolist()
        report = library.migrate(new)
        assert (report.changed, report.bits, report.videos, report.segments) == (True, 128, 4, 4)
        assert library.bits == 128
        assert other.search(videos[0], k=1).hits[0].path == videos[0]  # noticed
        assert other.fingerprint == new.fingerprint
        assert [e.path for e in library.ledger(Fate.QUARANTINED)] == [bad]
        assert library.status().labels == {"first": 1}
        library.add([Video(videos[0], "other")])
        kept = library.status().kept_model
        assert kept is not None
        assert (kept.model_fingerprint, kept.videos) == (old.fingerprint, 4)
        assert not library.migrate(new).changed
        added = make_video(tmp_path / "videos" / "late.mp4", 77)
        library.add([added])
        assert library.roll_back().videos == 5
        assert library.status().labels == {"other": 1}
        assert library.fingerprint == old.fingerprint
        assert [c for c in library.codes()[1].packed.tolist() if c in before] != []
        assert library.discard_previous()
        assert library.status().kept_model is None
        with pytest.raises(LibraryError, match="Nothing is kept"):
            library.roll_back()


def test_a_migration_waits_for_videos_that_are_away(lite_address: str, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 3)
    new = tiny_model(bits=BITS, seed=1)
    with Library.create(lite_address, tiny_model(bits=BITS)) as library:
        library.add(videos)
        content = videos[0].read_bytes()
        videos[0].unlink()
        with pytest.raises(VideosMissing, match="1 videos"):
            library.migrate(new)
        way = library.status().migration
        assert way is not None
        assert (way.model_fingerprint, way.done, way.total) == (new.fingerprint, 2, 3)
        with pytest.raises(LibraryError, match="on its way"):
            library.migrate(tiny_model(bits=BITS, seed=2))
        assert library.search(videos[1], k=1).hits[0].path == videos[1]
        videos[0].write_bytes(content)
        os.utime(videos[0], ns=(1, library.ledger()[0].state.mtime_ns))
        assert library.migrate().videos == 3
        videos[1].unlink()
        assert library.roll_back(forget_missing=True).videos in (2, 3)


def test_a_migration_is_given_up(lite_address: str, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 2)
    with Library.create(lite_address, tiny_model(bits=BITS)) as library:
        library.add(videos)
        videos[0].unlink()
        with pytest.raises(VideosMissing):
            library.migrate(tiny_model(bits=BITS, seed=1))
        assert library.abandon_migration()
        assert not library.abandon_migration()
        assert library.status().migration is None
        with pytest.raises(LibraryError, match="name its new model"):
            library.migrate()


def test_reranking_orders_as_in_a_folder(lite_address: str, tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "videos", 5)
    found = []
    for place in (lite_address, str(tmp_path / "folder")):
        with Library.create(place, tiny_model(bits=BITS)) as library:
            library.add(videos)
            hits = library.search(videos[2], rerank=True).hits
            found.append([(hit.path, hit.asymmetric_bits) for hit in hits])
    assert found[0] == found[1]


def test_another_model_is_refused(lite_address: str, tmp_path: Path) -> None:
    Library.create(lite_address, tiny_model(bits=BITS)).close()
    with pytest.raises(ModelMismatch, match="library's own"):
        Library.open(lite_address, model=tiny_model(bits=BITS, seed=4))
    with pytest.raises(LibraryError, match="is a library already"):
        Library.create(lite_address, tiny_model(bits=BITS))
    with pytest.raises(ConfigError, match="made of"):
        Library.open(lite_address, segmenting=Segmenting.of(9.0, None, None))
    with pytest.raises(ConfigError, match="whole bytes"):
        Library.create(f"{lite_address}".replace(".db", "2.db"), tiny_model(bits=20))


def test_a_library_by_a_later_version_is_refused(lite_address: str) -> None:
    Library.create(lite_address, tiny_model(bits=BITS)).close()
    client = MilvusClient(parse_address(lite_address))
    facts = MilvusFacts(client)
    later = json.dumps({"schema_version": 99, "bitreel": "9.9.0"})
    client.upsert(facts.collection, [milvus_facts._row("facts", later)])
    with pytest.raises(LibraryError, match=r"was written by bitreel 9\.9\.0 with schema 99"):
        facts.read()
    client.upsert(facts.collection, [milvus_facts._row("facts", "no JSON")])
    with pytest.raises(LibraryError, match="make no sense"):
        facts.read()
    client.close()


def test_the_index_is_the_servers(lite_address: str) -> None:
    with (
        Library.create(lite_address, tiny_model(bits=BITS)) as library,
        pytest.raises(ConfigError, match="BIN_IVF_FLAT"),
    ):
        library.plan_index()


def test_names_that_milvus_can_not_keep_are_told(lite_address: str, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    try:
        video = make_video(tmp_path / name, 1)
    except OSError:
        pytest.skip("This file system takes no names that are not UTF-8.")
    good = make_video(tmp_path / "good.mp4", 2)
    with Library.create(lite_address, tiny_model(bits=BITS)) as library:
        library.add([video, good])
        assert library.status().videos == 1
        (entry,) = library.ledger(Fate.QUARANTINED)
        assert entry.reason is not None
        assert "not UTF-8" in entry.reason


@pytest.mark.parametrize(
    ("text", "uri", "name", "token"),
    [
        ("http://127.0.0.1:19530/clips", "http://127.0.0.1:19530", "clips", ""),
        ("https://host/clips/", "https://host:19530", "clips", ""),
        ("http://u:p%40ss@host:1/c_1", "http://host:1", "c_1", "u:p@ss"),
        ("http://[::1]:5/c", "http://[::1]:5", "c", ""),
    ],
)
def test_addresses(text: str, uri: str, name: str, token: str) -> None:
    address = parse_address(text)
    assert (address.uri, address.name, address.token) == (uri, name, token)
    assert "p@ss" not in str(address)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://host:19530/", "does not name a library"),
        ("http:///x", "does not name a library"),
        ("http://host:x/y", "no port"),
        ("http://host/9a", "no name"),
        ("http://host/a b", "no name"),
        ("http://host/a?consistency=Weak", "not known"),
        ("http://host/a?index=HNSW", "not known"),
        ("http://host/a?nprobe=9&nlist=8", "nprobe"),
        ("http://host/a?nlist=many", "no number"),
        ("http://host/a?x=1", "is not known"),
        ("http://host/a?timeout=0", "no sense"),
        ("http://host/a?partitions=1", "partitions"),
        ("milvus:a.db?partitions=4", "no partitions"),
        ("milvus:library", "ends with .db"),
    ],
)
def test_addresses_that_are_none(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_address(text)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Data type 100 BinaryVector not supported", "no binary vectors"),
        ("quota exceeded[reason=disk quota exceeded]", "takes no more"),
        ("No space left on device", "takes no more"),
        ("Deadline Exceeded", "does not answer"),
        ("auth check failure, please check username", "does not let you in"),
        ("Open local milvus failed", "refused"),
    ],
)
def test_errors_are_told_in_one_sentence(said: str, told: str) -> None:
    heard = sentence(parse_address("http://host/clips"), RuntimeError(said))
    assert told in heard
    assert "http://host:19530/clips" in heard


def test_a_server_that_is_absent() -> None:
    with pytest.raises(LibraryError, match="does not answer"):
        Library.open("http://127.0.0.1:9/clips?timeout=1")


def test_a_lite_file_is_for_one_process(tmp_path: Path) -> None:
    place = f"milvus:{tmp_path / 'one.db'}"
    with Library.create(place, tiny_model(bits=BITS)):
        other = subprocess.run(
            [sys.executable, "-m", "bitreel", "status", place],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert other.returncode == 1
    assert "one process at a time" in " ".join(other.stderr.split())
    assert "Traceback" not in other.stderr


@on_a_server
def test_partitions_want_a_later_server(milvus_server: MilvusServer) -> None:
    with pytest.raises(LibraryError, match=r"2\.4 or later for partitions"):
        Library.open(milvus_server.address("x", "?partitions=16"))


@on_a_server
@pytest.mark.slow
def test_what_a_killed_server_acknowledged_is_kept(milvus_server: MilvusServer) -> None:
    """Twice in the middle of inserts: nothing acknowledged is lost, nothing is there twice."""
    videos = made_videos(8_000, BITS, seed=7)
    parts = [videos[first : first + 50] for first in range(0, len(videos), 50)]
    server = milvus_server
    address = parse_address(server.address("killed", "?consistency=Strong&timeout=10"))
    patient = replace(address, timeout_seconds=120.0)  # it reads its log again first
    done = 0
    for kill_at in (12, 26):
        done = _add_until_killed(server, address, parts, done, kill_at)
        server.start()
        with _open(patient) as client:
            store = MilvusStore(client, "killed", BITS)
            store.load()
            acknowledged = [video.path for part in parts[:done] for video in part]
            known = [row["path"] for row in store.files.rows("", ("path",))]
            assert set(acknowledged) <= set(map(Path, known))

            def times(store: MilvusStore = store, paths: list[Path] = acknowledged) -> object:
                found = Counter(path for rows in store.iterate() for path in rows.paths)
                return Counter(found[path] for path in paths)

            _wait_for(times, {4: len(acknowledged)})
    with _open(patient) as client:
        store = MilvusStore(client, "killed", BITS)
        for part in parts:
            store.add(part)
        _wait_for(store.count, 8_000)
        ids = np.concatenate([rows.ids for rows in store.iterate()])
        assert len(set(ids.tolist())) == len(ids) == 8_000


def _wait_for(asked: Callable[[], object], expected: object) -> None:
    """Of a server that just came back: on a busy machine it was seen to answer for a moment as if
    it had nothing."""
    seen = [asked()]
    until = time.monotonic() + 120
    while seen[-1] != expected and time.monotonic() < until:
        time.sleep(1)
        seen.append(asked())
    print(f"{len(seen)} looks, the first {seen[0]}")
    assert seen[-1] == expected, f"it had {seen}"


def _open(address: Address) -> Any:
    return closing(MilvusClient(address))


def _add_until_killed(
    server: MilvusServer, address: Address, parts: list[Any], done: int, kill_at: int
) -> int:
    """How many parts were acknowledged before the server was killed under an insert."""
    killer = threading.Thread(target=server.kill)
    with _open(address) as client:
        store = MilvusStore(client, "killed", BITS)
        store.create()
        for number in range(done, len(parts)):
            if number == kill_at:
                killer.start()
            try:
                store.add(parts[number])
            except LibraryError:
                break
            done = number + 1
    assert done < len(parts), "it was not killed in the middle"
    killer.join()
    return done


def test_what_a_killed_writer_left_is_not_found_for_ever(tmp_path: Path) -> None:
    """It was killed after the segments and before the line in the ledger; then the file changed."""
    address = parse_address(f"milvus:{tmp_path / 'broken.db'}")
    (video,) = made_videos(4, BITS, seed=0)
    with scratch_store(address, BITS) as store:
        store.stored.write(segment_rows(video))
        assert store.count() == 4
        shorter = replace(video, segments=video.segments[:2], duration_seconds=4.0)
        store.add([shorter])
        assert store.count() == 2


def test_how_a_library_was_made_holds(tmp_path: Path) -> None:
    made = Address(str(tmp_path / "made.db"), "bitreel", nlist=64)
    Library.create(made, tiny_model(bits=BITS)).close()
    with Library.open(f"milvus:{tmp_path / 'made.db'}") as library:
        assert library._catalogue.client.address.nlist == 64


def test_no_message_tells_a_password() -> None:
    for text in ("http://me:secret@host:1/", "http://me:secret@host:x/y"):
        with pytest.raises(ConfigError) as raised:
            parse_address(text)
        assert "secret" not in str(raised.value)
    assert "secret" not in repr(parse_address("http://me:secret@host/y"))


def test_a_scratch_store_goes(tmp_path: Path) -> None:
    address = parse_address(f"milvus:{tmp_path / 'scratch.db'}")
    with scratch_store(address, BITS) as store:
        store.add(made_videos(8, BITS, seed=0))
        assert store.count() == 8
    with _open(address) as client:
        assert client.collections() == []
