"""The backbone run by torch: the module itself, on the processor or a GPU."""

from __future__ import annotations

import torch

from bitreel.network import one_thread
from bitreel.runtime.protocol import Floats, Rows


class TorchRunner:
    """It follows the module to the device that it is moved to, and sees its weights change."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @torch.inference_mode()
    def __call__(self, rows: Floats) -> Floats:
        with one_thread():
            features = self._rows(torch.from_numpy(rows).to(self._rows.device))
        array: Floats = features.cpu().numpy()
        return array
