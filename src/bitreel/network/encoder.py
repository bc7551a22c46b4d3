"""Which encoder: how pictures meet inside the CNN, and how its features become one. A value."""

from __future__ import annotations

from dataclasses import dataclass

from bitreel.errors import ConfigError
from bitreel.network.backbone import MIXINGS, Mixing
from bitreel.network.fusion import FUSIONS, Fusion

_PLAIN: Mixing = "frame"


@dataclass(frozen=True)
class Encoder:
    """`str` gives the word that `find_encoder` reads: `weighted`, `shift`, `conv3d+attention` …"""

    mixing: Mixing = _PLAIN
    fusion: Fusion = "weighted"

    def __str__(self) -> str:
        if self.mixing == _PLAIN:
            return self.fusion
        return self.mixing if self.fusion == "mean" else f"{self.mixing}+{self.fusion}"


def find_encoder(word: str) -> Encoder:
    """The encoder of that name.

    weighted, mean, attention, segments, temporal: a CNN picture by picture, fused so. shift,
    conv3d: pictures meet in the CNN already, and its features are averaged, or fused otherwise as
    in `conv3d+attention`. Raises ConfigError with the words that exist.
    """
    for mixing in MIXINGS:
        for fusion in FUSIONS:
            encoder = Encoder(mixing, fusion)  # type: ignore[arg-type]
            if word in (str(encoder), f"{mixing}+{fusion}"):
                return encoder
    words = ", ".join([*FUSIONS, *(m for m in MIXINGS if m != _PLAIN)])
    raise ConfigError(
        f"Unknown encoder {word!r}: choose from {words}. The last two take another fusion as in "
        f"conv3d+attention."
    )
