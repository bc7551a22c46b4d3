"""What another precision costs: bits that flip, and mAP@10 where labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bitreel.codes import BinaryCodes, hamming
from bitreel.errors import DataError, VideoError
from bitreel.evaluation import evaluate_codes
from bitreel.model.model import Model
from bitreel.progress import Progress, Step, silent
from bitreel.read_ahead import read_ahead

HEADLINE = "mAP@10"
MEASURED_CLIPS = 400


@dataclass(frozen=True)
class Known:
    """A video whose label and recording (group) are known, so that mAP@10 can be worked out."""

    label: str
    group: str


@dataclass(frozen=True, eq=False)
class Cost:
    """What 8 bits changed in the codes of `clips` clips.

    flipped_bits: the mean of a code. map_at_10: before and after, each clip asking those of all
    other groups (÷k, expected over ties); None without labels. held_out: by heads that were not
    trained on the clips that asked. unreadable: files left out.
    """

    clips: int
    bits: int
    flipped_bits: float
    map_at_10: tuple[float, float] | None = None
    unreadable: dict[Path, str] = field(default_factory=dict)
    held_out: bool = False

    @property
    def flipped_share(self) -> float:
        """Of all bits, from 0 to 1."""
        return self.flipped_bits / self.bits

    @property
    def lost(self) -> float | None:
        """mAP@10 before less mAP@10 after."""
        return None if self.map_at_10 is None else self.map_at_10[0] - self.map_at_10[1]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"unreadable": {str(p): why for p, why in self.unreadable.items()}}


def measure_cost(
    model: Model,
    other: Model,
    videos: Sequence[Path],
    known: Sequence[Known] | None = None,
    *,
    progress: Progress = silent,
) -> Cost:
    """Encode videos with two models of one width and compare their codes.

    known: of each video, where labels are known. Only the videos given are looked at: give none
    that an evaluation is to be made on. Raises DataError where none can be read.
    """

    def encode(path: Path) -> tuple[BinaryCodes, BinaryCodes]:
        clip = model.read(path)
        return model.encode(clip), other.encode(clip)

    kept: list[int] = []
    pairs: list[tuple[BinaryCodes, BinaryCodes]] = []
    unreadable: dict[Path, str] = {}
    for row, (path, coded) in enumerate(read_ahead(encode, videos)):
        progress(Step("measuring", row + 1, len(videos), path.name))
        if isinstance(coded, VideoError):
            unreadable[path] = str(coded)
        else:
            kept.append(row)
            pairs.append(coded)
    if not pairs:
        raise nothing_readable(unreadable)
    before, after = (_stacked(side) for side in zip(*pairs, strict=True))
    flipped = float(np.mean([hamming(before[[k]], after[[k]])[0, 0] for k in range(len(before))]))
    scores = None
    if known is not None:
        asked = [known[row] for row in kept]
        scores = score_by_groups(before, asked), score_by_groups(after, asked)
    found = None if scores is None or None in scores else scores
    return Cost(len(kept), model.bits, flipped, found, unreadable)  # type: ignore[arg-type]


def score_by_groups(codes: BinaryCodes, known: Sequence[Known]) -> float | None:
    """mAP@10 (÷k, expected over ties), each clip asking the clips of all other groups.

    None where there is but one group.
    """
    labels = np.array([one.label for one in known])
    groups = np.array([one.group for one in known])
    scores = []
    for group in np.unique(groups):
        asks = np.flatnonzero(groups == group)
        rest = np.flatnonzero(groups != group)
        if len(rest):
            done = evaluate_codes(codes[asks], labels[asks], codes[rest], labels[rest])
            scores.append(done.per_query[HEADLINE])
    return float(np.concatenate(scores).mean()) if scores else None


def nothing_readable(unreadable: dict[Path, str]) -> DataError:
    """What to raise where not one video gave a clip."""
    first = next(iter(unreadable.values()), "there are none")
    return DataError(f"None of the {len(unreadable)} videos can be read. The first: {first}")


def _stacked(codes: Sequence[BinaryCodes]) -> BinaryCodes:
    return BinaryCodes(np.concatenate([code.packed for code in codes]), codes[0].bits)
