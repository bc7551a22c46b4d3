"""What every modality is, and what several share."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Modality(Protocol):
    """Snippets of a clip to the pictures that the first convolution takes. A frozen value.

    Its options are its fields; `str()` writes it as the spec that `find_modality` reads.
    """

    @property
    def name(self) -> str: ...

    @property
    def channels(self) -> int:
        """C: channels of each picture."""
        ...

    @property
    def snippet(self) -> int:
        """S: how many frames close in time it needs at each position of a clip."""
        ...

    @property
    def signed(self) -> bool:
        """True: values in [-1,1] around 0, the value of no motion, for the first convolution as
        they are. False: pictures in [0,1], to be normalised as the backbone's weights expect."""
        ...

    @property
    def focused(self) -> bool:
        """True: the last channel is no picture, but says where to look, in [0,1]."""
        ...

    @property
    def weights(self) -> str:
        """The file that it reads, if any: a code depends on what is in it."""
        ...

    def pictures(self, positions: int) -> int:
        """T': how many pictures it makes of a clip of T positions."""
        ...

    def __call__(self, snippets: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [T,S,H,W,3] → float32 [T',C,H,W]. Raises ValueError for another shape."""
        ...

    def mirror(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pictures [...,C,H,W] to those of the same clip with left and right exchanged."""
        ...


def check_snippets(modality: Modality, snippets: NDArray[np.uint8]) -> None:
    """Raises ValueError unless they are uint8 [T,S,H,W,3] with the modality's S."""
    shape = snippets.shape
    fits = len(shape) == 5 and shape[1] == modality.snippet and shape[4] == 3 and 0 not in shape
    if not fits or snippets.dtype != np.uint8:
        raise ValueError(
            f"expected snippets uint8 [T,{modality.snippet},H,W,3] for {modality}, "
            f"got {snippets.dtype} {list(shape)}"
        )


def flip_columns(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """[...,W] with left and right exchanged: the mirror of a modality without a direction."""
    return np.ascontiguousarray(pictures[..., ::-1])
