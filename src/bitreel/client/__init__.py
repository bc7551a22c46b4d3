"""A library that a server holds, used as one on this disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bitreel.errors import ConfigError

if TYPE_CHECKING:
    from bitreel.client.remote import RemoteLibrary

__all__ = ["RemoteLibrary"]


def __getattr__(name: str) -> Any:
    """Loaded when it is used: the server has a use for `uris`, and none for an HTTP client."""
    if name not in __all__:
        raise AttributeError(f"module 'bitreel.client' has no attribute {name!r}")
    try:
        from bitreel.client.remote import RemoteLibrary
    except ImportError as error:
        raise ConfigError(
            f"A served library needs {error.name}: pip install 'bitreel[client]'."
        ) from error
    return RemoteLibrary
