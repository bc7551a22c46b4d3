"""Which packets to feed to the decoder so that the picks come out, and no more. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Run:
    """Packets first..last (both fed), in file order, that are decoded without a gap."""

    first: int
    last: int


def plan_runs(
    packet_is_key: NDArray[np.bool_],
    packet_pts: NDArray[np.int64],
    wanted_packets: Iterable[int],
    *,
    lead: int = 0,
) -> tuple[Run, ...]:
    """The runs of packets, disjoint and rising, that decode every wanted packet.

    A run starts at the keyframe before its first wanted packet and ends with its last one: what
    comes later in the file is no reference of it. A picture shown before the keyframe that precedes
    it in the file (open group of pictures) needs the group before as well. `lead` more groups are
    put in front for streams that recover only some pictures after what they call a keyframe.
    """
    starts = np.flatnonzero(packet_is_key)
    if not len(starts) or starts[0] != 0:
        starts = np.concatenate([[0], starts])
    runs: list[Run] = []
    for packet in sorted(wanted_packets):
        group = int(np.searchsorted(starts, packet, side="right")) - 1
        if packet_pts[packet] < packet_pts[starts[group]]:
            group -= 1
        first = int(starts[max(0, group - lead)])
        while runs and first <= runs[-1].last + 1:
            first = min(first, runs.pop().first)
        runs.append(Run(first, packet))
    return tuple(runs)
