"""Optical flow by OpenCV, which is imported when flow is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitreel.errors import ConfigError

# Smaller pictures leave DIS too few levels to search: below 16 pixels a side it reads outside of
# its buffers.
DIS_LEAST_PIXELS = 32

_lock = threading.Lock()
_inside = 0
_before = 1


def dis_flow(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Dense inverse search, preset medium (Kroeger et al., ECCV 2016).

    uint8 [N,H,W,3] and [N,H,W,3] → float32 [N,H,W,2] in pixels. Raises ConfigError without OpenCV.
    """
    cv2 = _opencv()
    # A DIS object does not always find the same again (at 42x40 pixels, for one): a new one a pair.
    return _fields(
        cv2, first, second, lambda: cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    )


def tvl1_flow(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """TV-L1 (Zach et al., 2007) with OpenCV's settings: what the two-stream papers used.

    uint8 [N,H,W,3] and [N,H,W,3] → float32 [N,H,W,2] in pixels. Raises ConfigError without OpenCV's
    further modules.
    """
    cv2 = _opencv()
    if not hasattr(cv2, "optflow"):
        raise ConfigError(
            "The flow method tvl1 needs OpenCV's further modules: pip uninstall "
            "opencv-python-headless, then pip install opencv-contrib-python-headless."
        )
    return _fields(cv2, first, second, cv2.optflow.createOptFlow_DualTVL1)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise ConfigError("The modality flow needs OpenCV: pip install 'bitreel[flow]'.") from error
    return cv2


def _fields(
    cv2: Any,
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    create: Callable[[], Any],
) -> NDArray[np.float32]:
    fields = np.empty((*first.shape[:3], 2), np.float32)
    with _one_thread(cv2):
        for field, before, after in zip(fields, first, second, strict=True):
            found = create().calc(_grey(cv2, before), _grey(cv2, after), None)
            field[:] = found[: field.shape[0], : field.shape[1]]
    return fields


def _grey(cv2: Any, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [H,W,3] → [H',W'], its last row and column repeated where it is too small for DIS."""
    grey: NDArray[np.uint8] = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
    missing = [(0, max(0, DIS_LEAST_PIXELS - side)) for side in grey.shape]
    return np.pad(grey, missing, mode="edge")


@contextmanager
def _one_thread(cv2: ModuleType) -> Iterator[None]:
    """Let OpenCV use one thread while any caller is inside: clips are encoded side by side, and DIS
    splits its work by the number of threads, which must not change a code."""
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = cv2.getNumThreads()
        _inside += 1
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                cv2.setNumThreads(_before)
