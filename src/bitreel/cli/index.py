"""`bitreel index`"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitreel.cli.console import out, print_json, show_progress, warn, warn_of_files
from bitreel.cli.data_options import Fold, Lists, Runtime
from bitreel.cli.index_options import (
    Exclude,
    JsonLines,
    Labels,
    LibraryToMake,
    ModelOfNew,
    Only,
    Retry,
    Shots,
    Split,
    Stride,
    Videos,
    Watch,
    Window,
)
from bitreel.cli.ray_options import (
    RayActors,
    RayAddress,
    RayCpus,
    RayGpus,
    RayVideos,
    UseRay,
    ray_options,
)
from bitreel.cli.videos import Choice, Found, collection_of, find
from bitreel.errors import ConfigError, DataError
from bitreel.library.collection import Filter
from bitreel.library.site import folder_for, site_of

if TYPE_CHECKING:
    from bitreel.library import AddReport, Library, RayOptions, Status
    from bitreel.video import Segmenting

Answer = dict[str, Any]


def index(
    library: LibraryToMake,
    videos: Videos,
    model: ModelOfNew = None,
    labels: Labels = True,
    window: Window = None,
    stride: Stride = None,
    shots: Shots = None,
    split: Split = "all",
    fold: Fold = 1,
    lists: Lists = None,
    only: Only = None,
    exclude: Exclude = None,
    retry: Retry = False,
    watch: Watch = False,
    runtime: Runtime = "auto",
    ray: UseRay = False,
    ray_address: RayAddress = None,
    ray_actors: RayActors = None,
    ray_cpus: RayCpus = 1.0,
    ray_gpus: RayGpus = 0.0,
    ray_videos: RayVideos = None,
    json: JsonLines = False,
) -> None:
    """Make a library hold what folders hold, and other videos named.

    Done again it costs little: what is there is not encoded again, nor what moved or was copied;
    what changed is, and what is gone from a folder named is forgotten. Files that can not be read
    are quarantined with the reason (`bitreel status` lists them), and stop nothing. A killed run
    goes on where it stopped.

    Example: `bitreel index library videos/ --model model --exclude trailers`

    Example: `bitreel index http://127.0.0.1:19530/films s3://bucket/films --ray-address auto`
    """
    options = ray_options(ray, ray_address, ray_actors, ray_cpus, ray_gpus, ray_videos)
    segmenting = _segmenting(window, stride, shots)
    chosen = Choice(labels, Filter(only or (), exclude or ()), split, fold, lists)
    found = find(videos, chosen, folder_for(site_of(library)))
    if watch and not found.folders:
        raise ConfigError("--watch follows folders: name one.")
    with _open(library, model, segmenting, runtime) as opened:
        show = partial(print_json, in_one_line=watch) if json else _print
        go = partial(_index, opened, show=show, ray=options)
        go(found, retry=retry)
        if watch:
            _follow(opened, found, chosen, go)


def _index(
    opened: Library,
    found: Found,
    *,
    retry: bool,
    show: Callable[[Answer], None],
    ray: RayOptions | None,
) -> None:
    reports: list[AddReport] = []
    with show_progress() as progress:
        if found.videos:
            reports.append(opened.add(found.videos, retry=retry, progress=progress, ray=ray))
        if found.collection is not None:
            reports.append(opened.sync(found.collection, retry=retry, progress=progress, ray=ray))
    show(_answer(str(opened.site), reports, opened.status()))


def _follow(opened: Library, found: Found, chosen: Choice, go: Callable[..., None]) -> None:
    """Index again whenever something changes in the folders."""
    from bitreel.library.watching import changes

    warn("Watching", f"{', '.join(map(str, found.folders))}. Ctrl-C ends it.")
    for _ in changes(found.folders, besides=opened.folder):
        there = tuple(folder for folder in found.folders if folder.is_dir())
        with suppress(DataError):  # one that is away for a while
            again = collection_of(there, chosen, opened.folder)
            go(Found((), there, again), retry=False)


def _segmenting(
    window: float | None, stride: float | None, shots: bool | None
) -> Segmenting | None:
    """None where nothing is asked for: a library keeps to its own."""
    if window is None and stride is None and shots is None:
        return None
    from bitreel.video import Segmenting

    return Segmenting.of(window, stride, shots)


def _open(
    place: str, model_folder: Path | None, segmenting: Segmenting | None, runtime: str
) -> Library:
    from bitreel.library import Library
    from bitreel.runtime import default_networks

    if model_folder is None:
        return Library.open(place, segmenting=segmenting, runtime=runtime)
    from bitreel.model import Model

    model = Model.load(model_folder).use_runtime(runtime, kept=default_networks())
    return Library.open_or_create(place, model, segmenting=segmenting)


def _answer(library: str, reports: Sequence[AddReport], status: Status) -> Answer:
    counted = ("added", "replaced", "moved", "removed", "unchanged", "failed", "skipped")
    failures = {str(path): why for report in reports for path, why in report.failures.items()}
    damaged = {str(path): what for report in reports for path, what in report.damaged.items()}
    return {
        "library": library,
        **{name: sum(getattr(report, name) for report in reports) for name in counted},
        "failures": failures,
        "damaged": damaged,
        "absent": {str(path): n for report in reports for path, n in report.absent.items()},
        "videos": status.videos,
        "segments": status.segments,
    }


def _print(answer: Answer) -> None:
    warn_of_files("Passed over", answer["failures"], answer["damaged"])
    for folder, missing in answer["absent"].items():
        warn(
            "Empty now",
            f"{folder}, which is missing {missing} files. Nothing of it was forgotten: is it a "
            f"disk that is not mounted?",
        )
    told = [f"{answer[name]} {name}" for name in ("added", "replaced", "unchanged", "failed")]
    told += [f"{answer[name]} {name}" for name in ("moved", "removed", "skipped") if answer[name]]
    out.print(
        f"{', '.join(told)}. {answer['library']} holds {answer['videos']} videos in "
        f"{answer['segments']} segments.",
        soft_wrap=True,
    )
