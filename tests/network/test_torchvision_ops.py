"""timm imports, whichever torchvision is installed."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import warnings
warnings.simplefilter("error")
from bitreel.network.torchvision_ops import import_torchvision
first, second = import_torchvision(), import_torchvision()
assert first == second
import timm, torchvision
assert timm.create_model("resnet10t", pretrained=False) is not None
"""


def test_timm_imports_after_it_and_twice_is_once() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
