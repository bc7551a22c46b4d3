"""What the encoder sees of a clip. A modality is one file here and one line in `MODALITIES`.

A spec names one: `name[:option=value]*`, as `rgb` or `difference:length=5:gain=1`; several are
separated by commas.
"""

from __future__ import annotations

from bitreel.errors import ConfigError
from bitreel.modality.difference import Difference
from bitreel.modality.dynamic import Dynamic, rank_pooling_weights
from bitreel.modality.flow import FLOW_METHODS, Estimator, Flow
from bitreel.modality.protocol import Modality
from bitreel.modality.rgb import Rgb
from bitreel.modality.spec import read_spec

MODALITIES: dict[str, type[Modality]] = {
    "rgb": Rgb,
    "difference": Difference,
    "flow": Flow,
    "dynamic": Dynamic,
}


def find_modality(spec: str) -> Modality:
    """The modality of that spec. Raises ConfigError with the names and options that exist."""
    return read_spec(spec, MODALITIES)


def find_modalities(specs: str) -> tuple[Modality, ...]:
    """The modalities of a list of specs, `rgb,difference,flow`, in its order.

    Raises ConfigError also where one is named twice.
    """
    found = tuple(find_modality(spec) for spec in specs.split(","))
    twice = {str(modality) for modality in found if found.count(modality) > 1}
    if twice:
        raise ConfigError(
            f"The modalities {specs!r} name {', '.join(sorted(twice))} twice: once is enough."
        )
    return found


__all__ = [
    "FLOW_METHODS",
    "MODALITIES",
    "Difference",
    "Dynamic",
    "Estimator",
    "Flow",
    "Modality",
    "Rgb",
    "find_modalities",
    "find_modality",
    "rank_pooling_weights",
]
