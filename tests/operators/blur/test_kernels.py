"""Kernels of blurs: files, and what is no kernel."""

import math

import numpy as np
import pytest
import torch

from operators.blur import kernels


def test_kernel_files(tmp_path):
    k = np.arange(12.0).reshape(3, 4)
    np.save(tmp_path / "k.npy", k)
    torch.testing.assert_close(
        kernels.from_file(tmp_path / "k.npy")[:, :4], torch.from_numpy(k / k.sum()).float()
    )
    assert kernels.from_file(tmp_path / "k.npy").shape == (3, 5)
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="kernel"):
        kernels.from_file(tmp_path / "o.npy")
    with pytest.raises(FileNotFoundError):
        kernels.from_file(tmp_path / "none.png")


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: kernels.gaussian(8), "odd"),
        (lambda: kernels.gaussian(9, 0), "width"),
        (lambda: kernels.normalise(torch.tensor([[1.0, math.nan]])), "NaN"),
        (lambda: kernels.normalise(torch.tensor([[1.0, -1.0]])), "zero"),
        (lambda: kernels.normalise(torch.ones(3)), "2-D"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize("r", [2, 3, 4])
def test_kernels_keep_sum_and_centroid(r):
    k = torch.rand(9, 14, dtype=torch.float64)[:, :13]
    k /= k.sum()
    small = kernels.shrink_kernel(k, r)
    assert all(n % 2 for n in small.shape)

    def moments(kernel, axis):
        place = torch.arange(kernel.shape[axis], dtype=torch.float64) - kernel.shape[axis] // 2
        return float((kernel.sum(1 - axis) * place).sum())

    assert float(small.sum()) == pytest.approx(1)
    assert all(
        r * moments(small, axis) == pytest.approx(moments(k, axis), abs=1e-9) for axis in (0, 1)
    )
