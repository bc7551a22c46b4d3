"""The options of `bitreel index`, in the order of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LibraryToMake = Annotated[
    str,
    typer.Argument(
        help="The library's folder, made if it is not there; or its address in Milvus, "
        "http://HOST:19530/NAME.",
        show_default=False,
    ),
]
Videos = Annotated[
    list[str],
    typer.Argument(
        metavar="VIDEOS…",
        help="Videos, folders of them, URLs of either (s3://bucket/folder), a .txt that lists "
        "such, one a line, or labelled data (manifest.csv, ucf101:ROOT, hmdb51:ROOT).",
        show_default=False,
    ),
]
ModelOfNew = Annotated[
    Path | None,
    typer.Option("--model", "-m", help="The model. An existing library knows its own."),
]
Labels = Annotated[
    bool,
    typer.Option(
        "--labels/--no-labels",
        help="Label each video: as the data say, or with the name of the folder that it is in, "
        "right below the folder given.",
    ),
]
Window = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Cut videos of more than a window and a half into windows this long, each with a "
        "code of its own, so that a search tells where in a video something is seen. 0 gives "
        "each video one code. A library keeps what it was made with. [default: 4]",
        show_default=False,
    ),
]
Stride = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="A window begins this often. Less finds places more exactly, and takes longer. "
        "[default: half a window]",
        show_default=False,
    ),
]
Shots = Annotated[
    bool | None,
    typer.Option(
        "--shots/--no-shots",
        help="Begin anew where the scene changes, so that no window shows two scenes. Without, "
        "decoding costs a third less. [default: shots]",
        show_default=False,
    ),
]
Split = Annotated[
    str,
    typer.Option(
        help="Part of labelled data to index: database, query or all. A folder with a folder "
        "for each class is divided as train and evaluate divide it."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="Of folders, take the files whose name fits, as *.mkv, or whose path below the "
        "folder, as 2024/*; ** crosses slashes (2024/**/a*.mkv), * does not, and case makes no "
        "difference. Give it again for more patterns.",
        show_default=False,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="Of folders, leave out what fits such a pattern: a file, or all below a folder of "
        "that name.",
        show_default=False,
    ),
]
Retry = Annotated[
    bool,
    typer.Option("--retry", help="Try files again that could not be read, as they are."),
]
Watch = Annotated[
    bool,
    typer.Option("--watch", help="Keep following the folders, until Ctrl-C."),
]
JsonLines = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the answer as JSON and nothing else. With --watch: one document a line, a "
        "line whenever the library was brought up to date.",
    ),
]
