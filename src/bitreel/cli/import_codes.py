"""`bitreel import`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitreel.cli.console import Json, out, print_json, show_progress
from bitreel.errors import ConfigError
from bitreel.library.store.address import without_password

if TYPE_CHECKING:
    from bitreel.library import Library
    from bitreel.library.exchange import Exported


def import_codes(
    library: Annotated[
        str,
        typer.Argument(
            help="The library's folder or address; with --model made if it is not there.",
            show_default=False,
        ),
    ],
    file: Annotated[
        Path,
        typer.Argument(
            help="What `bitreel export` wrote: .npz, .parquet or .faiss.", show_default=False
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", "-m", help="The model that made the codes. A library knows its own."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Put the codes of an exported file into a library. The videos need not be there.

    The file must be of the library's model, and its videos cut as the library's are. A video that
    the library has from the same state of its file, or from a later one, is left as it is; so doing
    it again changes nothing, and goes on where it was stopped.

    Example: `bitreel import library codes.parquet --model model`
    """
    from bitreel.library.exchange import read_codes

    exported = read_codes(file)
    with _open(library, exported, model) as opened, show_progress() as progress:
        report = opened.import_codes(exported, progress=progress)
        status = opened.status()
    if json:
        print_json(
            {
                "library": without_password(library),
                "added": report.added,
                "replaced": report.replaced,
                "unchanged": report.unchanged,
                "videos": status.videos,
                "segments": status.segments,
            }
        )
        return
    out.print(
        f"{report.added} added, {report.replaced} replaced, {report.unchanged} unchanged. "
        f"{without_password(library)} holds {status.videos} videos in {status.segments} segments.",
        soft_wrap=True,
    )


def _open(place: str, exported: Exported, model_folder: Path | None) -> Library:
    from bitreel.library import Library
    from bitreel.library.exchange import check_made_by

    if model_folder is not None:
        from bitreel.model import Model

        model = Model.load(model_folder)
        check_made_by(exported, model, model_folder)  # before a library is made in vain
        if not Library.exists(place):
            return Library.open_or_create(place, model, segmenting=exported.segmenting)
    elif not Library.exists(place):
        raise ConfigError(
            f"There is no library at {without_password(place)}: name the model that made the "
            f"codes with --model, and it is made."
        )
    return Library.open(place)
