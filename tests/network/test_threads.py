"""One thread for each operator, while anyone is inside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch

from bitreel.network import one_thread


def test_it_is_one_inside_and_as_before_outside() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_it_is_one_in_every_worker() -> None:
    def work(_: int) -> int:
        with one_thread():
            torch.rand(64, 64) @ torch.rand(64, 64)
            return torch.get_num_threads()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(40))) == {1}
