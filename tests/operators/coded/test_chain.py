"""Degradations in a row of which not all are linear."""

import pytest
import torch

from gdp.compose.building import build
from gdp.compose.configuration import compose
from operators.blur import blur
from operators.blur.kernels import gaussian
from operators.coded.chain import Chain, LinearThenJPEG, chain
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.compose import Compose
from operators.identity import NoiseHere
from operators.light.tone import Gamma
from operators.size.avgpool import AvgPool
from operators.size.bicubic import Bicubic
from samplers.anchored import Anchored


def soft():
    return blur(gaussian(5, 1.0))


def test_linear_ones_keep_their_forms():
    assert isinstance(chain([soft(), AvgPool(2)]), Compose)
    A = chain([soft(), Bicubic(2), NoiseHere(), JPEG(50)])
    assert isinstance(A, LinearThenJPEG) and A.divisor == 2

    # What is restored is the linear part, its y as wrong as JPEG made it.
    y, A = A.degrade(torch.rand(1, 3, 32, 32), lambda y: y)
    B = A.for_photo(y, 0.02)
    assert isinstance(B, Compressed) and B.sigma_y > 0.02
    whitened, seen = B.whitened(y)
    assert whitened.offers("prox") and seen.shape == y.shape


def test_noise_before_jpeg_is_compressed():
    x = torch.rand(1, 3, 32, 32)
    A = chain([AvgPool(2), NoiseHere(), JPEG(20)])
    y, _ = A.degrade(x, lambda y: y + 0.3 * torch.randn_like(y))
    assert torch.allclose(JPEG(20)(y), y, atol=2e-3)  # what is compressed stays so


def test_others_are_a_forward_model():
    A = chain([AvgPool(2), Gamma(2.2), NoiseHere(), Gamma(0.5)])
    x = (2 * torch.rand(1, 3, 16, 16) - 1).requires_grad_()
    assert isinstance(A, Chain)
    y = A(x)
    assert tuple(A.x_shape(y)) == tuple(x.shape)
    y.square().sum().backward()
    assert torch.isfinite(x.grad).all()
    with pytest.raises(TypeError, match="operators, which Linear is not"):
        chain([torch.nn.Linear(1, 1)])


@pytest.mark.parametrize(
    ("ops", "kind"),
    [
        ("[blur_gaussian,bicubic,noise,jpeg]", LinearThenJPEG),
        ("[{blur_gaussian: {kernel: {sigma: 1.0}}}, {avgpool: {r: 2}}]", Compose),
        ("[gamma,jpeg]", Chain),
        ("[{_target_: operators.size.avgpool.AvgPool, r: 3}]", Compose),
    ],
)
def test_parts_by_name(ops, kind):
    setup = build(compose("operator=compose", f"operator.ops={ops}"))
    assert isinstance(setup.operator, kind)


def test_a_chain_that_ends_in_jpeg_gets_the_default_sampler_of_linear_ones():
    assert isinstance(build(compose("operator=compose", "lowres=none")).sampler, Anchored)


def test_unknown_parts_are_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="no operator named 'bicubik'; did you mean bicubic"):
        build(compose("operator=compose", "operator.ops=[bicubik]"))
    with pytest.raises(ValueError, match="3 is no part"):
        build(compose("operator=compose", "operator.ops=[3]"))
    with pytest.raises(ValueError, match="needs an operator"):
        build(compose("operator=compose", "operator.ops=[]"))
