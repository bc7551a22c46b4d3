"""From a code to its nearest codes. numpy only."""

from bitreel.search.exact import ExactIndex
from bitreel.search.neighbours import Neighbours

__all__ = ["ExactIndex", "Neighbours"]
