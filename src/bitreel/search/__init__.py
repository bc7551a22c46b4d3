"""From a code to its nearest codes. numpy and numba only."""

from bitreel.search.asymmetric import AsymmetricNeighbours, AsymmetricReranker
from bitreel.search.compiled import report_compiling
from bitreel.search.exact import ExactIndex
from bitreel.search.index import Index
from bitreel.search.index_file import open_index, save_index, saved_facts
from bitreel.search.lsh import LSHIndex
from bitreel.search.multi_index import MultiIndex
from bitreel.search.neighbours import Neighbours, NeighboursWithin
from bitreel.search.planner import Measured, Plan, Wish, plan_index

__all__ = [
    "AsymmetricNeighbours",
    "AsymmetricReranker",
    "ExactIndex",
    "Index",
    "LSHIndex",
    "Measured",
    "MultiIndex",
    "Neighbours",
    "NeighboursWithin",
    "Plan",
    "Wish",
    "open_index",
    "plan_index",
    "report_compiling",
    "save_index",
    "saved_facts",
]
