"""An indexed collection of videos: the only code that writes a library."""

from bitreel.library.library import Library
from bitreel.library.records import Video
from bitreel.library.results import AddReport, Hit, SearchResults, Status

__all__ = ["AddReport", "Hit", "Library", "SearchResults", "Status", "Video"]
