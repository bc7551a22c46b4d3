"""The server as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from bitreel.server import api, explaining, metrics_routes, problems
from bitreel.server.bodies import Bodies
from bitreel.server.described import describe
from bitreel.server.guards import Guard
from bitreel.server.metrics import Measured, Metrics
from bitreel.server.settings import Settings
from bitreel.server.state import State
from bitreel.version import __version__


def create_app(settings: Settings) -> FastAPI:
    """Opens the library. Raises LibraryError where that fails."""
    state = State(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        state.close()

    app = FastAPI(
        title="bitreel",
        version=__version__,
        description="Find video clips that show the same action.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's page loads its scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.bitreel = state
    problems.install(app)
    app.state.metrics = Metrics(state)
    app.add_middleware(Bodies, uploads=state.uploads)  # the innermost first
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Measured, metrics=app.state.metrics, declared=lambda: app.openapi()["paths"])
    app.include_router(api.router)
    app.include_router(explaining.router)
    app.include_router(metrics_routes.router)
    describe(app)
    app.mount("/", StaticFiles(directory=str(files("bitreel.server") / "page"), html=True))
    return app
