"""Frame features on disk, keyed by what produced them, so that a second run decodes nothing.

One SQLite file for each fingerprint of the cached half of the road (backbone weights, sampling,
modality, precision), one row for each video, keyed by the content of its file: a file that moved is
found again, one that changed is not.
"""

from __future__ import annotations

import hashlib
import sqlite3
import stat
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from bitreel.errors import BitreelError, UnreadableVideo

SCHEMA = """
CREATE TABLE IF NOT EXISTS features (
    content TEXT PRIMARY KEY,      -- blake2b of the video file
    frames INTEGER NOT NULL,       -- T
    damage TEXT,                   -- what was wrong with the frames, NULL when nothing
    data BLOB NOT NULL             -- float32, little-endian, [T,D] row by row
)"""


_TRIES, _PAUSE_SECONDS = 200, 0.05


def default_cache() -> Path:
    """The folder of this user's caches."""
    return Path(user_cache_path("bitreel")) / "features"


@dataclass(frozen=True, eq=False)
class CachedFeatures:
    """features: float32 [...,D]. damage: what was wrong with the frames, None when nothing."""

    features: NDArray[np.float32]
    damage: str | None = None


class FeatureCache:
    """Features of videos, for one features fingerprint and kind of device. A context manager.

    Devices round differently, so what a GPU gave is no answer for a CPU.
    """

    def __init__(self, folder: Path, features_fingerprint: str, *, device: str = "cpu") -> None:
        self.path = folder / f"{features_fingerprint[:32]}-{device}.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=60)
            self._use_write_ahead_log()
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def _use_write_ahead_log(self) -> None:
        """Who else makes the same file at the same time locks it for a moment, and SQLite does not
        wait for that by itself."""
        for left in reversed(range(_TRIES)):
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if not left or "locked" not in str(error):
                    raise
                time.sleep(_PAUSE_SECONDS)

    def __enter__(self) -> FeatureCache:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, content: str) -> CachedFeatures | None:
        """Features [T,D] of the file with that content, if they are there."""
        query = "SELECT frames, damage, data FROM features WHERE content = ?"
        try:
            with closing(self._connection.execute(query, (content,))) as cursor:
                row = cursor.fetchone()
            if row is None:
                return None
            frames, damage, data = row
            features = np.frombuffer(data, dtype="<f4").reshape(frames, -1).astype(np.float32)
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise self._unusable(error) from error
        return CachedFeatures(features, damage)

    def put(self, content: str, cached: CachedFeatures) -> None:
        """Keep features [T,D]. Committed at once: a killed run loses the video in hand, no more."""
        data = np.ascontiguousarray(cached.features, dtype="<f4").tobytes()
        try:
            with self._connection:
                self._connection.execute(
                    "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?)",
                    (content, len(cached.features), cached.damage, data),
                )
        except sqlite3.Error as error:
            raise BitreelError(
                f"The feature cache {self.path} can not be written ({error}): free some space, or "
                f"name another folder with --cache."
            ) from error

    def _unusable(self, error: Exception) -> BitreelError:
        return BitreelError(
            f"The feature cache {self.path} can not be used ({error}): delete it, or name another "
            f"folder with --cache."
        )


def content_digest(path: Path) -> str:
    """blake2b of a file's content. Raises UnreadableVideo where it can not be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its other end
            raise UnreadableVideo(f"{path} is no regular file: give a video file.")
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
    except OSError as error:
        raise UnreadableVideo(f"{path} can not be read: {error.strerror}.") from error
