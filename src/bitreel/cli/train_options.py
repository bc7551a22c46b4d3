"""The options of `bitreel train`, in the order of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bitreel.errors import ConfigError

LOSS, NETWORK, RUN = "Loss", "Network", "Run"

Output = Annotated[
    Path, typer.Option("--output", "-o", help="The model's folder.", show_default=False)
]
Bits = Annotated[
    str,
    typer.Option(help="Width of the code. Several, as 64,128,256, make OUTPUT/64, OUTPUT/128 …"),
]
Preset = Annotated[
    str,
    typer.Option(
        help="Where the other options start from: best (what won the comparison on validation "
        "groups) or seed (the 2017 paper's method: rgb, weighted, two-term)."
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="A JSON file of options, as `bitreel tune` writes it.",
        show_default=False,
    ),
]
ModalityNames = Annotated[
    str,
    typer.Option(
        help="What the network sees: rgb, difference, flow, dynamic, or several as rgb,difference. "
        "Options follow the name, as in difference:length=5.",
        rich_help_panel=NETWORK,
    ),
]
EncoderName = Annotated[
    str,
    typer.Option(
        help="How pictures become one feature: weighted, mean or attention (a CNN picture by "
        "picture, averaged), segments (the means of four parts, side by side), temporal "
        "(convolution over time), shift or conv3d (pictures meet in the CNN).",
        rich_help_panel=NETWORK,
    ),
]
LossKind = Annotated[
    str,
    typer.Option(
        "--loss",
        help="Fitted in one go: ridge (regression to codes of the classes), or itq, which needs "
        "no labels. Trained by epochs: two-term (classification and triplet, as in the 2017 "
        "paper), ortho, central.",
        rich_help_panel=LOSS,
    ),
]
Ridge = Annotated[
    float,
    typer.Option(
        help="How much the loss ridge holds weights down. Hardly matters from .001 to .03.",
        rich_help_panel=LOSS,
    ),
]
Quantisation = Annotated[
    float,
    typer.Option(help="Weight of the pull of relaxed bits to 0 or 1.", rich_help_panel=LOSS),
]
Balance = Annotated[
    float,
    typer.Option(help="Weight of the pull of each bit to half the clips.", rich_help_panel=LOSS),
]
Alpha = Annotated[
    float, typer.Option(help="Weight of the classification term.", rich_help_panel=LOSS)
]
Beta = Annotated[float, typer.Option(help="Weight of the triplet term.", rich_help_panel=LOSS)]
Margin = Annotated[
    float | None,
    typer.Option(
        help="Triplet margin in bits.  [default: a quarter of --bits]", rich_help_panel=LOSS
    ),
]
Triplets = Annotated[
    str,
    typer.Option(
        help="How a batch's triplets are drawn: random (as in the 2017 paper), all, semi-hard or "
        "hard.",
        rich_help_panel=LOSS,
    ),
]
BackboneName = Annotated[
    str,
    typer.Option(
        help="Any architecture that timm knows; with the encoder conv3d also torchvision's "
        "r2plus1d_18, r3d_18, mc3_18, s3d, swin3d_t, mvit_v2_s.",
        rich_help_panel=NETWORK,
    ),
]
Weights = Annotated[
    str,
    typer.Option(
        help="Pretrained weights of the backbone: package (ImageNet, comes installed), hub, "
        "hf-hub:ID, a .safetensors or .pth file, or none.",
        rich_help_panel=NETWORK,
    ),
]
Frames = Annotated[int, typer.Option(help="Frames sampled from a clip.", rich_help_panel=NETWORK)]
Size = Annotated[
    int, typer.Option(help="Height and width of a frame, in pixels.", rich_help_panel=NETWORK)
]
Clips = Annotated[
    int,
    typer.Option(
        help="Clips of that many frames that a video is seen as, each between the others; their "
        "relaxed bits are averaged.",
        rich_help_panel=NETWORK,
    ),
]
Mirror = Annotated[
    bool,
    typer.Option(
        "--mirror/--no-mirror",
        help="Show clips in training also with left and right exchanged. Not where that changes "
        "the label.",
        rich_help_panel=RUN,
    ),
]
Finetune = Annotated[
    bool,
    typer.Option(
        "--finetune",
        help="Train the backbone too. Wants a GPU; otherwise its features are cached.",
        rich_help_panel=NETWORK,
    ),
]
Epochs = Annotated[int, typer.Option(help="Epochs at most.", rich_help_panel=RUN)]
Patience = Annotated[
    int, typer.Option(help="Epochs without a better validation mAP@10.", rich_help_panel=RUN)
]
Refit = Annotated[
    bool,
    typer.Option(
        "--refit/--no-refit",
        help="Train anew on all clips, for as many epochs as validation chose.",
        rich_help_panel=RUN,
    ),
]
LearningRate = Annotated[float, typer.Option(help="Of fusion and hash head.", rich_help_panel=RUN)]
ClassesPerBatch = Annotated[
    int, typer.Option(help="P of the P classes x K clips.", rich_help_panel=RUN)
]
ClipsPerClass = Annotated[
    int, typer.Option(help="K of the P classes x K clips.", rich_help_panel=RUN)
]
Seed = Annotated[
    int, typer.Option(help="Same seed, same codes on the same machine.", rich_help_panel=RUN)
]
Accelerator = Annotated[str, typer.Option(help="auto, cpu, cuda, mps.", rich_help_panel=RUN)]
Devices = Annotated[
    int, typer.Option(help="How many of them, on each machine.", min=1, rich_help_panel=RUN)
]
Nodes = Annotated[
    int,
    typer.Option(
        help="Machines that run this command together, as torchrun starts it, or each with "
        "MASTER_ADDR, MASTER_PORT and its NODE_RANK set.",
        min=1,
        rich_help_panel=RUN,
    ),
]
Precision = Annotated[str, typer.Option(help="32-true or bf16-mixed.", rich_help_panel=RUN)]


# Options that stand in another place in the config.
_SAMPLING = {"frames": ("frames",), "clips": ("clips",), "size": ("height", "width")}
_NOT_OF_THE_CONFIG = {"data", "output", "preset", "config", "accelerator", "devices", "fold"}
_NOT_OF_THE_CONFIG |= {"nodes", "lists", "cache", "json"}
_LOSSES_OF = {
    **dict.fromkeys(("alpha", "beta", "margin", "triplets"), ("two-term",)),
    **dict.fromkeys(
        ("quantisation", "balance", "epochs", "patience", "learning_rate"),
        ("two-term", "ortho", "central"),
    ),
    **dict.fromkeys(("classes_per_batch", "clips_per_class"), ("two-term", "ortho", "central")),
    "ridge": ("ridge",),
    "refit": ("ridge", "two-term", "ortho", "central"),
}


def given_options(ctx: typer.Context) -> dict[str, Any]:
    """The options of the config that stand on the command line, as its JSON has them."""
    given = {
        name: value
        for name, value in ctx.params.items()
        if name not in _NOT_OF_THE_CONFIG and _is_given(ctx, name)
    }
    sampling = {
        field: given[name]
        for name, fields in _SAMPLING.items()
        if name in given
        for field in fields
    }
    plain = {name: value for name, value in given.items() if name not in _SAMPLING}
    return plain | ({"sampling": sampling} if sampling else {})


def check_effect(given: dict[str, Any], loss: str) -> None:
    """Raises ConfigError for an option that was given and means nothing to the loss."""
    for name in given:
        losses = _LOSSES_OF.get(name)
        if losses and loss not in losses:
            raise ConfigError(
                f"--{name.replace('_', '-')} means nothing to the loss {loss}: leave it out, or "
                f"add --loss {losses[0]}."
            )


def _is_given(ctx: typer.Context, name: str) -> bool:
    # By its name: Typer may bring a click of its own, whose values are not those of another.
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
