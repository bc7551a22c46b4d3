"""Import what the extra `runtime` brings, when it is first asked for."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from typing import Any

from bitreel.errors import ConfigError

_TELEMETRY = "openvino_telemetry"


def is_installed(*modules: str) -> bool:
    """Whether these modules can be imported. Imports none of them."""
    return all(find_spec(module) is not None for module in modules)


def require(what: str, *modules: str) -> None:
    """Raises ConfigError where one of these is not installed. Imports none of them."""
    missing = [module for module in modules if not is_installed(module)]
    if missing:
        raise ConfigError(f"{what} needs {' and '.join(missing)}: pip install 'bitreel[runtime]'.")


def import_for(what: str, *modules: str) -> list[Any]:
    """The modules that something needs. Raises ConfigError where one is not installed.

    OpenVINO and NNCF report their use to their makers unless the module that sends the reports can
    not be imported; so, while they are imported, it can not. Videos are people's own affair.
    """
    require(what, *modules)
    hidden = _TELEMETRY not in sys.modules
    if hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # what makes its import fail
    try:
        return [importlib.import_module(module) for module in modules]
    except ImportError as error:
        raise ConfigError(
            f"{what} needs {' and '.join(modules)}, which can not be imported ({error}): "
            f"pip install 'bitreel[runtime]' again."
        ) from error
    finally:
        if hidden:
            del sys.modules[_TELEMETRY]
