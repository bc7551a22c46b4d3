"""Paths as URIs: exact, whatever bytes a name is made of. `Path.as_uri` writes them."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from bitreel.errors import ConfigError


def path_of(uri: str) -> Path:
    """The inverse of `Path.as_uri`. Raises ConfigError for what is no absolute path's."""
    try:
        parts = urlsplit(uri)
        raw = unquote_to_bytes(parts.path)
    except ValueError:
        raise ConfigError(f"{uri[:200]!r} is no URI.") from None
    is_other = parts.scheme != "file" or parts.netloc or parts.query or parts.fragment
    if is_other or not raw.startswith(b"/") or b"\0" in raw:
        raise ConfigError(f"{uri[:200]!r} is not the URI of a file by its absolute path.")
    return Path(os.fsdecode(raw))
