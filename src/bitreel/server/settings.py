"""How a library is served."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from bitreel.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """folders: below which videos may be added over HTTP; none by default. token: what a caller has
    to show; needed where others than this machine can reach the server. searches_a_minute: of one
    caller. query_seconds: the longest range to search with. names: of hosts under which a reverse
    proxy passes requests on. uploads: where videos that were sent to stay are kept, by default in
    the library; most_uploads: how many of them. cache: where thumbnails and previews stay, of
    cache_bytes at most. Raises ConfigError.
    """

    library: Path | str
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    folders: tuple[Path, ...] = ()
    upload_bytes: int = 512 << 20
    uploads_at_once: int = 4
    searches_a_minute: int = 120
    query_seconds: float = 1800.0
    names: tuple[str, ...] = ()
    uploads: Path | None = None
    most_uploads: int = 1000
    cache_bytes: int = 2 << 30
    cache: Path = field(default_factory=lambda: default_cache())

    def __post_init__(self) -> None:
        if not self.is_loopback and not self.token:
            raise ConfigError(
                f"Whoever reaches {self.host} could see your videos: give a --token, or leave "
                f"--host out to serve this machine alone."
            )
        if self.names and not self.token:
            raise ConfigError(
                f"Whoever reaches {self.names[0]} could see your videos: give a --token."
            )
        for folder in self.folders:
            if not folder.is_dir():
                raise ConfigError(f"{folder} is no folder that is there: check --folder.")
        if self.most_uploads < 0:
            raise ConfigError(f"The server keeps 0 or more uploads, not {self.most_uploads}.")

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # a name, which may lead anywhere
            return False

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"


def default_cache() -> Path:
    from platformdirs import user_cache_path

    return Path(user_cache_path("bitreel")) / "previews"
