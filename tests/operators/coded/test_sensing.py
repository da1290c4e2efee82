"""Compressed sensing: brightness is seen, and draws are told apart."""

import json

import pytest
import torch

from operators.coded.sensing import BlockSensing, FourierSampling, WalshHadamard
from operators.size.avgpool import AvgPool


@pytest.mark.parametrize("size", [(8, 8), (5, 7)])
def test_walsh_hadamard_sees_the_brightness(size):
    for seed in range(5):
        A = WalshHadamard(ratio=0.2, seed=seed)
        grey = torch.full((1, 3, *size), 0.3)
        torch.testing.assert_close(A.pinv(A(grey)), grey, atol=1e-5, rtol=0)
        assert int(A.seen(grey).sum()) == round(0.2 * size[0] * size[1])


def test_descriptions_tell_draws_apart():
    y = torch.zeros(1, 6, 20, 30)
    for make in (WalshHadamard, BlockSensing, FourierSampling):
        first, again, other = (make(ratio=0.3, seed=seed).describe(y) for seed in (1, 1, 2))
        assert first == again != other
        assert len(json.dumps(first)) < 400
    assert AvgPool().describe(y) == {}
