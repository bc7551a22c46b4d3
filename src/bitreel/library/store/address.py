"""Where a library lies that is not a folder: on a Milvus server, or in a file of Milvus Lite."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bitreel.errors import ConfigError

Consistency = Literal["Strong", "Bounded", "Session", "Eventually"]
IndexKind = Literal["BIN_FLAT", "BIN_IVF_FLAT"]

_SERVER, _LITE = ("http://", "https://"), "milvus:"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}", re.ASCII)
_LITE_NAME = "bitreel"
_PORT = 19530


@dataclass(frozen=True)
class Address:
    """A library in Milvus.

    uri: of the server, or the path of a Lite file. name: of the library there. token:
    `user:password` or an API key. consistency: how fresh what a search sees must be; Strong waits
    for the server's clock, some 0.2 s; Bounded sees what was written five seconds ago, and all of
    one's own. index: BIN_FLAT compares every code; BIN_IVF_FLAT looks at `nprobe` of the `nlist`
    lists, all of them unless that is given, so that it is exact too until one says otherwise.
    partitions: over how
    many the segments are spread, by their video, so that what is asked of one video looks at one;
    for libraries of many millions, decided when they are made.
    """

    uri: str
    name: str
    token: str = field(default="", repr=False)
    consistency: Consistency = "Bounded"
    index: IndexKind = "BIN_FLAT"
    nlist: int = 1024
    nprobe: int | None = None
    partitions: int | None = None
    timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"{self.name!r} is no name for a library in Milvus: letters, digits and _ make "
                f"one, as in http://127.0.0.1:19530/clips."
            )
        for what, value, known in (
            ("consistency", self.consistency, get_args(Consistency)),
            ("index", self.index, get_args(IndexKind)),
        ):
            if value not in known:
                raise ConfigError(f"{what}={value} is not known: choose from {', '.join(known)}.")
        if self.nlist < 1 or (self.nprobe is not None and not 1 <= self.nprobe <= self.nlist):
            raise ConfigError(
                f"Of {self.nlist} lists {self.nprobe} can not be looked at: nprobe is 1 to nlist."
            )
        if self.partitions is not None and not 1 < self.partitions <= 4096:
            raise ConfigError(f"A library has 2 to 4096 partitions, got {self.partitions}.")
        if self.partitions is not None and self.is_lite:
            raise ConfigError("Milvus Lite has no partitions: leave them out.")
        if not self.timeout_seconds > 0:
            raise ConfigError(f"A timeout of {self.timeout_seconds:g} s makes no sense.")

    @property
    def is_lite(self) -> bool:
        return not self.uri.startswith(_SERVER)

    def __str__(self) -> str:
        """As people write it, without what is secret."""
        return f"{_LITE}{self.uri}" if self.is_lite else f"{self.uri}/{self.name}"


def is_address(text: str | Path) -> bool:
    """Whether this names a library in Milvus, and not a folder."""
    return str(text).startswith((*_SERVER, _LITE))


def parse_address(text: str) -> Address:
    """From `http://[user:password@]host:19530/NAME[?consistency=Strong&index=BIN_IVF_FLAT&nlist=
    &nprobe=&partitions=&timeout=]`, or `milvus:FILE.db` for a Lite file. Raises ConfigError."""
    if re.match(r"https?://[^/?]*[/?].*@", text):
        raise ConfigError(
            "A / or ? in a user or password is written %2F or %3F, as in "
            f"http://USER:PASS%2FWORD@HOST:{_PORT}/NAME."
        )
    text, _, asked = text.partition("?")
    options = _options(asked)
    if text.startswith(_LITE):
        path = Path(text.removeprefix(_LITE)).absolute()
        if path.suffix != ".db":
            raise ConfigError(f"{text} is no Milvus Lite file: its name ends with .db.")
        return Address(str(path), _LITE_NAME, **options)
    parts = urlsplit(text)
    name = parts.path.strip("/")
    if not parts.hostname or not name:
        raise ConfigError(
            f"{without_password(text)} does not name a library on a server: write "
            f"http://HOST:{_PORT}/NAME."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    uri = f"{parts.scheme}://{host}:{_port(parts, text)}"
    token = unquote(parts.netloc.rpartition("@")[0])
    return Address(uri, name, token, **options)


def without_password(text: str) -> str:
    """An address or a folder as it was written, to be shown."""
    return re.sub(r"^(https?://).*@", r"\1", text)


def _port(parts: SplitResult, text: str) -> int:
    try:
        return _PORT if parts.port is None else parts.port
    except ValueError:
        raise ConfigError(
            f"{without_password(text)} has no port that can be: write http://HOST:{_PORT}/NAME."
        ) from None


def _options(asked: str) -> dict[str, Any]:
    read = {
        "consistency": ("consistency", str),
        "index": ("index", str),
        "nlist": ("nlist", int),
        "nprobe": ("nprobe", int),
        "partitions": ("partitions", int),
        "timeout": ("timeout_seconds", float),
    }
    options: dict[str, Any] = {}
    for key, value in parse_qsl(asked, keep_blank_values=True):
        if key not in read:
            raise ConfigError(f"?{key}= is not known of a library: {', '.join(read)} are.")
        name, kind = read[key]
        try:
            options[name] = kind(value)
        except ValueError:
            raise ConfigError(f"?{key}={value} is no number.") from None
    return options
