"""Results on disk, each kept as it is done, and the work of several processes shared among them.

FOLDER/KEY.json, written whole: a killed run has lost what it had in hand and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bitreel.errors import ConfigError
from bitreel.training.claims import Claims
from bitreel.version import __version__

Facts = dict[str, Any]


def key_of(**facts: Any) -> str:
    """One name for plain JSON values that decide a result, and for the version that made it."""
    text = json.dumps(facts | {"bitreel": __version__}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class NoResult(Exception):
    """Raised by work that ends with nothing to keep."""


class Results:
    """JSON objects by key."""

    def __init__(self, folder: Path, claims: Claims) -> None:
        self.folder, self.claims = folder, claims
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder} can not be made: {error.strerror}.") from error

    def get(self, key: str) -> Facts | None:
        """What was kept under a key. What is no JSON object counts as not there."""
        try:
            found = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def put(self, key: str, facts: Mapping[str, Any]) -> None:
        """Keep a result, in one rename."""
        path = self.folder / f"{key}.json"
        aside = path.with_suffix(f".{os.getpid()}")
        try:
            aside.write_text(json.dumps(facts, allow_nan=False), encoding="utf-8")
            os.replace(aside, path)
        except OSError as error:
            raise ConfigError(f"{path} can not be written: {error.strerror}.") from error

    def once(self, key: str, work: Callable[[], Facts], *, wait: bool = True) -> Facts | None:
        """What is kept under a key; where nothing is, do the work and keep it.

        Where another process is at it, wait for its result; without `wait`, None.
        """
        if (found := self.get(key)) is not None:
            return found
        with self.claims.take(key, wait=wait) as held:
            if not held:
                return None
            if (found := self.get(key)) is None:
                found = work()
                self.put(key, found)
            return found

    def fill(
        self, keys: Iterable[str], work: Callable[[str], Facts], told: Callable[[int], None]
    ) -> None:
        """Have a result for every key. What other processes are at is left to them, and waited for.

        work: may raise NoResult, and the others go on. told: hears how many are done, after each.
        """
        done = 0
        left: list[str] = []
        for wait, rest in ((False, list(keys)), (True, left)):
            for key in rest:
                if not self._is_done(key, work, wait=wait):
                    left.append(key)
                    continue
                done += 1
                told(done)

    def _is_done(self, key: str, work: Callable[[str], Facts], *, wait: bool) -> bool:
        try:
            return self.once(key, lambda: work(key), wait=wait) is not None
        except NoResult:
            return True
