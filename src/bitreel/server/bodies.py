"""How much a caller may send, looked at while it comes: what is too much is not kept first."""

from __future__ import annotations

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bitreel.server.problems import of_http
from bitreel.server.uploads import Uploads

UPLOADING = ("/api/search", "/api/explain", "/api/uploads")
_JSON_BYTES = 32 << 20  # of a long list of files
_FORM_BYTES = 1 << 20  # beside the file in it
_SILENT_SECONDS = 30.0  # of a caller who has more to send, and holds the place of another
_SLOWEST = 32_000  # bytes a second, of whoever has sent for longer than that
_DRAINED_BYTES = 64 << 20  # read to its end, so that who sends too much reads the answer


class Bodies:
    """An ASGI application in front of another, which gets no more than it may."""

    def __init__(self, app: ASGIApp, uploads: Uploads) -> None:
        self._app, self._uploads = app, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        kind = headers.get("content-type", "").strip().lower()
        uploading = scope["path"] in UPLOADING and kind.startswith("multipart/form-data")
        most = self._uploads.most_bytes + _FORM_BYTES if uploading else _JSON_BYTES
        if scope["path"] in UPLOADING and not uploading:
            most = _FORM_BYTES
        try:
            _check_declared(headers.get("content-length"), most)
            if uploading:
                async with self._uploads.turn():
                    await self._app(scope, _limited(receive, most), send)
            else:
                await self._app(scope, _limited(receive, most), send)
        except HTTPException as error:
            await _drain(receive)
            await of_http(error)(scope, receive, send)


def _check_declared(length: str | None, most: int) -> None:
    """Raises HTTPException (413)."""
    if length is not None and length.isdigit() and int(length) > most:
        raise _too_much(most)


def _too_much(most: int) -> HTTPException:
    return HTTPException(413, f"At most {most / 1e6:.0f} MB are taken: send less.")


def _limited(receive: Receive, most: int) -> Receive:
    """Raises HTTPException (413, 408) where more comes, nothing for long, or all of it so slowly
    that others wait in vain."""
    left, ended, began = most, False, anyio.current_time()

    async def limited() -> Message:
        nonlocal left, ended
        if ended:  # what comes now is that the caller went
            return await receive()
        allowed = began + _SILENT_SECONDS + (most - left) / _SLOWEST - anyio.current_time()
        try:
            with anyio.fail_after(min(_SILENT_SECONDS, allowed)):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "Too little came for long: send it again.") from None
        left -= len(message.get("body", b""))
        ended = not message.get("more_body", False)
        if left < 0:
            if not ended:
                await _drain(receive)
            raise _too_much(most)
        return message

    return limited


async def _drain(receive: Receive) -> None:
    left = _DRAINED_BYTES
    with anyio.move_on_after(_SILENT_SECONDS):
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if not message.get("more_body", False):
                return
