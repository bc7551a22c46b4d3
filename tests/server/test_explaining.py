"""Explanations over HTTP against those of the library itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bitreel.insight.distance_calibration import SharedLabel
from bitreel.insight.explanation import Explainer, Explanation
from bitreel.insight.frame_weights import FrameWeights
from bitreel.library import Library
from bitreel.server.app import create_app
from bitreel.server.settings import Settings
from command_line import Trained

LOCAL = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def folder(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explaining")
    shutil.copytree(trained.library, folder / "library")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    settings = Settings(folder / "library", cache=folder / "cache", searches_a_minute=100_000)
    with TestClient(create_app(settings), LOCAL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def explainer(folder: Path) -> Iterator[Explainer]:
    with Library.open(folder / "library") as library:
        yield Explainer(library)


def sent(path: Path) -> dict[str, Any]:
    return {"file": (path.name, path.read_bytes(), "video/mp4")}


def check(answer: Any, expected: Explanation) -> None:
    """That an answer says what the library says."""
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["distance_bits"] == expected.distance_bits
    assert [bit["query"] for bit in found["bits"]] == expected.bits.query.tolist()
    assert [bit["hit"] for bit in found["bits"]] == expected.bits.hit.tolist()
    assert expected.bits.relaxed is not None
    sure = [bit["relaxed"] for bit in found["bits"]]
    assert sure == pytest.approx(expected.bits.relaxed.tolist(), abs=1e-4)
    assert isinstance(expected.frames, FrameWeights)
    weights = [frame["weight_bits"] for frame in found["frames"]]
    assert weights == pytest.approx(expected.frames.weights_bits.tolist(), abs=1e-3)
    times = [frame["time_seconds"] for frame in found["frames"]]
    assert times == pytest.approx(expected.frames.times_seconds.tolist())
    shared = expected.shared_label
    assert isinstance(shared, SharedLabel)
    told = found["shared_label"]
    assert (told["share"], told["pairs"], told["base_pairs"]) == (
        shared.share,
        shared.pairs,
        shared.base_pairs,
    )
    assert told["low"] <= told["share"] <= told["high"]
    assert found["shared_label_unknown"] is found["frames_unknown"] is None
    assert found["hit_label"] == expected.hit_label


def problem(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


def test_a_segment_explained(client: TestClient, explainer: Explainer) -> None:
    answer = client.get("/api/segments/1/explanation", params={"hit": 7})
    check(answer, explainer.explain_stored([1], 7))
    video = client.get("/api/segments/1/similar", params={"k": 1}).json()["hits"][0]["video_id"]
    by_video = client.get(f"/api/videos/{video}/explanation", params={"hit": 7})
    assert by_video.status_code == 200


def test_an_upload_explained(client: TestClient, explainer: Explainer, trained: Trained) -> None:
    answer = client.post("/api/explain", files=sent(trained.query), data={"hit": "7"})
    check(answer, explainer.explain(trained.query, 7))
    part = {"hit": "7", "start": "0.1", "end": "0.3"}
    answer = client.post("/api/explain", files=sent(trained.query), data=part)
    check(answer, explainer.explain(trained.query, 7, start_seconds=0.1, end_seconds=0.3))


def test_what_can_not_be_explained(client: TestClient, trained: Trained) -> None:
    for hit in (0, 10**6, 2**63, 10**30):
        problem(client.get("/api/segments/1/explanation", params={"hit": hit}), 404)
        data = {"hit": str(hit)}
        problem(client.post("/api/explain", files=sent(trained.query), data=data), 404)
        problem(client.get(f"/api/segments/{hit}/explanation", params={"hit": 1}), 404)
        problem(client.get(f"/api/videos/{hit}/explanation", params={"hit": 1}), 404)
    problem(client.get("/api/segments/1/explanation"), 422)
    problem(client.get("/api/videos/1/explanation", params={"hit": 1, "start": 100}), 422)
    junk = {"file": ("junk.mp4", b"no video", "video/mp4")}
    told = problem(client.post("/api/explain", files=junk, data={"hit": "1"}), 422)
    assert told.startswith("junk.mp4 can not be read as a video")
    backwards = {"hit": "1", "start": "2", "end": "1"}
    problem(client.post("/api/explain", files=sent(trained.query), data=backwards), 422)


def test_explanations_count_as_searches(folder: Path) -> None:
    settings = Settings(folder / "library", cache=folder / "cache", searches_a_minute=12)
    with TestClient(create_app(settings), LOCAL, raise_server_exceptions=False) as client:
        answers = [
            client.get("/api/segments/1/explanation", params={"hit": 2}).status_code
            for _ in range(5)
        ]
    assert answers[:2] == [200, 200]
    assert 429 in answers
