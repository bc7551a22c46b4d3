"""The options by which `bitreel index` encodes with Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bitreel.errors import ConfigError

if TYPE_CHECKING:
    from bitreel.library import RayOptions

_PANEL = "Ray"

UseRay = Annotated[
    bool,
    typer.Option(
        "--ray",
        help="Encode in processes that Ray starts on this machine. The codes are the same.",
        rich_help_panel=_PANEL,
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Encode on the machines of a Ray cluster: auto on one of them, or ray://HOST:10001.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
RayActors = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How many models encode side by side. [default: as many as there is room for]",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
RayCpus = Annotated[float, typer.Option(help="CPUs for each of them.", rich_help_panel=_PANEL)]
RayGpus = Annotated[
    float,
    typer.Option(
        help="GPUs for each of them; a part, as .5, where several share one.",
        rich_help_panel=_PANEL,
    ),
]
RayVideos = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Videos that one of them is given at once, which are encoded again where it is "
        "killed. [default: 8, fewer where there are few]",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]


def ray_options(
    ray: bool,
    address: str | None,
    actors: int | None,
    cpus: float,
    gpus: float,
    videos: int | None,
) -> RayOptions | None:
    """None where Ray is not asked for. Raises ConfigError where only its details are."""
    if not ray and address is None:
        if (actors, cpus, gpus, videos) != (None, 1.0, 0.0, None):
            raise ConfigError(
                "--ray-actors, --ray-cpus, --ray-gpus and --ray-videos are for Ray: add --ray, or "
                "leave them out."
            )
        return None
    from bitreel.library import RayOptions

    return RayOptions(address, actors, cpus, gpus, videos)
