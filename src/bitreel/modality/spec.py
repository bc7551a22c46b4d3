"""A modality in words: `name[:option=value]*`, as in `difference:length=5:gain=1`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bitreel.config import from_json
from bitreel.errors import ConfigError
from bitreel.modality.protocol import Modality

SEPARATORS = ":,="


def write_spec(modality: Any) -> str:
    """The spec of a modality: its name, and the options that are not at their defaults."""
    options = ((f.name, getattr(modality, f.name), f.default) for f in fields(modality))
    changed = [f"{name}={_text(value)}" for name, value, default in options if value != default]
    return ":".join([modality.name, *changed])


def read_spec(spec: str, kinds: Mapping[str, type[Modality]]) -> Modality:
    """The modality that a spec names. Raises ConfigError with what exists."""
    name, *options = (word.strip() for word in spec.split(":"))
    if name not in kinds:
        raise ConfigError(f"Unknown modality {name!r}: choose from {', '.join(kinds)}.")
    values: dict[str, str] = {}
    for option in options:
        key, equals, value = (word.strip() for word in option.partition("="))
        _check_option(spec, kinds[name], key, known=values)
        if not equals or not value:
            raise ConfigError(f"The modality {spec!r} gives {key!r} no value: write {key}=VALUE.")
        values[key] = value
    return from_json(kinds[name], values, where=f"The modality {spec!r}")


def _check_option(spec: str, kind: Any, key: str, *, known: Mapping[str, str]) -> None:
    names = [field.name for field in fields(kind)]
    if key not in names:
        choices = f"choose from {', '.join(names)}" if names else f"{kind.name} takes none"
        raise ConfigError(f"The modality {spec!r} has an unknown option {key!r}: {choices}.")
    if key in known:
        raise ConfigError(f"The modality {spec!r} gives {key!r} twice: leave one of them out.")


def _text(value: object) -> str:
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
