"""A step on a GPU queues its work and goes on: nothing in it waits for the device."""

import pytest
import torch

from gdp.network.unet import UNet
from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.prior.tiling import TiledPrior
from tests.conftest import operator_of, sampler_of

OPERATORS = ["avgpool", "bayer", "bicubic", "blur_gaussian", "gray", "identity"]


def steps(operator, sampler, sigma_y, device, mask_file):
    """A function of t that takes a step there, in tiles."""
    A, made = operator_of(operator, mask_file), sampler_of(sampler)
    A.sigma_y = sigma_y
    x = torch.randn(1, 3, 64, 48)
    y, x, A = A(x).to(device), x.to(device), A.to(device)
    net = UNet(32, 1, (1, 2), attention_downsampling=(2,), image_size=32).eval().to(device)
    prior = TiledPrior(Prior(net, betas()), tile=32, overlap=8)
    return lambda t: made.step(x, t, t - 50, prior, A, y, Noise([0]), {})


@pytest.mark.parametrize("operator", OPERATORS)
@torch.no_grad()
def test_nothing_is_read(operator, mask_file, monkeypatch):
    """Tensors without values, so that whoever asks for one is found out."""
    monkeypatch.setattr(Noise, "like", lambda self, x: torch.empty_like(x))
    x, x0 = steps(operator, "anchored", 0.1, "meta", mask_file)(700)
    assert x.is_meta and x0.is_meta and x.shape == x0.shape == (1, 3, 64, 48)


@pytest.mark.gpu
@pytest.mark.parametrize("sampler", ["anchored", "ddnm", "ddrm"])
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("sigma_y", [0.0, 0.1])
@torch.no_grad()
def test_nothing_is_waited_for(sampler, operator, sigma_y, mask_file):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    step = steps(operator, sampler, sigma_y, "cuda", mask_file)
    for _ in range(4):  # kernels are made and checked, graphs recorded
        step(700)
    torch.cuda.set_sync_debug_mode("error")
    try:
        step(700)
    finally:
        torch.cuda.set_sync_debug_mode("default")
