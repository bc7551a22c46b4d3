"""Label smoothing (Szegedy et al., CVPR 2016): one rule for what the losses accept."""

from __future__ import annotations

from bitreel.errors import ConfigError


def check_smoothing(smoothing: float) -> None:
    """Raises ConfigError for a share outside [0,1)."""
    if not 0 <= smoothing < 1:
        raise ConfigError(
            f"Label smoothing is the share of a label that is spread out: 0 or more and less "
            f"than 1, got {smoothing}."
        )
