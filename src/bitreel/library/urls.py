"""Videos that are no files of this machine: by a URL, of any store that fsspec reads.

A library knows a URL by a path: `s3://bucket/films/a.mp4` is `/s3:/bucket/films/a.mp4` there. So
whoever mounts the bucket at `/s3:/bucket` can watch what is found, and open it by its path.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from bitreel.errors import BitreelError, ConfigError, DataError, VideoError
from bitreel.library.records import FileState, Video, printable

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.+)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
_VERSIONS = ("ETag", "etag", "md5Hash", "generation", "VersionId")


class OutOfReach(VideoError):
    """A video that can not be had now, for a cause that is not in it: a later run tries again."""


def is_url(text: str | Path) -> bool:
    """Whether this names no file of this machine: `s3://…`, or the path that stands for it."""
    if isinstance(text, Path):
        parts = text.parts
        return len(parts) > 2 and parts[0] == "/" and bool(_SCHEME.fullmatch(parts[1]))
    found = _URL.fullmatch(text)
    return found is not None and found[1].lower() != "file"


def to_path(url: str) -> Path:
    """The path that stands for a URL. Raises ConfigError for one that no path can stand for."""
    found = _URL.fullmatch(url)
    path = Path(f"/{found[1]}:", found[2]) if found and found[2][0] != "/" else Path()
    if to_url(path) != url or ".." in path.parts:
        raise ConfigError(
            f"{url} can not be a video's address: write SCHEME://PLACE/NAME, without empty parts, "
            f". or .. between the slashes."
        )
    return path


def to_url(path: Path) -> str:
    """The inverse of `to_path`."""
    return f"{path.parts[1]}//{'/'.join(path.parts[2:])}" if is_url(path) else ""


def list_url(url: str) -> Iterator[Video]:
    """The videos under a URL, to any depth, with their states and unlabelled; or the one that it
    names. Raises DataError where that can not be listed, or where nothing is there."""
    with _asking(DataError, f"{url} can not be listed"):
        system, place = _open(url)
        with suppress(NotImplementedError):
            system.invalidate_cache()
        found = system.find(place, detail=True)
        names = {_whole(url, name): _complete(system, name, info) for name, info in found.items()}
    if not names:
        raise DataError(f"There is nothing at {url}: check the address.")
    for name, info in sorted(names.items()):
        if name == url or _is_video(name):
            yield Video(to_path(name), state=_state(info))


@contextmanager
def _asking(kind: type[BitreelError], what: str, *, then: str = "") -> Iterator[None]:
    """Within: a store is asked, of which each kind has errors of its own."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        raise kind(f"{what}: {_told(error)}.{then}") from error


def state_at(path: Path) -> FileState | None:
    """The state of the file that a path of this machine or of a URL names; None where there is
    none. Raises OutOfReach where its place does not answer."""
    if not is_url(path):
        return FileState.of(path)
    with _asking(OutOfReach, f"{to_url(path)} does not answer"):
        try:
            system, place = _open(to_url(path))
            info = system.info(place)
        except (FileNotFoundError, IsADirectoryError):
            return None
    return None if info.get("type") == "directory" else _state(info)


def fetch(path: Path, state: FileState, target: Path) -> None:
    """Copy what a URL names to a file here. Raises OutOfReach, also where it is not as long as it
    was when it was listed."""
    url = to_url(path)
    with _asking(OutOfReach, f"{url} can not be fetched", then=" Run this again."):
        system, place = _open(url)
        system.get_file(place, str(target))
        size = target.stat().st_size
    if state.size_bytes not in (size, _UNKNOWN_SIZE):
        raise OutOfReach(
            f"{url} has {size} bytes and had {state.size_bytes} when it was listed: run this again."
        )


_UNKNOWN_SIZE = 0  # some web servers do not tell


def _open(url: str) -> tuple[Any, str]:
    """The file system of a URL and the place in it. Raises ConfigError where a package lacks."""
    if find_spec("fsspec") is None:
        raise ConfigError(f"To read {url} takes fsspec: pip install 'bitreel[ray]'.")
    import fsspec

    try:
        system, place = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:  # of the store's own package, or no such scheme
        raise ConfigError(f"{url} can not be read: {_told(error)}.") from error
    return system, place


def _complete(system: Any, name: str, info: dict[str, Any]) -> dict[str, Any]:
    """What is known of a file. The links of a web page do not tell how much they lead to."""
    if info.get("size") is None and _is_video(name):
        return dict(system.info(name))
    return info


def _is_video(name: str) -> bool:
    from bitreel.video import VIDEO_SUFFIXES

    return PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES and "/." not in name


def _whole(url: str, name: str) -> str:
    """The URL of a file that a store names, often without a scheme."""
    return name if "://" in name else f"{url.partition('://')[0]}://{name.lstrip('/')}"


def _state(info: dict[str, Any]) -> FileState:
    """By size and time; where a store tells of a version, by that in place of the time."""
    size = int(info.get("size") or _UNKNOWN_SIZE)
    for key in _VERSIONS:
        if info.get(key):
            digest = hashlib.sha256(str(info[key]).encode()).digest()
            return FileState(size, int.from_bytes(digest[:7], "big"))
    for key in _TIMES:
        if (when := info.get(key)) is not None:
            return FileState(size, _nanoseconds(when))
    return FileState(size, 0)


def _nanoseconds(when: Any) -> int:
    if isinstance(when, datetime):
        return int(when.timestamp() * 1e9)
    if isinstance(when, int | float):
        return int(when * 1e9)
    return int.from_bytes(hashlib.sha256(str(when).encode()).digest()[:7], "big")


def _told(error: Exception) -> str:
    first = (str(error) or type(error).__name__).strip().splitlines()[0]
    return printable(first).rstrip(".")
