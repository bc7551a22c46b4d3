"""Codes that stand for queries, and in which bits near codes differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes
from bitreel.search.code_table import CodeTable
from bitreel.search.multi_index_tuning import Costs, guessed_costs, timed
from bitreel.search.scan import Scan
from bitreel.search.substrings import bits_of, sampled_positions

# Tables are chosen to be cheapest for this many neighbours.
K = 10

_QUERIES, _NEIGHBOURS = 300, 300

# Pairs of a distance that show in which bits such codes differ; of rarer ones, so many are made up.
_PAIRS = 100


@dataclass(frozen=True, eq=False)
class Samples:
    """Codes of a table that stand for queries, [W,Q], and their nearest others, by a scan.

    positions: int64 [Q,K]. distances: int32 [Q,K]. own: int64 [Q], their own positions.
    """

    table: CodeTable
    words: NDArray[np.uint64]
    own: NDArray[np.int64]
    positions: NDArray[np.int64]
    distances: NDArray[np.int32]
    costs: Costs

    @classmethod
    def of(cls, table: CodeTable, seed: int) -> Samples:
        """The table has more codes than neighbours are asked for."""
        own = sampled_positions(table, _QUERIES, seed)
        words = np.ascontiguousarray(table.words[:, own])
        scan, keys, most = Scan(table), table.view.keys, _NEIGHBOURS + 1
        positions, distances = scan.nearest(words, most, keys, None, 1)
        _, seconds = timed(lambda: scan.nearest(words, K, keys, None, 1))
        costs = guessed_costs(len(words), seconds * 1e9 / len(own))
        return cls(table, words, own, positions[:, 1:], distances[:, 1:], costs)


@dataclass(frozen=True, eq=False)
class Differences:
    """In which bits near codes differ: words [W,D], and in how many, distances int64 [D]."""

    words: NDArray[np.uint64]
    distances: NDArray[np.int64]
    surprise: NDArray[np.float64]

    @classmethod
    def of(cls, samples: Samples) -> Differences:
        """Of the samples and their neighbours, and made-up ones for rarer distances.

        surprise: float64 [bits], how much less likely a bit differs than not, as log odds.
        """
        table, near = samples.table, samples.positions[:, ::3]
        words = table.words[:, near.ravel()] ^ np.repeat(samples.words, near.shape[1], axis=1)
        distances = samples.distances[:, ::3].ravel().astype(np.int64)
        share = (np.count_nonzero(bits_of(words, table.bits), axis=0) + 1) / (len(distances) + 2)
        surprise = np.maximum(np.log((1 - share) / share), 0.05)
        rare = np.bincount(distances, minlength=table.bits + 1) < _PAIRS
        made_up = np.repeat(np.flatnonzero(rare), _PAIRS)
        chance = np.random.default_rng(0).gumbel(size=(len(made_up), table.bits)) - surprise
        never = np.full((len(made_up), 1), np.inf)
        rising = np.concatenate([np.sort(chance, axis=1), never], axis=1)
        least = np.take_along_axis(rising, table.bits - made_up[:, None], axis=1)
        drawn = BinaryCodes.from_bits(chance >= least).words()
        usual = ~rare[distances]
        return cls(
            np.ascontiguousarray(np.concatenate([words[:, usual], drawn], axis=1)),
            np.concatenate([distances[usual], made_up]),
            surprise,
        )
