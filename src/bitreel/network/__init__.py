"""Torch modules, one concept a file."""

from bitreel.network.backbone import DEFAULT_BACKBONE, Backbone
from bitreel.network.fusion import WeightedAverage
from bitreel.network.hash_head import HashHead, HeadOutput
from bitreel.network.network import Network
from bitreel.network.threads import one_thread

__all__ = [
    "DEFAULT_BACKBONE",
    "Backbone",
    "HashHead",
    "HeadOutput",
    "Network",
    "WeightedAverage",
    "one_thread",
]
