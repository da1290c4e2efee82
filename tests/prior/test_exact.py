"""float32 that is float32, and types that are narrow where it costs little."""

import pytest
import torch

from gdp.prior.exact import exact_float32
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule, betas
from gdp.prior.tiling import TiledPrior
from gdp.restore.sample import draw
from operators.size.avgpool import AvgPool
from samplers.ddnm import DDNM
from samplers.dps import DPS
from samplers.restorer import DivergedError, Run
from tests.networks import small_unet


def switches():
    """Whether TF32 may be used, in convolutions and in products."""
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


class Watched(torch.nn.Module):
    """A network that notes the switches, on the way there and back."""

    num_classes, divisor = None, 1

    def __init__(self):
        super().__init__()
        self.weight, self.seen = torch.nn.Parameter(torch.ones(1)), []

    def forward(self, z, timesteps, labels):
        self.seen.append(switches())
        if z.requires_grad:
            z.register_hook(lambda _: self.seen.append(switches()))
        return 0.5 * self.weight * z


def test_without_tf32_on_the_way_there_and_back(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    before, net = switches(), Watched()
    Prior(net, betas()).predict(torch.zeros(1, 3, 4, 4), 5)
    DPS(schedule=Schedule(2))(Prior(net, betas()), AvgPool(2), torch.zeros(1, 3, 4, 4))
    assert len(net.seen) == 5 and set(net.seen) == {(False, False)} and switches() == before
    with pytest.raises(KeyError), exact_float32():
        raise KeyError
    assert switches() == before


@torch.no_grad()
def test_the_head_stays_in_float32():
    """Rounding there would be all in the result; the rest of it is smaller than in one type."""
    x, t = torch.randn(8, 3, 16, 16), torch.full((8,), 500.0)
    want = small_unet()(x, t)
    for dtype in (torch.float16, torch.bfloat16):
        parts, one = small_unet().compute_in(dtype), small_unet().to(dtype)
        out = parts(x, t)
        assert out.dtype == torch.float32 and parts.out[2].weight.dtype == torch.float32
        assert parts.middle_block[0].in_layers[2].weight.dtype == dtype
        errors = [float((v.float() - want).square().mean()) for v in (out, one(x, t))]
        assert errors[0] < errors[1]


class Overflowing(torch.nn.Module):
    """A network whose numbers float16 does not hold."""

    num_classes, divisor = None, 1

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((1,), 300.0, dtype=torch.float16))

    def forward(self, z, timesteps, labels):
        big = self.weight * 300 * torch.ones_like(z, dtype=self.weight.dtype)
        return z.to(big.dtype) * 0.5 + 0 * big


def test_what_overflows_float16_is_done_in_float32(caplog):
    y = torch.zeros(1, 3, 4, 4)
    prior = TiledPrior(Prior(Overflowing(), betas()))
    with pytest.raises(DivergedError):  # its type was asked for
        draw(DDNM(schedule=Schedule(3)), prior, AvgPool(2), y, Run([0]))

    inner = Prior(Overflowing(), betas())
    inner.may_widen = True
    prior = TiledPrior(inner)
    ((x, _),), cost = draw(DDNM(schedule=Schedule(3)), prior, AvgPool(2), y, Run([0]))
    assert x.isfinite().all() and cost.calls == 3 and prior.net.weight.dtype == torch.float32
    assert "float16 does not hold this network's numbers" in caplog.text
