"""What `bitreel search --explain` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bitreel.cli.console import out

if TYPE_CHECKING:
    from bitreel.insight.compared_bits import ComparedBits
    from bitreel.insight.distance_calibration import SharedLabel, Unknown
    from bitreel.insight.explanation import Explanation
    from bitreel.insight.frame_weights import FrameWeights

_A_LINE = 64  # bits
_FRAMES = 3
_DOUBTFUL = 0.1  # from 0.5, where a bit would be the other


def to_json(found: Explanation) -> dict[str, Any]:
    """As plain JSON values; what is not known is null, and `..._unknown` says why."""
    from bitreel.insight.distance_calibration import Unknown

    bits, shared, frames = found.bits, found.shared_label, found.frames
    return {
        "path": str(found.hit.path),
        "query_start_seconds": found.query.start_seconds,
        "query_end_seconds": found.query.end_seconds,
        "start_seconds": found.hit.start_seconds,
        "end_seconds": found.hit.end_seconds,
        "label": found.hit_label,
        "distance_bits": found.distance_bits,
        "query_bits": bits.query.astype(int).tolist(),
        "hit_bits": bits.hit.astype(int).tolist(),
        "relaxed_bits": None if bits.relaxed is None else bits.relaxed.tolist(),
        "shared_label": None if isinstance(shared, Unknown) else _shared_json(shared),
        "shared_label_unknown": shared.reason if isinstance(shared, Unknown) else None,
        "frames": None if isinstance(frames, Unknown) else _frames_json(frames),
        "frames_unknown": frames.reason if isinstance(frames, Unknown) else None,
    }


def print_explanation(found: Explanation, rank: int) -> None:
    """A few lines for people."""
    out.print(f"\nWhy hit {rank}, {found.hit.path.name}", soft_wrap=True)
    for line in _bit_lines(found.bits):
        out.print(f"  {line}", soft_wrap=True)
    out.print(f"  {shared_label_in_words(found.shared_label)}", soft_wrap=True)
    out.print(f"  {frames_in_words(found.frames)}", soft_wrap=True)


def shared_label_in_words(shared: SharedLabel | Unknown) -> str:
    """One sentence."""
    from bitreel.insight.distance_calibration import Unknown

    if isinstance(shared, Unknown):
        return f"How often clips that far apart share the label is not known: {shared.reason}."
    low, high = shared.low_bits, shared.high_bits
    apart = f"{low} to {high}" if low != high else f"{low}"
    return (
        f"Of clips {apart} bits apart, {_percent(shared.share)} % "
        f"({_percent(shared.interval.low)} to {_percent(shared.interval.high)} %) share the label; "
        f"among all pairs {_percent(shared.base_share)} %."
    )


def frames_in_words(frames: FrameWeights | Unknown) -> str:
    """One sentence: the frames that bring the query nearest."""
    from bitreel.insight.distance_calibration import Unknown

    if isinstance(frames, Unknown):
        return f"Which frames weigh most is not known: {frames.reason.rstrip('.')}."
    order = np.argsort(-frames.weights_bits, kind="stable")[:_FRAMES]
    some = [
        f"{frames.times_seconds[at]:.2f} s ({frames.weights_bits[at]:.1f} bits)"
        for at in order.tolist()
        if frames.weights_bits[at] > 0
    ]
    if not some:
        return "No frame of the query brings it nearer than its neighbours would."
    return f"The query's frames that bring it nearest: {', '.join(some)}."


def _bit_lines(bits: ComparedBits) -> list[str]:
    agree, differ = int(bits.agree.sum()), bits.distance_bits
    first = f"{agree} of {len(bits.agree)} bits agree (=)"
    if bits.relaxed is not None and differ:
        doubtful = int((np.abs(bits.relaxed[~bits.agree] - 0.5) < _DOUBTFUL).sum())
        first += f"; of the {differ} that differ (x) the query was in doubt about {doubtful}"
    marks = "".join("=" if same else "x" for same in bits.agree.tolist())
    return [f"{first}:", *(marks[at : at + _A_LINE] for at in range(0, len(marks), _A_LINE))]


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _shared_json(shared: SharedLabel) -> dict[str, Any]:
    return {
        "share": shared.share,
        "low": shared.interval.low,
        "high": shared.interval.high,
        "level": shared.interval.level,
        "low_bits": shared.low_bits,
        "high_bits": shared.high_bits,
        "pairs": shared.pairs,
        "videos": shared.videos,
        "base_share": shared.base_share,
        "base_pairs": shared.base_pairs,
    }


def _frames_json(frames: FrameWeights) -> list[dict[str, float]]:
    rows = zip(frames.times_seconds.tolist(), frames.weights_bits.tolist(), strict=True)
    return [{"time_seconds": time, "weight_bits": weight} for time, weight in rows]
