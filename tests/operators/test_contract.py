"""What every operator has: noise that is handed over, and methods that it offers or lacks."""

import pytest
import torch

from operators.base import AffineOperator, LinearOperator, MissingMethodError, Operator
from operators.coded.jpeg import JPEG
from operators.coded.quantise import Quantise
from operators.coded.sensing import WalshHadamard
from operators.compose import ClosedCompose, Compose
from operators.identity import Identity
from operators.light import Light
from operators.missing.gray import Gray
from operators.size.avgpool import AvgPool
from tests.conftest import OPERATORS, operator_of

TIERS = ("adjoint", "pinv", "prox")


class Halving(Operator):
    """A user's operator with an inverse of its own, and of no tier."""

    def forward(self, x):
        return x / 2

    def pinv(self, y):
        return 2 * y


class Parametric(Operator):
    """With a buffer, a parameter and an operator inside."""

    def __init__(self):
        super().__init__()
        self.register_buffer("gain", torch.ones(1))
        self.shift = torch.nn.Parameter(torch.zeros(1))
        self.inner = Identity()

    def forward(self, x):
        return self.inner(self.gain * x + self.shift)


@pytest.mark.parametrize("name", OPERATORS)
def test_noise_is_handed_over(name, mask_file):
    A = operator_of(name, mask_file)
    before = A.sigma_y
    B = A.with_noise(0.3)
    assert type(B) is type(A) and B is not A
    assert B.sigma_y == 0.3 and A.sigma_y == before
    x = torch.rand(B.x_shape(torch.empty(1, 3, 64, 64)))
    torch.testing.assert_close(A(x), B(x), rtol=0, atol=0)


def test_a_copy_shares_tensors_and_nothing_else():
    A = Parametric()
    B = A.with_noise(0.1)
    assert B.gain is A.gain and B.shift is A.shift and B.inner is A.inner
    B.gain, B.shift, B.inner = torch.zeros(1), torch.nn.Parameter(torch.ones(1)), Gray()
    B.register_buffer("other", torch.ones(1))
    assert float(A.gain) == 1 and A.shift.item() == 0 and isinstance(A.inner, Identity)
    assert not hasattr(A, "other")


def test_compositions_hand_noise_over():
    A = Compose([AvgPool(2), Gray()])
    B = A.with_noise(0.2)
    small, _ = B.at_scale(4, torch.rand(1, 1, 8, 8))
    assert isinstance(B, ClosedCompose) and small.sigma_y == pytest.approx(0.1)
    assert A.sigma_y == 0 and all(op.sigma_y == 0 for op in A.parts())


@pytest.mark.parametrize("name", OPERATORS)
def test_offers_what_its_tier_has(name, mask_file):
    A = operator_of(name, mask_file)
    linear = isinstance(A, LinearOperator)
    assert all(A.offers(method) for method in TIERS) or not linear
    assert all(A.offers(m) == hasattr(A, m) for m in (*TIERS, "spectral", "at_scale"))
    if isinstance(A, AffineOperator):
        assert all(A.linear().offers(method) for method in TIERS)


def test_offers_what_a_class_defines():
    assert Halving().offers("pinv") and not Halving().offers("prox")
    assert JPEG().offers("project") and JPEG().offers("prox") and not JPEG().offers("pinv")
    assert Quantise().offers("project") and not Quantise().offers("pinv")
    assert Light().offers("radiance") and not Gray().offers("radiance")
    assert not any(Gray().offers(method) for method in ("project", "nothing"))
    assert Gray().offers("spectral") and not LinearOperator().offers("spectral")


def test_a_composition_offers_what_its_parts_do():
    assert Compose([Gray(), AvgPool(2)]).offers("at_scale")
    assert Compose([Gray(), AvgPool(2)]).offers("spectral")
    A = Compose([WalshHadamard(), Gray()])
    assert A.offers("pinv") and not A.offers("spectral") and not A.offers("at_scale")
    with pytest.raises(TypeError, match="at_scale"):
        A.at_scale(2, torch.rand(1, 1, 8, 8))


@pytest.mark.parametrize("method", [*TIERS, "spectral", "at_scale"])
def test_what_is_missing_says_what_to_do(method):
    with pytest.raises(TypeError, match=f"defines no {method}.*(derive|define)") as error:
        getattr(Halving() if method == "prox" else JPEG(), method)
    assert isinstance(error.value, MissingMethodError | AttributeError)


def test_defaults():
    x, y = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)
    assert Gray().project(x, y) is x
    with pytest.raises(TypeError, match="Gray defines no radiance"):
        Gray().radiance(x)
    with pytest.raises(AttributeError, match="nothing"):
        Gray().nothing  # noqa: B018
