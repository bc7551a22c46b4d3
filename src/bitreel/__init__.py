"""bitreel finds video clips that show the same action: learned binary codes, XOR and popcount.

model = bitreel.train("actions/", output="model")
library = bitreel.Library.create("library", model)
library.add(bitreel.find_videos(["videos/"]))
for hit in library.search("query.mp4", k=5).hits:
    print(hit.distance_bits, hit.path)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bitreel.version import __version__

if TYPE_CHECKING:
    from bitreel.client import RemoteLibrary
    from bitreel.clip import Clip, Segment
    from bitreel.codes import BinaryCodes
    from bitreel.dataset import Dataset, open_dataset
    from bitreel.errors import BitreelError
    from bitreel.evaluation import evaluate_codes
    from bitreel.library import Hit, Library, Video
    from bitreel.model import Model, Sampling
    from bitreel.training import TrainConfig, evaluate, train
    from bitreel.video import find_videos, read_clip

# Where each public name lives. They load when they are first used, so that a search on stored codes
# does not wait for torch.
_HOMES = {
    "BinaryCodes": "codes",
    "BitreelError": "errors",
    "Clip": "clip",
    "Dataset": "dataset",
    "Hit": "library",
    "Library": "library",
    "Model": "model",
    "RemoteLibrary": "client",
    "Sampling": "model",
    "Segment": "clip",
    "TrainConfig": "training",
    "Video": "library",
    "evaluate": "training",
    "evaluate_codes": "evaluation",
    "find_videos": "video",
    "open_dataset": "dataset",
    "read_clip": "video",
    "train": "training",
}

__all__ = [
    "BinaryCodes",
    "BitreelError",
    "Clip",
    "Dataset",
    "Hit",
    "Library",
    "Model",
    "RemoteLibrary",
    "Sampling",
    "Segment",
    "TrainConfig",
    "Video",
    "__version__",
    "evaluate",
    "evaluate_codes",
    "find_videos",
    "open_dataset",
    "read_clip",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bitreel' has no attribute {name!r}")
    return getattr(import_module(f"bitreel.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
