"""`bitreel migrate`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitreel.cli.console import Json, out, print_json, show_progress, warn_of_files
from bitreel.cli.data_options import Place, Runtime
from bitreel.errors import ConfigError
from bitreel.library.store.address import without_password

if TYPE_CHECKING:
    from bitreel.library import Library, MigrationReport


def migrate(
    library: Place,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="The new model. Without, a migration that was begun goes on.",
            show_default=False,
        ),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the model before the last migration.")
    ] = False,
    forget_missing: Annotated[
        bool,
        typer.Option(
            "--forget-missing",
            help="Go on without videos that can not be read any more: they lose their codes, and "
            "the ledger says why.",
        ),
    ] = False,
    abandon: Annotated[
        bool,
        typer.Option(
            "--abandon", help="Throw away what a migration has made that is not complete."
        ),
    ] = False,
    discard_previous: Annotated[
        bool,
        typer.Option("--discard-previous", help="Delete what is kept for --rollback."),
    ] = False,
    runtime: Runtime = "auto",
    json: Json = False,
) -> None:
    """Give a library another model: its videos are encoded anew, then all codes change at once.

    Meanwhile the library answers as before, and takes videos. A killed run goes on where it
    stopped. What the library was is kept within it, for --rollback, until the next migration or
    --discard-previous.

    Example: `bitreel migrate library --model better`

    Example: `bitreel migrate library --rollback`
    """
    from bitreel.library import Library, VideosMissing

    chosen = [model is not None, rollback, abandon, discard_previous]
    if sum(chosen) > 1:
        raise ConfigError(
            "--model, --rollback, --abandon and --discard-previous are one each: choose one."
        )
    if forget_missing and (abandon or discard_previous):
        raise ConfigError(
            f"--forget-missing belongs to a change of model, and "
            f"{'--abandon' if abandon else '--discard-previous'} only deletes: leave it out."
        )
    with Library.open(library, runtime=runtime) as opened:
        if abandon or discard_previous:
            _throw_away(opened, abandon=abandon, json=json)
            return
        try:
            report = _change(opened, model, runtime, rollback, forget_missing)
        except VideosMissing as error:
            warn_of_files("Missing", {str(path): why for path, why in error.reasons.items()}, {})
            raise
    _tell(without_password(library), report, json=json)


def _change(
    opened: Library, model_folder: Path | None, runtime: str, rollback: bool, forget_missing: bool
) -> MigrationReport:
    with show_progress() as progress:
        if rollback:
            return opened.roll_back(forget_missing=forget_missing, progress=progress)
        if model_folder is None:
            return opened.migrate(forget_missing=forget_missing, progress=progress)
        from bitreel.model import Model
        from bitreel.runtime import default_networks

        model = Model.load(model_folder).use_runtime(runtime, kept=default_networks())
        return opened.migrate(model, forget_missing=forget_missing, progress=progress)


def _throw_away(opened: Library, *, abandon: bool, json: bool) -> None:
    found = opened.abandon_migration() if abandon else opened.discard_previous()
    if json:
        print_json({"library": str(opened.site), "deleted": found})
        return
    if abandon:
        done = "Deleted what the migration had made." if found else "No migration was under way."
    else:
        done = "Deleted what was kept." if found else "No earlier model was kept."
    out.print(done)


def _tell(library: str, report: MigrationReport, *, json: bool) -> None:
    forgotten = {str(path): why for path, why in report.forgotten.items()}
    if json:
        print_json(
            {
                "library": library,
                "changed": report.changed,
                "model_fingerprint": report.model_fingerprint,
                "bits": report.bits,
                "videos": report.videos,
                "segments": report.segments,
                "forgotten": forgotten,
            }
        )
        return
    warn_of_files("Forgotten", forgotten, {})
    now, already = (" now", "") if report.changed else ("", " already")
    out.print(
        f"{library} has{now} the model {report.model_fingerprint[:12]} of {report.bits} bits"
        f"{already}: {report.videos} videos in {report.segments} segments.",
        soft_wrap=True,
    )
