"""Import what the extra `export` brings, when it is first asked for."""

from __future__ import annotations

import importlib
from typing import Any

from bitreel.errors import ConfigError


def package(name: str, what: str) -> Any:
    """The module that `what` needs. Raises ConfigError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"{what} needs {name.partition('.')[0]}: pip install 'bitreel[export]'. A file of the "
            f"format .npz needs nothing."
        ) from error
