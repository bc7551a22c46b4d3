"""How often two clips at a distance share the label, as a collection's own labels tell it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, hamming
from bitreel.evaluation.bootstrap import Interval

ENOUGH_PAIRS = 100  # in a window of distances, before a share of them is told
LEVEL = 0.95
_Z = 1.959964  # of a normal distribution, at that level
_VIDEOS_A_PAIR = 2


@dataclass(frozen=True)
class Unknown:
    """What could not be found out, and why."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class SharedLabel:
    """How often clips at a distance have one label.

    share: of the pairs of clips of different videos that are `low_bits` to `high_bits` apart, the
    smallest window around the distance that holds enough of them; interval: of that share, with
    other videos. pairs, videos: how many there are in the window. base_share: of all pairs,
    whatever their distance; base_pairs: how many these are.
    """

    share: float
    interval: Interval
    low_bits: int
    high_bits: int
    pairs: int
    videos: int
    base_share: float
    base_pairs: int


class DistanceCalibration:
    """Counts pairs of labelled clips by their distance. Threads may share one.

    codes: N codes. labels, videos: int64 [N], equal where label or video are; pairs of one video
    are left out, for they look alike whatever they show.
    """

    def __init__(
        self, codes: BinaryCodes, labels: NDArray[np.int64], videos: NDArray[np.int64]
    ) -> None:
        if labels.shape != (len(codes),) or videos.shape != labels.shape:
            raise ValueError(
                f"expected a label and a video for each of {len(codes)} codes, "
                f"got {list(labels.shape)} and {list(videos.shape)}"
            )
        order = np.argsort(videos, kind="stable")
        codes, labels, videos = codes[order], labels[order], videos[order]
        self.bits = codes.bits
        self._firsts = np.flatnonzero(np.r_[True, np.diff(videos) != 0][: len(videos)])
        self._apart = videos[:, None] != videos[None, :]
        self._same = (labels[:, None] == labels[None, :]) & self._apart
        self._distances = hamming(codes, codes).astype(np.uint16)
        sides = self._distances[self._apart]
        self._pairs_at = np.bincount(sides, minlength=self.bits + 1) // 2  # each stands twice
        self._several = len(np.unique(labels)) > 1
        self._known: dict[int, SharedLabel | Unknown] = {}

    def at(self, distance_bits: int) -> SharedLabel | Unknown:
        """Of pairs about as far apart. Worked out once for each distance."""
        if distance_bits not in self._known:
            self._known[distance_bits] = self._work_out(distance_bits)
        return self._known[distance_bits]

    def _work_out(self, distance_bits: int) -> SharedLabel | Unknown:
        total = int(self._pairs_at.sum())
        if total < ENOUGH_PAIRS:
            return Unknown(
                f"only {total} pairs of labelled clips of different videos can be compared, and "
                f"{ENOUGH_PAIRS} are needed"
            )
        if not self._several:
            return Unknown("all labelled videos have the same label")
        low, high = self._window(distance_bits)
        inside = self._apart & (self._distances >= low) & (self._distances <= high)
        pairs, same = self._by_video(inside), self._by_video(inside & self._same)
        share = float(same.sum() / pairs.sum())
        return SharedLabel(
            share=share,
            interval=share_interval(same, pairs),
            low_bits=low,
            high_bits=high,
            pairs=int(pairs.sum()) // 2,
            videos=int(np.count_nonzero(pairs.sum(axis=1))),
            base_share=float(self._same.sum() / (2 * total)),
            base_pairs=total,
        )

    def _window(self, distance_bits: int) -> tuple[int, int]:
        """The smallest around a distance that holds enough pairs."""
        below = np.r_[0, np.cumsum(self._pairs_at)]
        for reach in range(self.bits + 1):
            low, high = max(0, distance_bits - reach), min(self.bits, distance_bits + reach)
            if below[high + 1] - below[low] >= ENOUGH_PAIRS:
                return low, high
        raise AssertionError("not reached: all distances together hold enough")

    def _by_video(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many chosen pairs each pair of videos has, int64 [V,V]."""
        rows = np.add.reduceat(chosen, self._firsts, axis=0, dtype=np.int64)
        return np.add.reduceat(rows, self._firsts, axis=1)


def share_interval(same: NDArray[np.int64], pairs: NDArray[np.int64]) -> Interval:
    """The interval of `same.sum() / pairs.sum()` when the videos are drawn anew.

    same, pairs: int64 [V,V], symmetric, nothing on the diagonal: of the pairs of clips of two
    videos, how many share the label, and how many there are.

    Pairs that have a video in common are no independent evidence. The variance is therefore the one
    that is robust to such pairs (Fafchamps & Gubert, J. Development Economics 2007; Aronow, Samii &
    Assenova, Political Analysis 2015), and the interval is Wilson's for as many independent pairs
    as have that variance (as in Korn & Graubard, Survey Methodology 1998). Where all pairs agree no
    variance is seen: then as many count as can be drawn with each video in one pair.
    """
    total = pairs.sum() / 2
    share = float(same.sum() / 2 / total)
    residuals = same - share * pairs
    of_video = residuals.sum(axis=1)
    used = np.count_nonzero(pairs.sum(axis=1))
    squares = float((of_video**2).sum() - (residuals**2).sum() / 2)
    variance = squares / total**2 * used / max(1, used - 1)
    spread = share * (1 - share)
    independent = float(used / _VIDEOS_A_PAIR)
    if spread > 0 and variance > 0:
        independent = spread / variance
    return _wilson(share, max(1.0, min(independent, float(total))))


def _wilson(share: float, count: float) -> Interval:
    """Of a share of `count` independent trials, which need not be whole (Wilson, JASA 1927)."""
    shrink = 1 + _Z**2 / count
    middle = (share + _Z**2 / (2 * count)) / shrink
    half = _Z / shrink * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    # It holds the share; rounding could leave one of 0 or 1 outside.
    low, high = min(share, middle - half), max(share, middle + half)
    return Interval(max(0.0, low), min(1.0, high), LEVEL)
