"""What the errors of Milvus mean, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bitreel.errors import ConfigError, LibraryError
from bitreel.library.store.address import Address


@contextmanager
def told(address: Address) -> Iterator[None]:
    """Turn what pymilvus and gRPC raise into one sentence about the server."""
    try:
        yield
    except (ConfigError, LibraryError):
        raise
    except Exception as error:  # pymilvus raises gRPC's own errors too, and plain ones
        raise LibraryError(sentence(address, error)) from error


def sentence(address: Address, error: Exception) -> str:
    said = str(getattr(error, "message", "") or error)
    lower = said.lower()
    where = f"Milvus at {address}"
    if address.is_lite and "open local milvus failed" in lower:
        return (
            f"{where} can not be opened: another process has the file open, or it is damaged. A "
            f"Lite file is for one process at a time; a server takes many."
        )
    if "binaryvector" in lower.replace("_", "").replace(" ", "") and "support" in lower:
        return (
            f"{where} has no binary vectors, so it can not hold codes: install "
            f"'milvus-lite>=2.5.1,<3', or use a server of version 2.3 or later."
        )
    if any(word in lower for word in ("unauthenticated", "auth check failure", "permission deny")):
        return f"{where} does not let you in: write http://USER:PASSWORD@HOST:19530/NAME."
    if any(
        word in lower for word in ("no space", "quota", "disk full", "memory limit", "rate limit")
    ):
        return (
            f"{where} takes no more ({_short(said)}): make room there, and do the same again. What "
            f"was written is kept."
        )
    if any(
        word in lower
        for word in ("connect", "unavailable", "deadline", "timeout", "not ready", "retry")
    ):
        return (
            f"{where} does not answer ({_short(said)}): see whether the server runs and is reached "
            f"from here, and do the same again. What was written is kept."
        )
    return f"{where} refused ({_short(said)})."


def _short(text: str, most: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
