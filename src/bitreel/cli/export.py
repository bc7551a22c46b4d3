"""`bitreel export`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bitreel.cli.console import Json, out, print_json, show_progress
from bitreel.cli.data_options import Place


def export(
    library: Place,
    file: Annotated[
        Path,
        typer.Argument(
            help="The file to write; its name ends in .npz, .parquet or .faiss.", show_default=False
        ),
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file where it is there already.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the codes of a library, and what is known of its videos, for others to read.

    .npz is read by numpy, .parquet by pandas and databases, .faiss is a binary index of FAISS with
    the rest in FILE.npz beside it. Bits are packed in bytes, the first bit the highest of the first
    byte, and the last byte is filled up with zero bits. `bitreel import` reads all three back.

    Example: `bitreel export library codes.parquet`
    """
    from bitreel.library import Library

    with Library.open(library) as opened, show_progress() as progress:
        report = opened.export(file, overwrite=force, progress=progress)
    if json:
        print_json(
            {
                "files": [str(path) for path in report.files],
                "videos": report.videos,
                "segments": report.segments,
                "bits": report.bits,
                "bit_order": "big",
                "bytes": report.size_bytes,
            }
        )
        return
    out.print(
        f"{report.segments} codes of {report.bits} bits, of {report.videos} videos, in "
        f"{' and '.join(map(str, report.files))}: {report.size_bytes / 1e6:.1f} MB.",
        soft_wrap=True,
    )
