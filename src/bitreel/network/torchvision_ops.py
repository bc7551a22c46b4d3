"""Lets timm import where torchvision came without its compiled operators.

The torchvision wheel on PyPI is built for CUDA. Beside a CPU build of torch its operators do not
load and `import torchvision` fails on the first one that it decorates (`operator torchvision::nms
does not exist`; pytorch/vision#9085). bitreel calls none of them, so naming them is enough. Where
torchvision imports as it should, this changes nothing.
"""

from __future__ import annotations

import importlib
import sys

import torch

_OPERATORS = ("nms", "qnms")
_keep_alive: list[torch.library.Library] = []  # an operator goes when its library is collected


def import_torchvision() -> bool:
    """Import torchvision. True where its compiled operators had to be replaced by their names."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    else:
        return bool(_keep_alive)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for operator in _OPERATORS:
        library.define(  # type: ignore[no-untyped-call]
            f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
    _keep_alive.append(library)
    importlib.import_module("torchvision")
    return True
