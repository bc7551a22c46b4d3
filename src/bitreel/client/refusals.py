"""From what a server answers to the errors that a library raises."""

from __future__ import annotations

from typing import Any

import httpx2

from bitreel import errors
from bitreel.errors import BitreelError, ConfigError, LibraryError


def content_of(response: httpx2.Response, address: str) -> Any:
    """The JSON of a success. Raises what the library raised in the server, else LibraryError."""
    try:
        content = response.json()
    except ValueError:
        raise not_bitreel(address, f"{response.status_code} {response.reason_phrase}") from None
    if response.is_success:
        return content
    if not (isinstance(content, dict) and {"type", "status", "detail"} <= content.keys()):
        raise not_bitreel(address, f"{response.status_code} {response.reason_phrase}")
    raise error_of(str(content["type"]), str(content["detail"]), response.status_code, address)


def error_of(kind: str, detail: str, status: int, address: str) -> BitreelError:
    """As the error tree has it, where the kind is one of its names."""
    if status == 401:
        return LibraryError(
            f"The server at {address} wants a token: give RemoteLibrary the one that it was "
            f"started with, token=…"
        )
    known = getattr(errors, kind, None)
    if isinstance(known, type) and issubclass(known, BitreelError):
        return known(detail)
    if kind == "InvalidRequest":
        return ConfigError(detail)
    return LibraryError(f"The server at {address} refuses: {detail}")


def not_bitreel(address: str, answer: str) -> LibraryError:
    return LibraryError(
        f"What answers at {address} ({answer}) is no bitreel server, or one of another version: "
        f"check the address."
    )
