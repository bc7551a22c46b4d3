"""Where libraries lie, and which engine is asked there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from bitreel.library.engine import AnyOpened
from bitreel.library.folder import is_library, make_library, open_library
from bitreel.library.opened import Opened
from bitreel.library.store.address import Address, is_address, parse_address
from bitreel.video import Segmenting

if TYPE_CHECKING:
    from bitreel.model import Model


def site_of(place: Path | str | Address) -> Path | Address:
    """An absolute folder, which whoever changes the working directory finds still, or an address.
    Raises ConfigError."""
    if isinstance(place, Address):
        return place
    return parse_address(str(place)) if is_address(place) else Path(place).absolute()


def is_there(site: Path | Address) -> bool:
    if isinstance(site, Path):
        return is_library(site)
    from bitreel.library.store import milvus_opened

    return milvus_opened.is_there(site)


def make(site: Path | Address, model: Model, segmenting: Segmenting) -> bool:
    """Make an empty library. False where there is one already."""
    if isinstance(site, Path):
        return make_library(site, model, segmenting)
    from bitreel.library.store import milvus_opened

    return milvus_opened.make(site, model, segmenting)


def open_at(site: Path | Address, model: Model | None, runtime: str) -> AnyOpened:
    if isinstance(site, Path):
        catalogue, facts = open_library(site)
        return Opened(site, catalogue, facts, model, runtime)
    from bitreel.library.store import milvus_opened

    return milvus_opened.open_at(site, model, runtime)


def folder_for(site: Path | Address) -> Path:
    """Where this machine keeps what belongs to a library: its folder, where it has one."""
    if isinstance(site, Path):
        return site
    name = "".join(sign if sign.isalnum() else "-" for sign in str(site).split("//")[-1])
    return user_data_path("bitreel") / "libraries" / name
