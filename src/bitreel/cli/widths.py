"""`--bits 64,128`: the widths of several codes."""

from __future__ import annotations

from bitreel.errors import ConfigError


def parse_widths(bits: str) -> tuple[int, ...]:
    """The numbers between the commas, each once. Raises ConfigError."""
    try:
        return tuple(dict.fromkeys(int(width) for width in bits.split(",")))
    except ValueError:
        raise ConfigError(
            f"--bits takes a number or several, as 64,128,256; got {bits!r}."
        ) from None
