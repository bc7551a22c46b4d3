"""What a server does, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bitreel.errors import BitreelError
from bitreel.server.state import State

CONTENT_TYPE = "text/plain; version=0.0.4"
_METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"}
_SEARCHES = {
    "/api/search": "upload",
    "/api/similar": "segments",
    "/api/videos/{video_id}/similar": "video",
    "/api/segments/{segment_id}/similar": "segment",
}
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Of one app. Labels are routes as they are declared, never what a caller writes."""

    def __init__(self, state: State) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "bitreel_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "bitreel_request_seconds",
            "From a request to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._searches = Counter(
            "bitreel_searches",
            "Searches that found an answer, by what was asked with.",
            ["by"],
            registry=registry,
        )
        self._limited = Counter(
            "bitreel_rate_limited", "Requests of callers that ask too often.", registry=registry
        )
        for by in _SEARCHES.values():
            self._searches.labels(by)
        registry.register(_Holdings(state))
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request that was answered."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if status == 200 and route in _SEARCHES:
            self._searches.labels(_SEARCHES[route]).inc()
        if status == 429:
            self._limited.inc()


class Measured:
    """An ASGI application in front of another, whose answers are counted."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, declared: Callable[[], Iterable[str]]
    ) -> None:
        """declared: the paths of all routes, asked for when the first request comes."""
        self._app, self._metrics, self._declare = app, metrics, declared

    @cached_property
    def _declared(self) -> frozenset[str]:
        return frozenset(self._declare())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.count(scope["method"], _route_of(scope, self._declared), status, seconds)


class _Holdings(Collector):
    """What is there at the moment of the question."""

    def __init__(self, state: State) -> None:
        self._state = state

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # it is not asked before there is somebody to hear it

    def collect(self) -> Iterator[GaugeMetricFamily]:
        def gauge(name: str, told: str, value: float) -> GaugeMetricFamily:
            return GaugeMetricFamily(f"bitreel_{name}", told, value=value)

        jobs = sum(job.state == "running" for job in self._state.jobs.all())
        yield gauge("jobs_running", "Jobs that run or wait for their turn.", jobs)
        uploads = self._state.uploads.under_way
        yield gauge("uploads_in_progress", "Videos that are sent or looked at.", uploads)
        try:
            status = self._state.status()
        except BitreelError:
            yield gauge("library_up", "Whether the library can be read.", 0)
            return
        yield gauge("library_up", "Whether the library can be read.", 1)
        yield gauge("videos", "Videos that are indexed.", status.videos)
        yield gauge("segments", "Segments that have a code.", status.segments)
        yield gauge("quarantined", "Files that could not be read.", status.quarantined)
        yield gauge("library_bytes", "Of the library on its disk.", status.bytes_on_disk)


def _route_of(scope: Scope, declared: frozenset[str]) -> str:
    """As it is declared; one word for all that is none of the API."""
    parts = scope["path"].split("/")
    for name, value in scope.get("path_params", {}).items():
        places = [place for place, part in enumerate(parts) if part == str(value)]
        if places:
            parts[places[-1]] = f"{{{name}}}"
    path = "/".join(parts)
    return path if path in declared else "other"
