"""The options of `bitreel train`, in the order of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LOSS, NETWORK, RUN = "Loss", "Network", "Run"

Output = Annotated[
    Path, typer.Option("--output", "-o", help="The model's folder.", show_default=False)
]
Bits = Annotated[
    str,
    typer.Option(help="Width of the code. Several, as 64,128,256, make OUTPUT/64, OUTPUT/128 …"),
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
    str, typer.Option(help="Any architecture that timm knows.", rich_help_panel=NETWORK)
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
Devices = Annotated[int, typer.Option(help="How many of them.", min=1, rich_help_panel=RUN)]
Precision = Annotated[str, typer.Option(help="32-true or bf16-mixed.", rich_help_panel=RUN)]
