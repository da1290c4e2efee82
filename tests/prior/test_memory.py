"""What memory bears, and the errors where it does not."""

import torch

from gdp.prior.memory import out_of_memory
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.prior.tiling import TiledPrior


def test_memory_errors_of_cuda_count():
    assert out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory")) and not out_of_memory(
        RuntimeError("shape mismatch")
    )


def test_a_gpu_is_asked_for_its_memory_once(monkeypatch):
    """So that batches are of one size at every step."""
    prior, device = Prior(torch.nn.Conv2d(3, 6, 3), betas()), torch.device("cuda")
    free = iter([10**9])
    tiles = TiledPrior(prior)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 2 * 10**8)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 10**8)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (next(free), 10**10))
    first = tiles.pixels_at_once(device)
    assert 0 < first < 2**21 and tiles.pixels_at_once(device) == first
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (8 * 10**10, 8 * 10**10))
    assert TiledPrior(prior).pixels_at_once(device) == 2**21
