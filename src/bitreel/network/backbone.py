"""The shared CNN: pictures of a clip to features over time. Any architecture that timm knows."""

from __future__ import annotations

from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor, nn

from bitreel.errors import ConfigError, WeightsError
from bitreel.network.first_convolution import for_channels
from bitreel.network.focus import check_averages, focus
from bitreel.network.over_time import clips_of
from bitreel.network.torchvision_ops import import_torchvision
from bitreel.network.weights import PACKAGED_BACKBONE, StateDict, find_weights

import_torchvision()  # before timm, which imports torchvision at its top

import timm  # noqa: E402
from timm.data.config import resolve_model_data_config  # noqa: E402

from bitreel.network.conv3d import inflate, inflated  # noqa: E402 (imports timm)
from bitreel.network.temporal_shift import insert_shift  # noqa: E402

DEFAULT_BACKBONE = PACKAGED_BACKBONE

# How pictures of one clip meet inside the CNN: not at all, by temporal shift, by 3D convolution.
Mixing = Literal["frame", "shift", "conv3d"]
MIXINGS: tuple[str, ...] = get_args(Mixing)


class Backbone(nn.Module):
    """A timm CNN without its classifier, and the normalisation that its weights expect.

    channels: of a picture. signed: pictures are centred at 0, as differences are, rather than in
    [0,1]. focused: a further channel of each picture says how much every pixel counts when features
    are averaged over it. Raises ConfigError for an architecture that timm does not know, or that
    can not be mixed or focused.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        name: str = DEFAULT_BACKBONE,
        *,
        mixing: Mixing = "frame",
        channels: int = 3,
        signed: bool = False,
        focused: bool = False,
    ) -> None:
        super().__init__()
        if not timm.is_model(name):
            near = ", ".join(timm.list_models(f"*{name[:8]}*")[:5]) or "see timm.list_models()"
            raise ConfigError(f"timm knows no architecture {name!r}. Near it: {near}.")
        self.name = name
        self.by_picture = mixing == "frame"
        self.focused = focused
        self.cnn: Any = timm.create_model(name, pretrained=False, num_classes=0, in_chans=channels)
        data = resolve_model_data_config(self.cnn)  # type: ignore[no-untyped-call]
        self.register_buffer(*normalisation("mean", data["mean"], channels, signed))
        self.register_buffer(*normalisation("deviation", data["std"], channels, signed))
        # A few architectures widen the feature between the last block and the classifier.
        widths = (getattr(self.cnn, name, None) for name in ("head_hidden_size", "num_features"))
        self.feature_size = int(next(width for width in widths if width))
        if focused:
            check_averages(self.cnn, name)
        if mixing == "shift":
            insert_shift(self.cnn, name)
        elif mixing == "conv3d":
            inflate(self.cnn, name)

    def load_pretrained(self, spec: str) -> str:
        """Load the weights that `spec` names (see `weights`); says where they came from.

        They are those of the 2D network for RGB. Raises WeightsError where one tensor of the
        architecture is not in them.
        """
        found = find_weights(spec, backbone=self.name, pretrained_cfg=self.cnn.pretrained_cfg)
        if found.state is not None:
            state = _with_timm_names(found.state, self.cnn.state_dict())
            load_adapted(self, state, first=self._first_convolution(), source=found.source)
        return found.source

    def forward(self, pictures: Tensor) -> Tensor:
        """[N,T,C,H,W] → [N,T',D]. T' is T, but for 3D pooling."""
        clips, count = pictures.shape[:2]
        rows = pictures.flatten(0, 1)
        rows, motion = (rows[:, :-1], rows[:, -1:]) if self.focused else (rows, None)
        normal = (rows - self.mean) / self.deviation
        with clips_of(count):
            features = self._features(normal.contiguous(memory_format=torch.channels_last), motion)
        return features.view(clips, -1, self.feature_size)

    def _features(self, rows: Tensor, motion: Tensor | None) -> Tensor:
        """[B,C,H,W], and how much moves where [B,1,H,W], → [B,D]."""
        if motion is None:
            features: Tensor = self.cnn(rows)
        else:
            features = self.cnn.forward_head(focus(self.cnn.forward_features(rows), motion))
        return features

    def _first_convolution(self) -> str:
        named = self.cnn.pretrained_cfg.get("first_conv") or ""
        return f"{named}.weight"


def normalisation(
    what: str, values: tuple[float, ...], channels: int, signed: bool
) -> tuple[str, Tensor]:
    """A buffer's name and value [C,1,1]: of RGB as it is, of other pictures the mean over RGB.

    A signed picture is 0 where nothing happens, and stays so.
    """
    if signed:
        constant = 0.0 if what == "mean" else sum(values) / len(values)
        values = (constant,) * channels
    return what, torch.tensor(values).view(-1, 1, 1)


class HasCnn(Protocol):
    """A backbone of either kind."""

    name: str
    cnn: Any


def load_adapted(backbone: HasCnn, state: StateDict, *, first: str, source: str) -> None:
    """Load weights for RGB, perhaps 2D, into a CNN that may be 3D, or take other channels.

    first: the name of the first convolution's weight. Raises WeightsError.
    """
    own: StateDict = backbone.cnn.state_dict()
    fitted = {k: _fitted(state[k], v, k == first) for k, v in own.items() if k in state}
    wrong = [k for k, v in own.items() if k not in fitted or fitted[k].shape != v.shape]
    if wrong:
        raise WeightsError(
            f"The weights from {source} are not those of {backbone.name}: {len(wrong)} of "
            f"{len(own)} tensors are missing or of another shape, the first is {wrong[0]}."
        )
    backbone.cnn.load_state_dict(fitted)


def _fitted(theirs: Tensor, own: Tensor, is_first: bool) -> Tensor:
    if is_first and theirs.ndim > 1:
        theirs = for_channels(theirs, own.shape[1])
    if theirs.ndim == 4 and own.ndim == 5:
        theirs = inflated(theirs)
    return theirs


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
