"""From a code to its nearest codes. numpy only."""

from bitreel.search.asymmetric import AsymmetricNeighbours, AsymmetricReranker
from bitreel.search.exact import ExactIndex
from bitreel.search.neighbours import Neighbours

__all__ = ["AsymmetricNeighbours", "AsymmetricReranker", "ExactIndex", "Neighbours"]
