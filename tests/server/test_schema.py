"""The API against what it says of itself: Schemathesis asks every route for what may be asked, and
for what may not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from bitreel.server import api, explaining, metrics_routes
from command_line import Trained
from live_server import live_server


def declared() -> list[tuple[str, str]]:
    """Method and path of every route, without a library to serve."""
    app = FastAPI()
    for part in (api, explaining, metrics_routes):
        app.include_router(part.router)
    return [(m.upper(), path) for path, found in app.openapi()["paths"].items() for m in found]


ROUTES = declared()


@pytest.fixture(scope="module")
def schema(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Of a server that has a video, a folder to index and a job."""
    folder = tmp_path_factory.mktemp("schema")
    shutil.copytree(trained.library, folder / "library")
    (folder / "more").mkdir()
    with live_server(folder / "library", folders=(folder / "more",)) as address:
        yield schemathesis.openapi.from_url(f"{address}/api/openapi.json")


def ask(schema: Any, method: str, path: str, examples: int) -> int:
    """How often it was asked."""
    asked = 0

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=schema[path][method].as_strategy())
    def run(case: Any) -> None:
        nonlocal asked
        asked += 1
        # What a video holds, or whether a range is in it, no schema can say.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    run()
    return asked


def test_every_route_of_the_server_is_asked(schema: Any) -> None:
    served = {(o.ok().method.upper(), o.ok().path) for o in schema.get_all_operations()}
    assert served == set(ROUTES)
    assert len(ROUTES) > 20


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_keeps_to_the_schema(schema: Any, method: str, path: str) -> None:
    assert ask(schema, method, path, 6)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_keeps_to_the_schema_however_it_is_asked(
    schema: Any, method: str, path: str
) -> None:
    assert ask(schema, method, path, 200)
