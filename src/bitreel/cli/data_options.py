"""The options of every verb that opens a library or a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATA_HELP = (
    "A folder with a folder for each class, a manifest.csv (path,label,group,split), "
    "ucf101:ROOT or hmdb51:ROOT."
)

Place = Annotated[
    str,
    typer.Argument(
        metavar="LIBRARY",
        help="The library's folder, or its address in Milvus, http://HOST:19530/NAME.",
        show_default=False,
    ),
]
Data = Annotated[str, typer.Argument(metavar="DATA", help=DATA_HELP, show_default=False)]
Fold = Annotated[int, typer.Option(min=1, max=3, help="Official split of UCF101 or HMDB51.")]
Lists = Annotated[
    Path | None,
    typer.Option(help="Folder of the official split lists, if they are not beside the videos."),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the cached frame features. A second run with the same backbone decodes "
        "nothing.  [default: this user's cache folder]"
    ),
]
Runtime = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="What runs the network: torch, openvino or onnx, which give the same codes; auto is "
        "the fastest that is installed.",
    ),
]
