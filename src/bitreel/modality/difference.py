"""Stack of differences: what changes from each frame to the next, without what stands still."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from bitreel.config import STRICT
from bitreel.errors import ConfigError
from bitreel.modality.focus import Focus
from bitreel.modality.protocol import check_snippets, flip_columns
from bitreel.modality.spec import write_spec
from bitreel.modality.steady import steadied

MAX_LENGTH = 64


@dataclass(frozen=True, config=STRICT)
class Difference:
    """`length` signed differences f[i+1] - f[i] of consecutive frames a position.

    Never of the last frame to the first: a static clip gives zeros, a reversed clip the negated
    reverse. (Wang et al., Temporal Segment Networks, 2016; Fernando et al., Odd-One-Out, 2017.)
    camera: `steady` first takes away by how much the picture as a whole shifts and brightens.
    focus: `motion` adds a channel that says how much changes at each pixel.
    """

    length: int = 1
    gain: float = 2.0  # half of full contrast, from frame to frame, reaches the ends of the range
    camera: Literal["keep", "steady"] = "keep"
    focus: Focus = "none"

    name = "difference"
    signed = True
    weights = ""

    def __post_init__(self) -> None:
        if not 1 <= self.length <= MAX_LENGTH:
            raise ConfigError(
                f"A stack has 1 to {MAX_LENGTH} differences, got length={self.length}."
            )
        if not 0 < self.gain <= 255:
            raise ConfigError(f"The gain is above 0 and up to 255, got gain={self.gain:g}.")

    def __str__(self) -> str:
        return write_spec(self)

    @property
    def channels(self) -> int:
        return 3 * self.length + self.focused

    @property
    def focused(self) -> bool:
        return self.focus == "motion"

    @property
    def snippet(self) -> int:
        return self.length + 1

    def pictures(self, positions: int) -> int:
        """One a position."""
        return positions

    def __call__(self, snippets: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [T,L+1,H,W,3] → float32 [T,C,H,W], gain * difference / 255, clipped to [-1,1].

        The channels are red, green and blue of the first difference, then of the next.
        """
        check_snippets(self, snippets)
        steps = self._steps(snippets)
        steps *= np.float32(self.gain / 255)
        np.clip(steps, -1, 1, out=steps)
        stack = steps.reshape(len(steps), -1, *steps.shape[3:])
        if not self.focused:
            return stack
        return np.concatenate([stack, np.abs(stack).mean(axis=1, keepdims=True)], axis=1)

    def _steps(self, snippets: NDArray[np.uint8]) -> NDArray[np.float32]:
        """[T,L+1,H,W,3] → [T,L,3,H,W] in grey levels."""
        planes = snippets.transpose(0, 1, 4, 2, 3).astype(np.int16, order="C")
        steps = (planes[:, 1:] - planes[:, :-1]).astype(np.float32)
        if self.camera == "steady":
            for position, step in np.ndindex(steps.shape[:2]):
                before, after = steadied(snippets[position, step], snippets[position, step + 1])
                steps[position, step] = (after - before).transpose(2, 0, 1)
        return steps

    def mirror(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """[...,C,H,W]: left and right exchanged."""
        return flip_columns(pictures)
