"""Write a synthetic action set as video files with a manifest: the same bytes for the same seed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bitreel.dataset.manifest import write_manifest
from bitreel.dataset.synthetic.plan import PlannedClip, Settings, Task, plan_clips
from bitreel.dataset.synthetic.render import EASY, Difficulty, render_clip
from bitreel.errors import DataError
from bitreel.video import write_video

SETTINGS_FILE = "settings.json"
MANIFEST_FILE = "manifest.csv"
ENCODER_OPTIONS = {"preset": "veryfast"}


def make_actions(
    folder: str | Path,
    *,
    task: Task = "both",
    clips_per_class: int = 20,
    query_fraction: float = 0.25,
    frames: int = 32,
    size: tuple[int, int] = (120, 160),
    frames_per_second: int = 25,
    seed: int = 0,
    difficulty: Difficulty = EASY,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make twelve classes of short clips (H.264 mp4) and return the path of their manifest.csv.

    task: what the label is. `motion`: one of twelve motions, five pairs of which are exact
    reversals in time (`motions.py`); the looks are the same in every class, and queries show looks
    that the database has not. `appearance`: the texture and shape of the sprite; the motions are
    the same in every class. `both`: each motion has a look of its own (easy, for demos).

    Backgrounds, colours, places and speeds are the same in every class. Clips that share them are
    one group, and stand on one side of the split; the last query_fraction of the groups are the
    queries. The manifest has the further columns motion, texture, shape and background.

    size: (height, width) in pixels, even. progress: called with (clips there, clips in all).

    A second call with the same settings writes nothing; one that was killed is completed. Bytes are
    the same for the same settings and the same versions of numpy, Pillow and PyAV.

    Raises ConfigError for an option out of its range, DataError for a folder with other settings
    or other files in it, VideoError when a clip can not be written.
    """
    settings = Settings(
        task=task,
        clips_per_class=clips_per_class,
        query_fraction=query_fraction,
        frames=frames,
        size=size,
        frames_per_second=frames_per_second,
        seed=seed,
        difficulty=difficulty,
    )
    folder = Path(folder)
    _claim(folder, settings)
    clips = plan_clips(settings)
    for number, clip in enumerate(clips, 1):
        _write_clip(folder, clip, settings)
        if progress:
            progress(number, len(clips))
    manifest = folder / MANIFEST_FILE
    if not manifest.exists():
        _list_clips(manifest, clips)
    return manifest


def _list_clips(manifest: Path, clips: list[PlannedClip]) -> None:
    write_manifest(
        manifest,
        [clip.example(manifest.parent) for clip in clips],
        extra={
            "motion": [clip.motion for clip in clips],
            "texture": [clip.look.texture for clip in clips],
            "shape": [clip.look.shape for clip in clips],
            "background": [clip.scene.background for clip in clips],
        },
    )


def _write_clip(folder: Path, clip: PlannedClip, settings: Settings) -> None:
    path = folder / clip.place
    if path.exists():  # it appeared whole, so it is whole
        return
    path.parent.mkdir(exist_ok=True)
    pictures = render_clip(
        clip.motion,
        clip.look,
        clip.scene,
        frames=settings.frames,
        size=settings.size,
        difficulty=settings.difficulty,
    )
    write_video(
        path, pictures, frames_per_second=settings.frames_per_second, options=ENCODER_OPTIONS
    )


def _claim(folder: Path, settings: Settings) -> None:
    """Write the settings into a new folder, or compare them with those of the one that is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / SETTINGS_FILE
        if path.exists():
            _compare(path, settings.as_json())
            return
        if any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise DataError(
                f"{folder} holds files that are no synthetic set: name a new or an empty folder."
            )
        partial = folder / f".{SETTINGS_FILE}.{os.getpid()}.part"
        partial.write_text(json.dumps(settings.as_json(), indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise DataError(f"{folder} can not hold the synthetic set: {error.strerror}.") from error


def _compare(path: Path, wanted: dict[str, Any]) -> None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(
            f"{path} is not readable ({error}): name another folder, or delete this one."
        ) from error
    if found == wanted:
        return
    if not isinstance(found, dict):
        found = {}
    different = [
        f"{name} {found.get(name)!r} there, {value!r} wanted"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    raise DataError(
        f"{path.parent} holds a synthetic set made with other settings "
        f"({'; '.join(different) or 'more of them'}). Name another folder, or delete this one."
    )
