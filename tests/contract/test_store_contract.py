"""What every store promises. A new store is one more line in STORES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.library import VideoFilter
from bitreel.library.store.address import Address, parse_address
from bitreel.library.store.milvus_store import scratch_store
from bitreel.library.store.store import Store
from bitreel.library.store.verifying import Check, embedded, made_videos, verify
from bitreel.progress import silent
from milvus_server import MilvusServer

BITS = 64
Open = Callable[[], AbstractContextManager[Store]]


@pytest.fixture(
    params=[
        "embedded",
        "lite",
        pytest.param("server", marks=pytest.mark.milvus),
        pytest.param("server, IVF", marks=[pytest.mark.milvus, pytest.mark.slow]),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "embedded":
        with embedded(BITS) as made:
            yield made
        return
    with scratch_store(_address(request, tmp_path), BITS) as there:
        yield there


def _address(request: pytest.FixtureRequest, folder: Path) -> Address:
    if request.param == "lite":
        return parse_address(f"milvus:{folder / 'codes.db'}")
    asked = "?index=BIN_IVF_FLAT&nlist=64" if request.param.endswith("IVF") else ""
    server: MilvusServer = request.getfixturevalue("milvus_server")
    return parse_address(server.address("clips", asked))


def test_a_store_answers_as_the_embedded_one(store: Store) -> None:
    checks = list(verify(store, segments=2_000, progress=silent))
    assert [check for check in checks if check.wrong] == []
    assert len(checks) == 40


def test_distances_are_those_of_a_loop(store: Store) -> None:
    videos = made_videos(400, BITS, seed=1)
    store.add(videos)
    codes = [coded.code for video in videos for coded in video.segments]
    for code in codes[:3]:
        found = store.search(_codes([code]), 400)[0]
        bits = sorted(sum((a ^ b).bit_count() for a, b in zip(code, c, strict=True)) for c in codes)
        assert [near.distance_bits for near in found] == bits
        within = store.range(_codes([code]), 8)[0]
        assert [near.distance_bits for near in within] == [b for b in bits if b <= 8]


def test_there_may_be_nothing(store: Store) -> None:
    query = _codes([bytes(BITS // 8)])
    assert store.count() == 0
    assert store.search(query, 5) == [[]]
    assert store.range(query, BITS) == [[]]
    assert list(store.iterate()) == []
    assert store.delete([Path("/not/there.mp4")]) == 0
    store.add(made_videos(8, BITS, seed=0))
    assert store.search(query, 0) == [[]]
    assert store.search(query, 5, VideoFilter(label="not there")) == [[]]


def test_names_may_be_strange(store: Store) -> None:
    """Quotes, backslashes, per cent and other alphabets mean nothing to a filter."""
    from dataclasses import replace

    from bitreel.clip import Segment

    names = ['a"b', "a\\b", "50%_", "日本/ü", "a'b and c == 1", "{x}\t"]
    made = made_videos(4 * len(names), BITS, seed=2)
    videos = []
    for video, name in zip(made, names, strict=True):
        path = Path("/v") / f"{name}.mp4"
        segments = [
            replace(c, segment=Segment(path, c.segment.start_seconds, c.segment.end_seconds))
            for c in video.segments
        ]
        videos.append(replace(video, path=path, label=name, segments=segments))
    store.add(videos)
    for name in names:
        assert store.count(VideoFilter(label=name)) == 4
        assert store.count(VideoFilter(text=name)) == 4, name
    assert store.count(VideoFilter(folder=Path("/v/日本"))) == 4
    assert store.count(VideoFilter(folder=Path("/v"))) == 4 * len(names)
    assert store.delete([videos[0].path]) == 1
    assert store.count() == 4 * (len(names) - 1)


def test_all_equal_codes_come_in_the_order_of_ids(store: Store) -> None:
    """More are as near as any search asks for at first: which come does not depend on chance."""
    from dataclasses import replace

    code = bytes([7] * (BITS // 8))
    store.add(
        [
            replace(video, segments=[replace(c, code=code) for c in video.segments])
            for video in made_videos(2_000, BITS, seed=3)
        ]
    )
    ids = np.sort(np.concatenate([part.ids for part in store.iterate(300)]))
    found = store.search(_codes([code]), 10)[0]
    assert [near.segment_id for near in found] == ids[:10].tolist()
    assert len(store.range(_codes([code]), 0)[0]) == 2_000


@pytest.mark.slow
def test_twenty_thousand_segments(store: Store) -> None:
    assert [c for c in verify(store, seed=5, progress=silent) if c.wrong] == []


def test_verify_finds_a_store_that_answers_otherwise() -> None:
    with embedded(BITS) as store:
        plain = store.search

        def forgetful(queries: BinaryCodes, k: int, wanted: VideoFilter | None = None) -> object:
            return [rows[1:] for rows in plain(queries, k, wanted)]

        store.search = forgetful  # type: ignore[assignment, method-assign]
        wrong = [c for c in verify(store, segments=400, progress=silent) if c.wrong]
        assert wrong
        assert all("nearest" in c.name or "more than" in c.name for c in wrong)
        assert isinstance(wrong[0], Check)


def _codes(packed: list[bytes]) -> BinaryCodes:
    rows: NDArray[np.uint8] = np.frombuffer(b"".join(packed), np.uint8).reshape(len(packed), -1)
    return BinaryCodes(rows.copy(), BITS)
