"""Options as frozen dataclasses that Pydantic checks: strictly read from JSON, plainly written."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bitreel.errors import ConfigError

Config = TypeVar("Config")

# A misspelt or later option must not be read as its default.
STRICT = ConfigDict(extra="forbid")


def to_json(config: object, *, without_defaults: bool = False) -> dict[str, Any]:
    """A config dataclass as plain JSON values."""
    values: dict[str, Any] = TypeAdapter(type(config)).dump_python(
        config, mode="json", exclude_defaults=without_defaults
    )
    return values


def from_json(kind: type[Config], values: object, *, where: str) -> Config:
    """Build a config of that kind from JSON values.

    Raises ConfigError, which names `where` they stand, for an option that is unknown, missing or of
    another type.
    """
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        option = ".".join(map(str, first["loc"])) or kind.__name__
        raise ConfigError(
            f"{where}: the option {option!r} does not hold: {first['msg']}."
        ) from error
