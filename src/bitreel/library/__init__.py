"""An indexed collection of videos: the only code that writes a library."""

from bitreel.library.collection import Collection, Filter, collect
from bitreel.library.library import Library
from bitreel.library.records import Entry, Fate, Video
from bitreel.library.results import AddReport, Hit, SearchResults, Status

__all__ = [
    "AddReport",
    "Collection",
    "Entry",
    "Fate",
    "Filter",
    "Hit",
    "Library",
    "SearchResults",
    "Status",
    "Video",
    "collect",
]
