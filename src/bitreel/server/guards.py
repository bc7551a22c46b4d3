"""Who may ask, how often, and what a browser is told about what it gets."""

from __future__ import annotations

import hmac
import threading
import time
from collections import OrderedDict

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bitreel.server.problems import problem
from bitreel.server.settings import Settings

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "bitreel-token"
_OPEN_PATHS = ("/api/health",)  # tells nothing, and load balancers carry no token
_CALLERS = 10_000  # that are remembered

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class RateLimit:
    """So many a minute for each caller, a few at once at most: a bucket that drips."""

    def __init__(self, a_minute: int) -> None:
        self._a_second, self._most = a_minute / 60, max(1.0, a_minute / 6)
        self._callers: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._turn = threading.Lock()

    def admit(self, caller: str) -> float:
        """0.0 where the caller may go on, else in how many seconds it may."""
        now = time.monotonic()
        with self._turn:
            left, since = self._callers.pop(caller, (self._most, now))
            left = min(self._most, left + (now - since) * self._a_second)
            wait = 0.0 if left >= 1 else (1 - left) / self._a_second
            self._callers[caller] = (left - 1 if not wait else left, now)
            if len(self._callers) > _CALLERS:
                self._callers.popitem(last=False)
        return wait


class Guard:
    """An ASGI application in front of another: turns away who may not ask, and sends what browsers
    should know."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = _refusal(Request(scope), self._settings)
        await (refusal or self._app)(scope, receive, send_with_headers)


def _refusal(request: Request, settings: Settings) -> Response | None:
    if settings.is_loopback and request.url.hostname not in (*_LOOPBACK, *settings.names):
        # A name that leads here may be a foreign page's, which would read the answers.
        return problem(400, "This server answers to localhost alone.", "WrongHost")
    origin = request.headers.get("origin")
    if origin and request.method not in ("GET", "HEAD") and not _is_own(origin, request):
        return problem(403, "Another site may not change anything here.", "WrongOrigin")
    if settings.token is None or request.url.path in _OPEN_PATHS:
        return None
    if request.url.path == "/" and _same(request.query_params.get("token"), settings.token):
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            settings.token,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer
    header = request.headers.get("authorization", "").removeprefix("Bearer ")
    if _same(header, settings.token) or _same(request.cookies.get(COOKIE), settings.token):
        return None
    return problem(401, "A token is needed: open the address that the server printed.", "NoToken")


def _is_own(origin: str, request: Request) -> bool:
    return origin.split("://")[-1] == request.headers.get("host")


def _same(given: str | None, token: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), token.encode())
