"""What memory bears, and the errors where it does not."""

import pytest
import torch

from gdp.prior.memory import MOST_PIXELS, out_of_memory
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule, betas
from gdp.prior.tiling import TiledPrior
from gdp.restore.sample import draw
from operators.size.avgpool import AvgPool
from samplers.dps import DPS
from samplers.restorer import Run


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("HIP out of memory. Tried to allocate 64.00 MiB"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("FIND was unable to find an engine to execute this computation"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.0 GB, max allowed: 9.07 GB)"),
        RuntimeError("Invalid buffer size: 16.00 GB"),
        RuntimeError("XPU out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("could not create a memory object: UR_RESULT_ERROR_OUT_OF_RESOURCES"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes."),
        MemoryError("not enough memory for the sums of GroupNorm"),
    ],
)
def test_all_words_for_it_are_known(error):
    assert out_of_memory(error)


@pytest.mark.parametrize("words", ["shape mismatch", "memory format", "mat1 and mat2 shapes"])
def test_other_errors_are_others(words):
    assert not out_of_memory(RuntimeError(words))
    assert not out_of_memory(ValueError("out of memory"))


def test_a_gpu_is_asked_for_its_memory_once(monkeypatch):
    """So that batches are of one size at every step."""
    prior, device = Prior(torch.nn.Conv2d(3, 6, 3), betas()), torch.device("cuda")
    free = iter([10**9, 10**9])
    budget = TiledPrior(prior).budget
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 2 * 10**8)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 10**8)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (next(free), 10**10))
    first = budget.at_once(prior.net, device)
    assert 0 < first < 2**21 and budget.at_once(prior.net, device) == first

    # The way back through the network needs more.
    assert 0 < budget.at_once(prior.net, device, differentiated=True) < first
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (8 * 10**10, 8 * 10**10))
    assert TiledPrior(prior).budget.at_once(prior.net, device) == 2**21


class Small(torch.nn.Module):
    """A network on a card that bears so many pictures a call, and so many with gradients."""

    num_classes, divisor, model_channels = None, 1, 64

    def __init__(self, bears, bears_differentiated):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.bears, self.bears_differentiated = bears, bears_differentiated
        self.tried: list[int] = []

    def forward(self, z, timesteps, labels):
        wanted = torch.is_grad_enabled() and z.requires_grad
        self.tried.append(len(z))
        if len(z) > (self.bears_differentiated if wanted else self.bears):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return 0.5 * self.weight * z


@pytest.mark.parametrize("full", [0, 10**6])
@torch.no_grad()
def test_a_batch_is_halved_once_and_for_all(full):
    net = Small(8, 8)
    tiles, x = TiledPrior(Prior(net, betas()), full=full), torch.randn(64, 3, 8, 8)
    torch.testing.assert_close(tiles.predict(x, 500)[0], 0.5 * x)
    assert net.tried == [64, 32, 16] + [8] * 8 and tiles.pixels == x[:, 0].numel()

    net.tried.clear()
    tiles.predict(x, 400)
    assert net.tried == [8] * 8 and tiles.full == full


@pytest.mark.parametrize("full", [0, 10**6])
def test_the_way_back_is_halved_too(full):
    """DPS with many samples: each gradient is that of the whole batch."""
    x = torch.randn(16, 3, 8, 8)
    pulls = []
    for net in (Small(99, 99), Small(16, 2)):
        tiles, z = TiledPrior(Prior(net, betas()), full=full), x.clone().requires_grad_()
        for _ in range(2):
            net.tried.clear()
            out = tiles(z, 300).x0.square().sum()
            pulls.append(torch.autograd.grad(out, z)[0])
    for pull in pulls[1:]:
        torch.testing.assert_close(pull, pulls[0])
    assert net.tried.count(2) == 8 and max(net.tried[1:]) <= 16
    y = torch.zeros(16, 3, 4, 4)
    assert DPS(schedule=Schedule(2))(tiles, AvgPool(2), y).x.isfinite().all()


@torch.no_grad()
def test_graphs_leave_before_the_last_picture_is_given_up():
    net = Small(0, 0)
    prior = Prior(net, betas())
    held, real = [True], prior.graphs.drop
    prior.graphs.drop = lambda: [real(), held.pop() if held else False][1]
    with pytest.raises(ValueError, match=r"one tile of 8x8; choose a smaller tiling\.tile"):
        TiledPrior(prior).predict(torch.randn(1, 3, 8, 8), 500)
    assert net.tried == [1, 1]


def test_memory_that_runs_out_elsewhere_is_told_with_what_helps():
    """In tiling=none, and in what operators compute."""
    prior = Prior(Small(0, 0), betas())
    with pytest.raises(ValueError, match=r"bear 2 pictures .* batch=, tiling=.*prior\.dtype="):
        draw(DPS(schedule=Schedule(2)), prior, AvgPool(2), torch.zeros(1, 3, 4, 4), Run([0, 1]), 2)


def test_a_cpu_takes_what_it_took():
    prior = Prior(torch.nn.Conv2d(3, 6, 3), betas())
    assert TiledPrior(prior).budget.at_once(prior.net, torch.device("cpu")) == MOST_PIXELS["cpu"]
