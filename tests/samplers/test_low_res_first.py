"""Coarse to fine: few calls at the full size, and the same promises as the sampler inside."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from gdp.compose.configuration import build, compose
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.schedule import Schedule
from operators.base import Operator
from operators.blur import blur
from operators.blur.kernels import motion
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from operators.light.gains import Gains
from operators.missing.mask import BoxMask
from operators.scale import same_at_scale
from operators.size.avgpool import AvgPool
from samplers.anchored import Anchored
from samplers.ddnm import DDNM
from samplers.low_res_first import LowResFirst, one_pass
from tests.conftest import SAMPLERS, sampler_of

white = GaussianPrior(0.2, 0.3)


class Brightness(Operator):
    """Blind: y = f x, where f counts how often it was fitted."""

    def bind(self, y, init=None):
        bound = copy.deepcopy(self)
        bound.f = nn.Parameter(torch.zeros(()) if init is None else init.f.detach().clone())
        return bound

    def fit(self, x0, y, sigma):
        with torch.no_grad():
            self.f += 1

    def forward(self, x):
        return x

    def at_scale(self, r, y):
        return same_at_scale(self, r, y)


def steps_of(sampler, A, y, **more):
    """The result, and the width at each step."""
    widths = []
    out = sampler(white, A, y, on_step=lambda t, x, x0: widths.append(x.shape[-1]), **more)
    return out, widths


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_coarse_to_fine(name):
    A = AvgPool(2)
    y = A((0.2 + 0.3 * torch.randn(2, 3, 40, 60)).clamp(-1, 1))
    inner = sampler_of(name, 12)
    sampler = LowResFirst(inner, factors=[4, 2])
    out, widths = steps_of(sampler, A, y)
    assert (
        widths == sorted(widths)
        and set(widths) == {15, 30, 60}
        and out.x.shape == (2, 3, 40, 60)
        and out.x.isfinite().all()
    )
    assert widths.count(60) * 2 <= widths.count(15) + 1
    if inner.consistent:
        assert float((A(out.x) - y).square().mean().sqrt()) < 2e-5
    torch.testing.assert_close(sampler(white, A, y[1:], seeds=[1]).x, out.x[1:], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["auto", "ddnm", "daps"])
def test_calls_are_as_announced(name):
    A, y = Identity(), torch.rand(1, 3, 64, 48)
    A.sigma_y = 0.2
    sampler, prior = LowResFirst(sampler_of(name, 10), factors=[2]), GaussianPrior(0.2, 0.3)
    first, second = sampler.passes(prior.T, A, y)
    assert (
        first == sampler.sampler.nfe(prior.T)
        and second < first
        and sampler.nfe(prior.T) == first + second
    )
    sampler(prior, A, y)
    assert prior.calls == first + second
    assert replace(sampler, schedule=replace(sampler.schedule, steps=4)).sampler.schedule.steps == 4
    assert Anchored(schedule=Schedule(7)).passes(1000, A, y) == [7]


def test_where_it_is_worth_it():
    A = Identity()
    sampler = LowResFirst(DDNM(schedule=Schedule(4)), factors=[4, 2], above=1000)
    assert [
        sampler.scales(A, torch.zeros(1, 3, *size)) for size in ((20, 50), (20, 51), (64, 64))
    ] == [[], [2], [4, 2]]
    assert LowResFirst(DDNM(), factors=[2]).scales(AvgPool(3), torch.zeros(1, 3, 40, 40)) == []
    assert LowResFirst(DDNM(), factors=[4, 2]).scales(A, torch.zeros(1, 3, 3, 2000)) == []
    y = JPEG(50)(torch.zeros(1, 3, 64, 64))
    out, widths = steps_of(LowResFirst(sampler_of("gdp_linesearch", 4), above=1000), JPEG(50), y)
    assert widths == [64] * 4 and out.x.shape == y.shape
    with pytest.raises(TypeError, match=r"lowres=none or lowres=auto"):
        LowResFirst(sampler_of("gdp_linesearch", 4)).check(JPEG(50))
    init = torch.zeros(1, 3, 64, 64)
    assert steps_of(sampler, A, init, init=init)[1] == [64] * 4


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (41, 33)])
@pytest.mark.parametrize(
    "A",
    [Identity(), AvgPool(4), blur(motion(5, 30.0)), BoxMask(), Gains()],
    ids=lambda A: type(A).__name__,
)
def test_any_size(A, size):
    y = torch.zeros(1, 3, *size)
    x = LowResFirst(Anchored(schedule=Schedule(2, start="auto", end="auto")), factors=[4, 2])(
        white, A, y
    ).x
    assert x.shape == A.x_shape(y) and x.isfinite().all()


def test_what_a_blind_operator_learned_goes_on():
    y = torch.zeros(1, 3, 32, 32)
    sampler = LowResFirst(sampler_of("gdp_linesearch", 8), factors=[2])
    assert (
        float(sampler(white, Brightness(), y).operator.f.detach()) == 7 + 3
    )  # calls but the last of each pass
    assert float(sampler.sampler(white, Brightness(), y).operator.f.detach()) == 7


def test_large_holes_take_after_their_surroundings(photo64):
    """A sky whose colours change slowly, half of it lost: nearer to it than with as many calls at
    full size alone.
    """
    rows, columns = torch.linspace(-0.6, 0.6, 64)[:, None], torch.linspace(-0.3, 0.3, 64)
    x, A = (
        torch.stack([rows + columns, rows + 0 * columns, 0.5 - rows + columns])[None],
        BoxMask(0.2, 0.1, 0.6, 0.8),
    )
    one, coarse_to_fine = (
        Anchored(schedule=Schedule(3, start="auto", spacing="squared")),
        LowResFirst(sampler_of("auto", 6), factors=[2]),
    )
    errors = []
    for sampler in (one, coarse_to_fine):
        seen = []
        errors.append(
            float(
                (
                    sampler(
                        photo64,
                        A,
                        A(x),
                        on_step=lambda t, x, x0, seen=seen: seen.append(x.shape[-1]),
                    ).x
                    - x
                ).norm()
            )
        )
        assert seen.count(64) == 3
    assert errors[1] < 0.8 * errors[0], errors


def test_on_the_command_line():
    sampler = build(compose("lowres=none")).sampler
    assert type(one_pass(sampler)) is type(sampler) and not isinstance(sampler, LowResFirst)
    for mode, factors, above in (
        ("first", [2], 0),
        ("ladder", [4, 2], 0),
        ("auto", [4, 2], 131072),
    ):
        sampler = build(compose(f"lowres={mode}", "steps=9")).sampler
        assert isinstance(sampler, LowResFirst) and (list(sampler.factors), sampler.above) == (
            factors,
            above,
        )
        assert sampler.schedule.steps == 9 and sampler.later().schedule.steps in (4, 5)
    for wrong in ("lowres.factors=[2,4]", "lowres.factors=[1]", "lowres.share=0"):
        with pytest.raises(ValueError, match=wrong.split("=")[0]):
            build(compose("lowres=first", wrong))
