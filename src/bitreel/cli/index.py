"""`bitreel index`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitreel.cli.console import Json, out, print_json, show_progress, warn_of_files
from bitreel.cli.data_options import Fold, Lists
from bitreel.errors import ConfigError, DataError

if TYPE_CHECKING:
    from bitreel.library import AddReport, Library, Status, Video
    from bitreel.video import Segmenting


def index(
    library: Annotated[Path, typer.Argument(help="The library's folder; made if it is not there.")],
    videos: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEOS…",
            help="Videos, folders of them, or labelled data (manifest.csv, ucf101:ROOT, "
            "hmdb51:ROOT).",
            show_default=False,
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="The model. An existing library knows its own."),
    ] = None,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels/--no-labels",
            help="Label each video: as the data say, or with the name of the folder that it is in, "
            "right below the folder given.",
        ),
    ] = True,
    window: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Cut videos of more than a window and a half into windows this long, each with a "
            "code of its own, so that a search tells where in a video something is seen. 0 gives "
            "each video one code. A library keeps what it was made with. [default: 4]",
            show_default=False,
        ),
    ] = None,
    stride: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="A window begins this often. Less finds places more exactly, and takes longer. "
            "[default: half a window]",
            show_default=False,
        ),
    ] = None,
    shots: Annotated[
        bool | None,
        typer.Option(
            "--shots/--no-shots",
            help="Begin anew where the scene changes, so that no window shows two scenes. Without, "
            "decoding costs a third less. [default: shots]",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            help="Part of labelled data to index: database, query or all. A folder with a folder "
            "for each class is divided as train and evaluate divide it."
        ),
    ] = "all",
    fold: Fold = 1,
    lists: Lists = None,
    json: Json = False,
) -> None:
    """Give every video its code and keep it in a library.

    A video that is there already is not encoded again, a file that can not be read is noted and
    passed over, and a killed run goes on where it stopped.

    Example: `bitreel index library videos/ --model model --window 6`
    """
    segmenting = _segmenting(window, stride, shots)
    wanted = _collect(videos, labels=labels, split=split, fold=fold, lists=lists)
    with _open(library, model, segmenting) as opened:
        with show_progress() as progress:
            report = opened.add(wanted, progress=progress)
        status = opened.status()
    answer = _answer(library, report, status)
    print_json(answer) if json else _print(answer)


def _segmenting(
    window: float | None, stride: float | None, shots: bool | None
) -> Segmenting | None:
    """None where nothing is asked for: a library keeps to its own."""
    if window is None and stride is None and shots is None:
        return None
    from bitreel.video import Segmenting

    return Segmenting.of(window, stride, shots)


def _open(folder: Path, model_folder: Path | None, segmenting: Segmenting | None) -> Library:
    from bitreel.library import Library

    if model_folder is None:
        return Library.open(folder, segmenting=segmenting)
    from bitreel.model import Model

    return Library.open_or_create(folder, Model.load(model_folder), segmenting=segmenting)


def _collect(
    names: list[str], *, labels: bool, split: str, fold: int, lists: Path | None
) -> list[Video]:
    if split not in ("database", "query", "all"):
        raise ConfigError(f"--split takes database, query or all; got {split!r}.")
    # A part can be had of labelled data only: what is none must not be indexed whole instead.
    part = split != "all" or fold != 1 or lists is not None
    found: list[Video] = []
    for name in names:
        if part or _is_labelled_data(name):
            found += _from_dataset(name, labels, split, fold, lists)
        else:
            found += _from_disk(Path(name), labels)
    return found


def _is_labelled_data(name: str) -> bool:
    official = name.lower().startswith(("ucf101:", "hmdb51:"))
    return official or name.lower().endswith(".csv") or (Path(name) / "manifest.csv").is_file()


def _from_dataset(
    spec: str, labels: bool, split: str, fold: int, lists: Path | None
) -> list[Video]:
    from bitreel.dataset import open_dataset
    from bitreel.library import Video

    examples = open_dataset(spec, fold=fold, lists=lists).examples
    return [
        Video(e.path, e.label if labels else None) for e in examples if split in ("all", e.split)
    ]


def _from_disk(path: Path, labels: bool) -> list[Video]:
    from bitreel.dataset import SPLIT_NAMES
    from bitreel.library import Video
    from bitreel.video import find_videos

    def label(found: Path) -> str | None:
        folders = found.relative_to(path).parts[:-1] if labels and path.is_dir() else ()
        if len(folders) > 1 and folders[0].lower() in SPLIT_NAMES:  # train/run/a.mp4
            folders = folders[1:]
        return folders[0] if folders else None

    videos = [Video(found, label(found)) for found in find_videos([path])]
    if not videos:
        raise DataError(f"There are no videos in {path}: name a folder or files that hold some.")
    return videos


def _answer(library: Path, report: AddReport, status: Status) -> dict[str, Any]:
    return {
        "library": str(library),
        "added": report.added,
        "replaced": report.replaced,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "failures": {str(path): reason for path, reason in report.failures.items()},
        "damaged": {str(path): what for path, what in report.damaged.items()},
        "videos": status.videos,
        "segments": status.segments,
    }


def _print(answer: dict[str, Any]) -> None:
    warn_of_files("Passed over", answer["failures"], answer["damaged"])
    out.print(
        "{added} added, {replaced} replaced, {unchanged} unchanged, {failed} failed. "
        "{library} holds {videos} videos in {segments} segments.".format(**answer),
        soft_wrap=True,
    )
