"""Scores mean what they say."""

import pytest
import torch

from benchmarks import scoring
from gdp.restore.scores.metrics import psnr, scores
from operators.size.avgpool import AvgPool


def test_null_energy_is_sharpness():
    A, truth = AvgPool(2), torch.rand(1, 3, 8, 8)
    smooth = (A.pinv(A(truth)) + truth) / 2
    assert scoring.null_energy(A, truth, truth) == pytest.approx(1)
    assert scoring.null_energy(A, smooth, truth) == pytest.approx(0.5, rel=1e-4)


def test_psnr_after_rounding():
    a = torch.full((1, 3, 40, 40), 0.5)
    assert float(psnr(a + 0.1, a)) == pytest.approx(20, abs=0.2)
    assert float(psnr(a + 0.001, a + 0.0005)) >= 90
    known = scores(a + 0.1 * torch.rand_like(a), a)
    assert known["psnr"] == pytest.approx(float(psnr(a, a - 0.0567)), abs=2)
    assert known["multi_scale_ssim"] is None
