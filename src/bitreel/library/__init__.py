"""An indexed collection of videos: the only code that writes a library."""

from bitreel.library.collection import Collection, Filter, collect
from bitreel.library.library import Library
from bitreel.library.listing import VideoFilter
from bitreel.library.ray_encoding import RayOptions
from bitreel.library.re_encoding import VideosMissing
from bitreel.library.records import Entry, Fate, Video
from bitreel.library.results import AddReport, Hit, MigrationReport, SearchResults, Status

__all__ = [
    "AddReport",
    "Collection",
    "Entry",
    "Fate",
    "Filter",
    "Hit",
    "Library",
    "MigrationReport",
    "RayOptions",
    "SearchResults",
    "Status",
    "Video",
    "VideoFilter",
    "VideosMissing",
    "collect",
]
