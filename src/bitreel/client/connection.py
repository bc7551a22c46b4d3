"""Requests to a server: a busy one is asked again, and one that is gone is told of."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2

from bitreel.client.refusals import content_of
from bitreel.errors import ConfigError, LibraryError, UnreadableVideo
from bitreel.library.records import printable

_LEAST_WAIT_SECONDS = 0.5
_CONNECT_SECONDS = 10.0


class Connection:
    """Threads may share one. Raises ConfigError for what is no address of a server.

    timeout_seconds: of waiting for any one answer. patience_seconds: of waiting altogether for a
    server that says that it is busy, before each answer.
    """

    def __init__(
        self, address: str, token: str | None, timeout_seconds: float, patience_seconds: float
    ) -> None:
        try:
            url = httpx2.URL(address)
        except httpx2.InvalidURL as error:
            raise ConfigError(f"{address!r} is no address of a server: {error}.") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ConfigError(
                f"{address!r} is no address of a server: give one such as http://127.0.0.1:8000"
            )
        self.address = str(url.copy_with(query=None, fragment=None)).rstrip("/")
        self._timeout_seconds, self._patience_seconds = timeout_seconds, patience_seconds
        self._client = httpx2.Client(
            base_url=f"{self.address}/api/",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx2.Timeout(timeout_seconds, connect=_CONNECT_SECONDS),
            trust_env=not _is_loopback(url.host),  # a proxy would look for it on its own machine
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **params: object) -> Any:
        """What is not given (None) is left out."""
        return self._ask("GET", path, params=_given(params))

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)

    def post(self, path: str, json: object) -> Any:
        return self._ask("POST", path, json=json)

    def send(self, path: str, file: Path, **fields: object) -> Any:
        """A form with a file. Raises UnreadableVideo for one that can not be opened."""
        _check_file(file)
        return self._ask("POST", path, file=file, data=_given(fields))

    def _ask(self, method: str, path: str, file: Path | None = None, **parts: Any) -> Any:
        waited = 0.0
        while True:
            response = self._answer(method, path, file, parts)
            busy = response.status_code in (429, 503) and "retry-after" in response.headers
            if not busy:
                return content_of(response, self.address)
            wait = max(_LEAST_WAIT_SECONDS, _seconds(response.headers["retry-after"]))
            waited += wait
            if waited > self._patience_seconds:
                raise LibraryError(
                    f"The server at {self.address} is busy, and says to wait {wait:g} s more than "
                    f"the {waited - wait:g} s that were waited: try again later, or give a longer "
                    f"patience_seconds."
                )
            time.sleep(wait)

    def _answer(
        self, method: str, path: str, file: Path | None, parts: dict[str, Any]
    ) -> httpx2.Response:
        try:
            with ExitStack() as files:
                if file is not None:
                    content = files.enter_context(_opened(file))
                    kind = "application/octet-stream"
                    parts = parts | {"files": {"file": (printable(file.name), content, kind)}}
                return self._client.request(method, path, **parts)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise LibraryError(
                f"No server answers at {self.address} ({error}): start one by "
                f"`bitreel serve LIBRARY`, or check the address."
            ) from error
        except httpx2.TimeoutException as error:
            raise LibraryError(
                f"The server at {self.address} did not answer in {self._timeout_seconds:g} s: try "
                f"again, or give a longer timeout_seconds."
            ) from error
        except httpx2.TransportError as error:
            sent = f" while {printable(file)} was sent, which may be too large" if file else ""
            raise LibraryError(
                f"The server at {self.address} broke off{sent} ({error}): see what it says of "
                f"itself, and try again."
            ) from error


def _check_file(file: Path) -> None:
    if not file.exists():
        raise UnreadableVideo(f"{printable(file)} does not exist. Check the path.")
    if not file.is_file():
        raise UnreadableVideo(f"{printable(file)} is no regular file. Give a video.")
    _opened(file).close()


def _opened(file: Path) -> Any:
    try:
        return file.open("rb")
    except OSError as error:
        raise UnreadableVideo(
            f"{printable(file)} may not be read: {error.strerror}. Check the permissions of the "
            f"file."
        ) from None


def _given(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _seconds(retry_after: str) -> float:
    try:
        return float(retry_after)
    except ValueError:  # a date
        return 1.0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
