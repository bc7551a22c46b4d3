"""Checks of the machine and the installation: what works, what does not, what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from bitreel.version import __version__

LEAST_FREE_BYTES = 2 << 30


@dataclass(frozen=True)
class Check:
    """One finding. advice: what to do, empty where all is well."""

    name: str
    state: Literal["ok", "note", "bad"]
    finding: str
    advice: str = ""


def examine() -> Iterator[Check]:
    """Every check, one after the other. A check that breaks is a finding like any other."""
    checks = (_python, _torch, _torchvision, _weights, _video, _codecs, _cache)
    for check in checks:
        yield _guarded(check)


def _guarded(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:  # half an installation breaks in any way
        name = check.__name__.removeprefix("_")
        finding = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        return Check(name, "bad", finding, "Install bitreel again, in a fresh environment.")


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    finding = (
        f"bitreel {__version__}, Python {version}, {platform.machine()}, {os.cpu_count()} cores"
    )
    return Check("python", "ok", finding)


def _torch() -> Check:
    import torch

    finding = f"torch {torch.__version__}, {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        return Check("torch", "ok", f"{finding}, {torch.cuda.get_device_name()}")
    return Check(
        "torch", "note", f"{finding}, no GPU", "Fine for a frozen backbone; --finetune wants a GPU."
    )


def _torchvision() -> Check:
    from bitreel.network.torchvision_ops import import_torchvision

    mended = import_torchvision()
    finding = f"torchvision {metadata.version('torchvision')}"
    if mended:
        return Check(
            "torchvision",
            "note",
            f"{finding}, without its compiled operators",
            "bitreel uses none.",
        )
    return Check("torchvision", "ok", finding)


def _weights() -> Check:
    from bitreel.network import Backbone

    source = Backbone().load_pretrained("package")
    return Check("weights", "ok", f"ImageNet weights from the {source}")


def _video() -> Check:
    from bitreel.video.codecs import versions

    return Check("video", "ok", versions())


def _codecs() -> Check:
    from bitreel.video.codecs import decoders

    found = decoders()
    missing = [name for name, there in found.items() if not there]
    if missing:
        return Check(
            "codecs", "bad", f"no decoder for {', '.join(missing)}", "Install av from its wheel."
        )
    return Check("codecs", "ok", f"decodes {', '.join(found)}")


def _cache() -> Check:
    from bitreel.training.feature_cache import default_cache  # late: it brings torch

    folder = default_cache()
    there: Path = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    finding = f"features are cached in {folder}, {free / 1e9:.0f} GB free"
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Check("cache", "bad", f"{folder} can not be written", "Name another with --cache.")
    if free < LEAST_FREE_BYTES:
        return Check("cache", "note", finding, "Free some space, or name another with --cache.")
    return Check("cache", "ok", finding)
